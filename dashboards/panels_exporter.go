package main

// exporter says whether what the other dashboards show can be believed, and
// what showing it costs.
func exporter() board {
	return board{
		name: "exporter", title: "Exporter",
		question: "Does the exporter read everything it should, and what does it cost the database and AWS?",
		lines: []line{
			{height: 4, panels: exporterTiles()},
			{section: "Does every collector work?", height: 9, panels: collectorPanels()},
			{section: "What does it cost the database?", height: 7, panels: footprintPanels()},
			{section: "How old and how expensive is what CloudWatch says?", height: 7, panels: cloudWatchPanels()},
			{section: "What is it looking at?", height: 8, panels: identityPanels()},
		},
	}
}

// dollars is AWS' price of one metric asked for, in most regions at the time of
// writing: docs/operating.md.
const dollars = "0.00001"

func exporterTiles() []panel {
	return []panel{
		{
			kind: stat, title: "Exporters that answer", width: 4, digits: digits(0), named: true, need: needExporter,
			about:   about{"Targets that Prometheus scraped, and those that it could not.", "Prometheus' series up.", "any down.", "see the target's page in Prometheus; the exporter answers whatever its database does."},
			queries: []query{{expr: "sum(up{job=~\"$job\"})", legend: "up"}, {expr: "sum(1 - up{job=~\"$job\"})", legend: "down"}},
			colours: []colour{fixed("up", colourGood), fixed("down", colourRest)},
		},
		{
			kind: stat, title: "Collectors that fail", width: 4, digits: digits(0), need: needExporter,
			about:   about{"Collectors of all exporters whose last run did not read everything.", "the exporter itself.", "any for longer than a scrape or two.", "the table below names it; docs/missing.md explains the class."},
			queries: []query{{expr: "sum(1 - " + ofJob("token_persistence_exporter_collector_success") + ")"}},
			words:   []word{{value: 0, text: "none", colour: colourGood}, {value: 1, orMore: true, colour: colourWarning}},
		},
		{
			kind: stat, title: "Slowest collector", width: 4, unit: unitSeconds, plain: true, named: true, need: needExporter,
			about:   about{"Time that the slowest collector took in the last scrape.", "the exporter itself.", "near the scrape timeout.", "see durations below."},
			queries: []query{{expr: "topk(1, max by (collector) (" + ofJob("token_persistence_exporter_collector_duration_seconds") + "))", legend: "{{collector}}"}},
		},
		{
			kind: stat, title: "Time in the database", width: 4, unit: unitShare, digits: digits(2), plain: true, need: needDatabase,
			about:   about{"Share of time in which a statement of the exporter runs.", "the exporter itself.", "whole percents for long.", "a longer scrape interval, or fewer collectors; see the census below."},
			queries: []query{{expr: "max(sum by (job, instance) (" + rate(ofDatabase("token_persistence_exporter_database_busy_seconds_total")) + "))"}},
		},
		{
			kind: stat, title: "CloudWatch is behind", width: 4, unit: unitSeconds, digits: digits(0), limits: []string{"cloudwatch_age"}, need: needRDS,
			about:   about{"Age of the oldest of the newest datapoints of CPU and IOPS.", "collector cloudwatch.", "above the alert's limit: CloudWatch has stopped answering.", "see requests below; exporter check says what is refused."},
			queries: []query{{expr: "max(time() - " + ofRDS("rds_datapoint_timestamp_seconds", `metric=~"CPUUtilization|TotalIOPS"`) + ")"}},
		},
		{
			kind: stat, title: "CloudWatch, 30 days", width: 4, unit: "currencyUSD", digits: digits(2), limits: []string{"cloudwatch_cost"}, need: needRDS,
			about:   about{"What asking AWS costs at the present pace, all exporters, at 0.01 USD per 1,000 metrics.", "metrics asked for, which AWS bills.", "above the alert's limit.", "a longer --cloudwatch.period; one exporter per instance, not two."},
			queries: []query{{expr: "sum(" + rate(ofJob("token_persistence_exporter_cloudwatch_metrics_requested_total")) + ") * 30 * 86400 * " + dollars}},
		},
	}
}

func collectorPanels() []panel {
	state := []word{{value: 1, text: "works", colour: colourGood}, {value: 0, text: "FAILS", colour: colourCritical}}
	return []panel{
		{
			kind: table, title: "Which collectors are on, and do they work?", width: 9, need: needExporter,
			about: about{"Last run of every collector, its time, and its failed runs in the last hour.", "the exporter itself.", "FAILS, or failures that grow.", "docs/missing.md explains the class; the log has the statement or flag."},
			queries: []query{
				{expr: "min by (instance, collector) (" + ofJob("token_persistence_exporter_collector_success") + ")"},
				{expr: "max by (instance, collector) (" + ofJob("token_persistence_exporter_collector_duration_seconds") + ")"},
				{expr: "sum by (instance, collector) (increase(" + ofJob("token_persistence_exporter_collector_failures_total") + "[1h])) or 0 * min by (instance, collector) (" +
					ofJob("token_persistence_exporter_collector_success") + ")"},
			},
			columns: []column{
				{field: "collector", heading: "Collector", width: 105}, {field: "instance", heading: "Exporter"},
				{field: "Value #A", heading: "Last run", width: 80, words: state}, {field: "Value #B", heading: "took", unit: unitSeconds, width: 80},
				{field: "Value #C", heading: "failures, 1 h", unit: unitCount, digits: digits(0), width: 105},
			},
		},
		{
			kind: graph, title: "How long does each collector take?", width: 8, unit: unitSeconds, hues: palette, need: needExporter,
			about:   about{"Time of each collector in a scrape, waiting included. Those of the database run one after the other.", "the exporter itself.", "a sum near the scrape timeout.", "raise scrape_timeout; a slow database makes every collector slow."},
			queries: []query{{expr: "max by (collector) (" + ofJob("token_persistence_exporter_collector_duration_seconds") + ")", legend: "{{collector}}"}},
		},
		{
			kind: graph, title: "Why do collectors fail?", width: 7, unit: unitEach, hues: palette, need: "no collector has failed since the exporter started",
			about:   about{"Failed runs per second by collector and class.", "the exporter itself. A class appears with its first failure.", "any that go on.", "docs/missing.md has a row per class."},
			queries: []query{{expr: by("collector, class", ofJob("token_persistence_exporter_collector_failures_total")), legend: "{{collector}}: {{class}}"}},
		},
	}
}

