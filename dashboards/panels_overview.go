package main

// overview answers what whoever is woken up asks first.
func overview() board {
	return board{
		name: "overview", title: "Overview",
		question: "Is token traffic healthy, what does persistence cost the database right now, and who is the bottleneck?",
		lines: []line{
			{height: 4, panels: overviewTiles()},
			{section: "What does token persistence cost the database right now?", height: 11, panels: taxPanels()},
			{height: 8, panels: costPanels()},
			{section: "Is token traffic healthy?", height: 8, panels: trafficPanels()},
			{section: "Who is the bottleneck?", height: 8, panels: bottleneckPanels()},
		},
	}
}

func overviewTiles() []panel {
	return []panel{
		{
			kind: stat, title: "Tokens issued", width: 3, unit: unitTokens, digits: digits(0), plain: true, need: needEndpoint,
			about: about{"Successful requests to /oauth2/token per second, all API Manager nodes, in either mode.",
				"collector endpoint (access log).", "a fall without a reason, see the alert TokenPersistenceIssuanceDrop.", "look at the failing requests and at the bottleneck below."},
			queries: []query{{expr: "sum(" + rate(tokenRequests) + ")"}},
		},
		{
			kind: stat, title: "Server errors", width: 3, unit: unitShare, digits: digits(2), limits: []string{"error_objective"}, need: needEndpoint,
			about: about{"Share of token requests that API Manager answered with 5xx. What clients do wrong (4xx) is not in it.",
				"collector endpoint (access log).", "above the error objective.", "read wso2carbon.log; look for PoolExhaustedException and for the database below."},
			queries: []query{{expr: "sum(" + rate(ofJob("wso2_token_endpoint_requests_total", `endpoint="token"`, `code="5xx"`)) + ") / clamp_min(sum(" + rate(allRequests) + "), 1e-9)"}},
		},
		{
			kind: stat, title: "Response p95", width: 3, unit: unitSeconds, limits: []string{"token_latency"}, need: needLatency,
			about: about{"95 % of token requests took no longer, by API Manager's own clock. The histogram's buckets bound its precision.",
				"collector endpoint (access log with %D or %T).", "above the limit drawn in the graph below.", "see which host is busy: that one queues."},
			queries: []query{{expr: quantile("0.95")}},
		},
		{
			kind: stat, title: "Persistence is", width: 3, need: needRules,
			about: about{"Whether issued tokens leave rows in the database: by API Manager's log where the exporter reads it, else by rows per issued token.",
				"recording rule token_persistence:job:mode.", "a mode that nobody chose, or nodes that disagree (TokenPersistenceModeMixed).", "compare [oauth.token_persistence] in deployment.toml of all nodes."},
			queries: []query{{expr: "max(" + modeRule + ")"}},
			words:   []word{{value: 1, text: "ON", colour: colourOn}, {value: 0, text: "OFF", colour: colourOff}},
		},
		{
			kind: stat, title: "Share of the database's work", width: 5, unit: unitShare, digits: digits(0), named: true, need: needTax,
			about: about{taxMeaning, "collector statements (performance_schema).", "a large share while the database is the bottleneck.", "see Token Persistence / On against off, and `analyze estimate`."},
			queries: []query{
				{expr: taxBound("statement_time", "lower", "5m"), legend: "at least"},
				{expr: taxBound("statement_time", "upper", "5m"), legend: "at most"},
			},
			colours: []colour{fixed("at least", colourOn), fixed("at most", colourOn)},
		},
		{
			kind: stat, title: "Nearest to its limit", width: 4, unit: unitShare, digits: digits(0), named: true,
			limits: []string{"database_cpu_high", "database_cpu_saturated"}, need: needRDS,
			about: about{"The resource with the highest utilisation of those that this dashboard knows the limit of.",
				"CloudWatch and the mysql collector.", "past 80 % a peak queues, past 90 % everything does.", "this one limits throughput: more of another resource changes nothing."},
			queries: []query{{expr: busiest(), legend: "{{figure}}"}},
		},
		{
			kind: stat, title: "Alerts firing", width: 3, digits: digits(0), need: needRules,
			about:   about{"Alerts of this toolkit that fire, all severities, of every job.", "Prometheus' own series ALERTS.", "any.", "open Prometheus' or Alertmanager's page; each alert names its runbook."},
			queries: []query{{expr: `count(ALERTS{alertname=~"TokenPersistence.+",alertstate="firing"}) or 0 * count({__name__=~"token_persistence:.+",job=~"$job"})`}},
			words:   []word{{value: 0, text: "none", colour: colourGood}, {value: 1, orMore: true, colour: colourWarning}},
		},
	}
}

const taxMeaning = "How much of the time that the database spends on statements goes to storing and looking up tokens, as an interval: " +
	"what would surely be gone with persistence off, and what might be."

// quantile is one of the token endpoint's response time. Without requests it is
// not a number, which is left out.
func quantile(q string) string {
	return "histogram_quantile(" + q + ", " + by("le", ofJob("wso2_token_endpoint_request_duration_seconds_bucket", `endpoint="token"`)) + ") >= 0"
}

