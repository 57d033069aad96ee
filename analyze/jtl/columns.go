package jtl

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// columns are the positions of the fields we need, how many a row has, and what
// stands between them. JMeter writes them in any order, with any delimiter.
type columns struct {
	time, elapsed, label, success, count int
	bytes, sentBytes                     int // from 1; 0 where a file has none
	comma                                byte
}

// unknownColumns stand in until a first row was read: the time and the elapsed
// time come first unless a header says otherwise.
func unknownColumns() columns { return columns{elapsed: 1, comma: ','} }

// firstRow decides from the first row which columns a file has: those its
// header names, else JMeter's default order. header says which it was.
func firstRow(name string, line int, fields [][]byte) (cols columns, header bool, err error) {
	text := bytes.Join(fields, []byte{','})
	for _, comma := range []byte{',', '\t', ';', '|'} {
		if names := bytes.Split(text, []byte{comma}); isHeader(names) {
			cols, err := headerColumns(name, line, names, comma)
			return cols, true, err
		}
	}
	if bytes.HasPrefix(bytes.TrimSpace(fields[0]), []byte("<")) {
		return columns{}, false, fmt.Errorf("%s:%d: this is an XML result file: let JMeter write CSV (-Jjmeter.save.saveservice.output_format=csv)", name, line)
	}
	// JMeter's default order: timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,…
	cols = columns{time: 0, elapsed: 1, label: 2, success: 7, count: len(fields), comma: ','}
	if len(fields) > 10 {
		cols.bytes, cols.sentBytes = 10, 11
	}
	if len(fields) <= cols.success {
		return columns{}, false, fmt.Errorf("%s:%d: no header and only %d columns, JMeter's default has 17: set -Jjmeter.save.saveservice.print_field_names=true", name, line, len(fields))
	}
	return cols, false, nil
}

func isHeader(fields [][]byte) bool {
	for _, f := range fields {
		if string(f) == "timeStamp" {
			return true
		}
	}
	return false
}

func headerColumns(name string, line int, fields [][]byte, comma byte) (columns, error) {
	at := map[string]int{}
	for i, f := range fields {
		at[string(f)] = i
	}
	cols := columns{count: len(fields), comma: comma, bytes: position(fields, "bytes"), sentBytes: position(fields, "sentBytes")}
	for _, want := range []struct {
		column, property string
		to               *int
	}{
		{"timeStamp", "timestamp_format=ms", &cols.time},
		{"elapsed", "time=true", &cols.elapsed},
		{"label", "label=true", &cols.label},
		{"success", "successful=true", &cols.success},
	} {
		i, ok := at[want.column]
		if !ok {
			return columns{}, fmt.Errorf("%s:%d: no column %s: set -Jjmeter.save.saveservice.%s", name, line, want.column, want.property)
		}
		*want.to = i
	}
	return cols, nil
}

// position is the place of a column that a file need not have, from 1.
func position(fields [][]byte, name string) int {
	return 1 + slices.IndexFunc(fields, func(f []byte) bool { return string(f) == name })
}

// begins recognises a line that can only be the beginning of a row: the time
// and the elapsed time stand where they belong, and no quote before them. No
// message that JMeter quotes has a line like that, so such a line ends a quote
// that was never closed, and files are cut before such lines.
func (c columns) begins(line []byte) bool {
	line = chomp(line)
	for i, to := 0, max(c.time, c.elapsed); ; i++ {
		field, rest, more := bytes.Cut(line, []byte{c.comma})
		switch {
		case i == c.time && !isTime(field), i == c.elapsed && (len(field) == 0 || digits(field) < len(field)), bytes.IndexByte(field, '"') >= 0:
			return false
		case i == to:
			return more == (i+1 != c.count)
		case !more:
			return false
		}
		line = rest
	}
}

// isTime recognises what JMeter writes as timeStamp.
func isTime(field []byte) bool {
	if n := digits(field); n == len(field) {
		return n >= 12 && n <= 14
	}
	_, _, ok := parseDate(field)
	return ok
}

// row reads the fields of a data row; why says what is wrong with a damaged one.
func (c columns) row(fields [][]byte, last bool) (row Row, why string) {
	if len(fields) != c.count {
		if last && len(fields) < c.count {
			return row, "the last row is cut off"
		}
		return row, fmt.Sprintf("%d columns where the file has %d", len(fields), c.count)
	}
	if row.Start, row.Local, why = startOf(fields[c.time]); why != "" {
		return row, why
	}
	var err error
	if row.Elapsed, err = strconv.ParseInt(string(fields[c.elapsed]), 10, 64); err != nil || row.Elapsed < 0 {
		return row, fmt.Sprintf("elapsed %q is not a number of milliseconds", clip(fields[c.elapsed]))
	}
	if row.Elapsed > maxElapsedMS {
		return row, fmt.Sprintf("elapsed %d ms is over an hour", row.Elapsed)
	}
	switch string(fields[c.success]) {
	case "true", "TRUE", "True":
		row.Success = true
	case "false", "FALSE", "False":
	default:
		return row, fmt.Sprintf("success is %q, not true or false", clip(fields[c.success]))
	}
	row.Label = fields[c.label]
	row.Bytes, row.SentBytes = amount(fields, c.bytes), amount(fields, c.sentBytes)
	return row, ""
}

// startOf reads a timeStamp in milliseconds since the epoch; local says that it
// was a date without a time zone, read as UTC.
func startOf(field []byte) (ms int64, local bool, why string) {
	ms, err := strconv.ParseInt(string(field), 10, 64)
	if err != nil {
		if ms, local, ok := parseDate(field); ok && ms > 0 {
			return ms, local, ""
		}
	}
	if err != nil || ms <= 0 || ms > maxStartMS {
		return 0, false, fmt.Sprintf("timeStamp %q is not a number of milliseconds", clip(field))
	}
	return ms, false, ""
}

// clip shortens text for a message, so that a damaged file cannot flood it.
func clip(text []byte) string {
	const most = 40
	if len(text) <= most {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:most]), "") + "…"
}

// amount reads a column that a row need not have. A row without a sound number
// there is a result all the same.
func amount(fields [][]byte, position int) int64 {
	if position == 0 {
		return 0
	}
	n, err := strconv.ParseInt(string(fields[position-1]), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