func footprintPanels() []panel {
	own := func(title, metric, unit, bad string) panel {
		return panel{
			kind: graph, title: title, width: 8, unit: unit, stacked: true, need: needDatabase,
			about:   about{"The exporter's own work, by connection: scrape answers Prometheus, background reads late rows, digests and the census.", "the exporter itself.", bad, "a longer interval of the collector that is the cause: docs/operating.md."},
			queries: []query{{expr: by("connection", ofDatabase(metric)), legend: "{{connection}}"}}, colours: []colour{fixed("scrape", colourRest), fixed("background", "#4F5661")}, sums: []string{"mean", "max"},
		}
	}
	return []panel{
		own("Share of time that its statements run", "token_persistence_exporter_database_busy_seconds_total", unitShare, "whole percents for long."),
		own("Statements", "token_persistence_exporter_database_statements_total", unitEach, "more than a few dozen per scrape."),
		own("Rows returned", "token_persistence_exporter_database_rows_returned_total", unitRows, "more than there are new tokens, digests and tables."),
	}
}

func cloudWatchPanels() []panel {
	return []panel{
		{
			kind: graph, title: "How old are CloudWatch's values?", width: 9, unit: unitSeconds, limits: []string{"cloudwatch_age"}, need: needRDS,
			about:   about{"Time since the start of the period that a value stands for, by metric; the line is the alert's limit.", "collector cloudwatch.", "above the line.", "see requests beside; the AWS account's limits; exporter check."},
			queries: []query{{expr: "max by (metric) (time() - " + ofRDS("rds_datapoint_timestamp_seconds") + ")", legend: "{{metric}}"}},
			hues:    palette,
		},
		{
			kind: graph, title: "How often is AWS asked?", width: 8, unit: unitEach, need: needRDS,
			about: about{"GetMetricData requests and the HTTP requests that they took.", "collector cloudwatch.", "more HTTP requests than requests: AWS refuses or is slow.", "a longer --cloudwatch.period; see the classes of failures above."},
			queries: []query{
				{expr: "sum(" + rate(ofJob("token_persistence_exporter_cloudwatch_requests_total")) + ")", legend: "requests"},
				{expr: "sum(" + rate(ofJob("token_persistence_exporter_cloudwatch_http_attempts_total")) + ")", legend: "HTTP requests, retries included"},
			},
			colours: []colour{fixed("requests", colourDatabase), fixed("HTTP requests, retries included", colourDBPale)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How far are AWS' clock and ours apart?", width: 7, unit: unitSeconds, need: needRDS,
			about:   about{"AWS' clock less the exporter's.", "collector cloudwatch, to about a second.", "seconds: set this host's clock by NTP.", "requests are made by AWS' clock past 5 seconds; signatures are refused past 5 minutes."},
			queries: []query{{expr: "abs(max by (instance) (" + ofJob("token_persistence_exporter_cloudwatch_clock_skew_seconds") + "))", legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourRest)}, sums: []string{"max"},
		},
	}
}

func identityPanels() []panel {
	return []panel{
		{
			kind: table, title: "Which databases?", width: 10, need: needDatabase,
			about: about{"Server, version and generation of the token tables.", "collectors mysql and schema.", "a version that nobody expects; generation unknown: the account sees too little.", "exporter check."},
			queries: []query{
				{expr: "max by (instance, version) (" + ofDatabase("mysql_server_info") + ")"},
				{expr: "max by (instance, generation) (" + ofDatabase("wso2_token_schema_info") + ")"},
				{expr: "max by (instance) (" + ofDatabase("mysql_uptime_seconds") + ")"},
			},
			columns: []column{
				{field: "instance", heading: "Exporter"}, {field: "version", heading: "Server", width: 170}, {field: "generation", heading: "Token tables of", width: 120},
				{field: "Value #C", heading: "up for", unit: "dtdurations", width: 110},
			},
		},
		{
			kind: stat, title: "Excess rights", width: 4, digits: digits(0), need: needSchema,
			about:   about{"Kinds of rights of the exporter's account that it does not need.", "collector schema.", "any, token_values before all.", "exporter check prints what to revoke."},
			queries: []query{{expr: "sum(" + ofDatabase("token_persistence_exporter_excess_privileges") + ")"}},
			words:   []word{{value: 0, text: "none", colour: colourGood}, {value: 1, orMore: true, colour: colourWarning}},
		},
		{
			kind: graph, title: "Which log lines could not be read?", width: 10, unit: unitShare, limits: []string{"log_unparsed"}, need: needEndpoint,
			about: about{"Share of access-log lines that are not of the pattern; the line is the alert's limit.", "collector endpoint.", "above the line: requests are not counted.", "--collector.endpoint.log-pattern must be the valve's pattern."},
			queries: []query{{expr: "sum by (instance) (" + rate(ofJob("wso2_token_endpoint_log_lines_unparsed_total")) + ") / clamp_min(sum by (instance) (" +
				rate(ofJob("wso2_token_endpoint_log_lines_total")) + "), 1e-9)", legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourRest)}, sums: []string{"max"},
		},
	}
}