// taxBound is one end of the tax, smoothed; of several databases the one whose
// share is largest.
func taxBound(resource, bound, window string) string {
	return "max(avg_over_time(" + ofDatabase("wso2_token_tax_ratio", `resource="`+resource+`"`, `bound="`+bound+`"`) + "[" + window + "]))"
}

// taxTime is one end of the tax on statement time in seconds per second, each
// database's share of its own time.
func taxTime(bound string) string {
	return "sum(avg_over_time(" + ofDatabase("wso2_token_tax_ratio", `resource="statement_time"`, `bound="`+bound+`"`) + "[$__rate_interval])" +
		" * on (job, instance) " + rate(ofDatabase("mysql_statement_seconds_total")) + ")"
}

// busiest is the resource with the highest utilisation.
func busiest() string {
	return "topk(1, " +
		named("max("+apimCPU+")", "API Manager CPU") + " or " +
		named("max("+ofRDS("rds_cpu_utilization_ratio")+")", "database CPU") + " or " +
		named("max("+ofRDS("rds_total_iops")+" / "+ofRDS("rds_iops_limit")+")", "database IOPS") + " or " +
		named("max("+connectionShare()+")", "database connections") + ")"
}

func connectionShare() string {
	return ofDatabase("mysql_threads_connected") + " / " + ofDatabase("mysql_connections_max")
}

// taxPanels hold the first of the two pictures to remember: the database's work,
// and in blue what token persistence is of it.
func taxPanels() []panel {
	all := "sum(" + rate(ofDatabase("mysql_statement_seconds_total")) + ")"
	lower, upper := taxTime("lower"), taxTime("upper")
	return []panel{
		{
			kind: graph, title: "How much of the database's work is token persistence?", width: 16, stacked: true, unit: unitCount, axis: "sessions at work", need: needTax,
			about: about{taxMeaning + " The height is the seconds of statement time per second: how many sessions are at work on average. Blue vanishes when persistence is switched off.",
				"wso2_token_tax_ratio times the statement time of all clients (performance_schema).", "blue is most of a database that is short of CPU or IOPS.",
				"see Token Persistence / Database saturation for the limit, then On against off."},
			queries: []query{
				{expr: lower, legend: "token persistence, surely"},
				{expr: upper + " - " + lower, legend: "token persistence, possibly"},
				{expr: all + " - " + upper + " or " + all, legend: "everything else"},
			},
			colours: []colour{fixed("token persistence, surely", colourOn), fixed("token persistence, possibly", colourPossible), fixed("everything else", colourRest)},
			sums:    []string{"mean", "max"},
		},
		{
			kind: bars, title: "At least this share of each resource goes to it", width: 8, height: 6, unit: unitShare, digits: digits(0), share: true, need: needTax,
			about: about{"The lower end of the tax by resource, mean of the last five minutes. Processor time is there where MySQL measures it; InnoDB's row locks are in the lock time on MySQL only.",
				"collector statements (performance_schema).", "a long bar of the resource that is short.", "with persistence off at least this much of it becomes free."},
			queries: taxByResource(),
			colours: []colour{fixed("statement time", colourOn), fixed("rows written", colourOn), fixed("rows examined", colourOn), fixed("lock time", colourOn), fixed("processor time", colourOn)},
		},
		{
			kind: bars, title: "Which statements?", width: 8, height: 5, under: true, unit: "suffix:sessions", digits: digits(2), need: needPerformers,
			about: about{"The five kinds of token statements that take most time. Most of a write's time ends in commit.",
				"collector statements (performance_schema).", "look-ups at the top: they should take microseconds.", "see rows examined and missing indexes on Token Persistence / Token tables."},
			queries: []query{{expr: "topk(5, " + by("kind", ofDatabase("wso2_token_statement_seconds_total")) + ")", legend: "{{kind}}"}},
			colours: []colour{fixed("/.*/", colourDatabase)},
		},
	}
}

func taxByResource() []query {
	var out []query
	for _, r := range []struct{ label, name string }{
		{"statement_time", "statement time"}, {"rows_written", "rows written"}, {"rows_examined", "rows examined"},
		{"lock_time", "lock time"}, {"cpu_time", "processor time"},
	} {
		out = append(out, query{expr: taxBound(r.label, "lower", "5m"), legend: r.name})
	}
	return out
}

