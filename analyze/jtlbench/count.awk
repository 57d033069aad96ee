# Rows and errors by label, successes and errors by label and second, and
# successes by label and millisecond, as ours and DuckDB count them.
$1 ~ /^[0-9]+$/ {
	second = int(($1 + $2) / 1000)
	rows[$3]++
	if ($8 == "true") {
		successes[$3 " " second]++
		histogram[$3 " " $2]++
	} else {
		errors[$3]++
		failures[$3 " " second]++
	}
}
END {
	for (label in rows) print "label", label, rows[label], errors[label] + 0
	for (key in successes) print "second", key, successes[key], failures[key] + 0
	for (key in failures) if (!(key in successes)) print "second", key, 0, failures[key]
	for (key in histogram) print "ms", key, histogram[key]
}