func costPanels() []panel {
	return []panel{
		{
			kind: graph, title: "What does one token cost the database?", width: 8, stacked: true, unit: unitSeconds, need: needEndpoint,
			about: about{"Statement time per issued token by what the statements are for. Waiting for locks and disks is in it.",
				"collectors statements and endpoint.", "a rise at the same traffic: the tables grow, an index is missing, or the disk is slow.", "see rows examined on Token Persistence / Token tables."},
			queries: []query{{expr: perToken(by("job, purpose", ofDatabase("wso2_token_statement_seconds_total"))), legend: "{{purpose}}"}},
			colours: purposes(),
		},
		{
			kind: graph, title: "How many statements does one token take?", width: 8, stacked: true, unit: unitCount, axis: "statements", need: needEndpoint,
			about: about{"Token statements per issued token by what they are for.",
				"collectors statements and endpoint.", "more than a handful of persistence: retries on CON_APP_KEY, or look-ups by gateways.", "see statements by kind on Token Persistence / Token tables."},
			queries: []query{{expr: perToken(by("job, purpose", ofDatabase("wso2_token_statement_executions_total"))), legend: "{{purpose}}"}},
			colours: purposes(),
		},
		{
			kind: graph, title: "Which grants write rows?", width: 8, stacked: true, unit: unitCount, axis: "rows/s",
			need: "no token row was written in view: persistence may be off, or the exporter lacks --mysqld.address",
			about: about{"New rows of IDN_OAUTH2_ACCESS_TOKEN per second by grant type. None with persistence off.",
				"collector tokens.", "rows of a grant that nobody is known to use.", "find the application by its grants in the Dev Portal."},
			queries: []query{{expr: moving("grant_type", ofDatabase("wso2_token_rows_observed_total")), legend: "{{grant_type}}"}},
			colours: grantColours(),
		},
	}
}

// purposes colours what token statements are for.
func purposes() []colour {
	return []colour{
		fixed("persistence", colourOn), fixed("unclear", colourPossible), fixed("transaction", "#6E7681"), fixed("revocation", colourOff),
		fixed("authorization_code", "#B8BDC4"), fixed("monitoring", "#D6D9DD"),
	}
}

func trafficPanels() []panel {
	return []panel{
		{
			kind: graph, title: "How do token requests end?", width: 12, stacked: true, unit: unitCount, axis: "requests/s", need: needEndpoint,
			about: about{"Requests to /oauth2/token per second by status class, all nodes. unknown: the access log has no status.",
				"collector endpoint (access log).", "any 5xx; many 4xx are a client with wrong credentials.", "5xx: wso2carbon.log of that time. 4xx: the access log names the client's address."},
			queries: []query{{expr: by("code", allRequests), legend: "{{code}}"}},
			colours: []colour{fixed("2xx", colourGood), fixed("4xx", colourWarning), fixed("5xx", colourCritical), fixed("unknown", colourRest)},
		},
		{
			kind: graph, title: "How long does a token request take?", width: 12, unit: unitSeconds, limits: []string{"token_latency"}, need: needLatency,
			about: about{"Response time of /oauth2/token by API Manager's clock; the line is the alert's limit for p95.",
				"collector endpoint (access log with %D or %T).", "p95 above the line, or p99 that leaves p50 behind: a queue.", "who is the bottleneck, below."},
			queries: []query{
				{expr: quantile("0.5"), legend: "p50"}, {expr: quantile("0.95"), legend: "p95"}, {expr: quantile("0.99"), legend: "p99"},
			},
			colours: []colour{fixed("p50", colourAPIMPale), fixed("p95", colourAPIM), fixed("p99", colourAPIMDark)},
		},
	}
}

func bottleneckPanels() []panel {
	return []panel{
		{
			kind: graph, title: "Which host runs out of CPU first?", width: 8, unit: unitShare, share: true, limits: []string{"database_cpu_high", "database_cpu_saturated"}, need: needHosts,
			about: about{"CPU of API Manager and of the database on one axis; the lines are the database's limits.",
				"CloudWatch; values are averages of a period and minutes old.", "the host at its limit sets the pace; the other one's idle CPU helps nobody.", "persistence off moves work from the database to API Manager: see On against off."},
			queries: []query{
				{expr: "max by (ec2_instance) (" + apimCPU + ")", legend: "API Manager {{ec2_instance}}"},
				{expr: "max by (db_instance) (" + ofRDS("rds_cpu_utilization_ratio") + ")", legend: "database {{db_instance}}"},
			},
			colours: []colour{shadesOf("/^API Manager.*/", colourAPIM), shadesOf("/^database.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How near are the database's other limits?", width: 8, unit: unitShare, share: true, limits: []string{"database_connections"}, need: needDatabase,
			about: about{"Open connections of those admitted, and I/O operations of those that the storage allows.",
				"collector mysql; CloudWatch with --cloudwatch.rds-iops-limit.", "connections above the line: a node that restarts is refused. IOPS near 1: commits wait.", "see Token Persistence / Database saturation."},
			queries: []query{
				{expr: "max by (instance) (" + connectionShare() + ")", legend: "connections {{instance}}"},
				{expr: "max by (db_instance) (" + ofRDS("rds_total_iops") + " / " + ofRDS("rds_iops_limit") + ")", legend: "IOPS {{db_instance}}"},
			},
			colours: []colour{shadesOf("/^connections.*/", colourDBPale), shadesOf("/^IOPS.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How many statements run at once?", width: 8, unit: unitCount, axis: "sessions", limits: []string{"database_threads_running"}, need: needDatabase,
			about: about{"Sessions that execute a statement, the exporter's own included.",
				"collector mysql (Threads_running).", "above the line for minutes: statements wait for CPU, locks or disk.", "see row locks and latency on Token Persistence / Database saturation."},
			queries: []query{{expr: "avg_over_time(" + ofDatabase("mysql_threads_running") + "[$__rate_interval])", legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
	}
}
