package main

// tables shows what persistence leaves behind.
func tables() board {
	return board{
		name: "tables", title: "Token tables",
		question: "How large are the token tables, how fast do they grow, and does the cleanup keep up?",
		lines: []line{
			{height: 4, panels: tableTiles()},
			{section: "What is in the token table?", height: 8, panels: rowPanels()},
			{section: "What happens to the rows?", height: 9, panels: operationPanels()},
			{section: "How large are the tables?", height: 8, panels: sizePanels()},
			{section: "Do statements find their rows?", height: 9, panels: indexPanels()},
		},
	}
}

const day = "86400"

// largeTables are those that tokens fill.
const largeTables = "IDN_OAUTH2_ACCESS_TOKEN|IDN_OAUTH2_ACCESS_TOKEN_AUDIT|IDN_OAUTH2_ACCESS_TOKEN_SCOPE|IDN_INVALID_TOKENS|AM_REVOKED_JWT"

// tokenTable selects the token table and its partitions.
func tokenTable(metric string) string { return ofDatabase(metric, tokenTables) }

func tableBytes(matchers ...string) string {
	return ofDatabase("wso2_token_table_data_bytes", matchers...) + " + " + ofDatabase("wso2_token_table_index_bytes", matchers...)
}

// growth is bytes per day over the last hour.
func growth(matchers ...string) string {
	return day + " * (deriv(" + ofDatabase("wso2_token_table_data_bytes", matchers...) + "[1h]) + deriv(" + ofDatabase("wso2_token_table_index_bytes", matchers...) + "[1h]))"
}

// drain is how long the backlog lasts at the pace at which it has fallen in the
// last hour. never stands for a backlog that does not fall.
func drain() string {
	backlog := ofDatabase("wso2_token_census_cleanable_rows")
	return "clamp_max(max(" + backlog + " / clamp_min(-deriv(" + backlog + "[1h]), 1e-9)), " + never + ")"
}

const never = "315360000" // ten years in seconds

func tableTiles() []panel {
	return []panel{
		{
			kind: stat, title: "Rows, token table", width: 4, unit: unitCount, digits: digits(1), limits: []string{"token_table_rows"}, need: needDatabase,
			about:   about{"Rows of IDN_OAUTH2_ACCESS_TOKEN and its partitions as InnoDB estimates them; it may be off by half.", "collector tablesize.", "others have failed at the alert's limit (wso2/api-manager#4402).", "look at the backlog and at the cleanup."},
			queries: []query{{expr: "max(sum by (job, instance) (" + tokenTable("wso2_token_table_rows_estimated") + "))"}},
		},
		{
			kind: stat, title: "Size, all tables", width: 4, unit: unitBytes, digits: digits(1), plain: true, need: needDatabase,
			about:   about{"Rows and indexes of all token tables.", "collector tablesize.", "more than the buffer pool holds.", "see which table below."},
			queries: []query{{expr: "max(sum by (job, instance) (" + tableBytes() + "))"}},
		},
		{
			kind: stat, title: "Growth per day", width: 4, unit: unitBytes, digits: digits(1), limits: []string{"token_table_growth"}, need: needDatabase,
			about:   about{"At the pace of the last hour, all token tables.", "collector tablesize; InnoDB allocates in steps.", "above the alert's limit.", "see which table below, and whether the cleanup runs."},
			queries: []query{{expr: "max(sum by (job, instance) (" + growth() + "))"}},
		},
		{
			kind: stat, title: "Expired backlog", width: 4, unit: "suffix:rows", digits: digits(0), limits: []string{"expired_backlog_rows"}, need: needCensus,
			about:   about{"Rows that WSO2_TOKEN_CLEANUP_SP as shipped would remove.", "collector census, a pass every ten minutes.", "a backlog that grows from day to day.", "schedule the procedure; see the runbook of TokenPersistenceExpiredBacklog."},
			queries: []query{{expr: "max(" + ofDatabase("wso2_token_census_cleanable_rows") + ")"}},
		},
		{
			kind: stat, title: "Time to drain", width: 4, unit: "dtdurations", plain: true, need: needCensus,
			about:   about{"How long the backlog lasts at the pace at which it has fallen in the last hour.", "collector census.", "never: it stands or grows.", "run the cleanup, in smaller batches and more often."},
			queries: []query{{expr: drain()}},
			words:   []word{{value: 315360000, text: "never at this pace", colour: colourWarning}},
		},
		{
			kind: stat, title: "Missing indexes", width: 4, digits: digits(0), need: needSchema,
			about:   about{"Indexes of the product's definitions that are not there.", "collector schema.", "any: statements read whole tables.", "see which below; create them as the product's script does."},
			queries: []query{{expr: "sum(1 - " + ofDatabase("wso2_token_schema_index_present") + ")"}},
			words:   []word{{value: 0, text: "none", colour: colourGood}, {value: 1, orMore: true, colour: colourWarning}},
		},
	}
}

func rowPanels() []panel {
	return []panel{
		{
			kind: graph, title: "In which state are the rows?", width: 8, stacked: true, unit: unitCount, need: needCensus,
			about:   about{"Rows of IDN_OAUTH2_ACCESS_TOKEN by state, counted.", "collector census, a pass every ten minutes.", "mostly EXPIRED, INACTIVE or REVOKED: nobody cleans up.", "see backlog and time to drain."},
			queries: []query{{expr: "sum by (state) (" + ofDatabase("wso2_token_census_rows") + ")", legend: "{{state}}"}},
			colours: []colour{shadesOf("/.*/", colourRest), fixed("ACTIVE", colourOn)},
		},
		{
			kind: graph, title: "Which grants do they come from?", width: 8, stacked: true, unit: unitCount, need: needCensus,
			about:   about{"Rows of IDN_OAUTH2_ACCESS_TOKEN by grant type, counted.", "collector census.", "a grant with many rows and few users: tokens that are never used again.", "reuse tokens until they expire, or issue them without a new device scope each time."},
			queries: []query{{expr: "sum by (grant_type) (" + ofDatabase("wso2_token_census_rows") + ")", legend: "{{grant_type}}"}},
			colours: grantColours(),
		},
		{
			kind: graph, title: "How many rows are dead?", width: 8, unit: unitCount, limits: []string{"expired_backlog_rows"}, need: needCensus,
			about: about{"Rows that the cleanup would remove, and ACTIVE rows whose token has expired; the line is the alert's limit. Event-driven cleanup never reaches expired rows that nobody uses again.",
				"collector census.", "a backlog that grows.", "schedule WSO2_TOKEN_CLEANUP_SP."},
			queries: []query{
				{expr: "sum(" + ofDatabase("wso2_token_census_cleanable_rows") + ")", legend: "removable"},
				{expr: "sum(" + ofDatabase("wso2_token_census_expired_active_rows") + ")", legend: "ACTIVE though expired"},
			},
			colours: []colour{fixed("removable", colourDatabase), fixed("ACTIVE though expired", colourDBPale)}, sums: []string{"lastNotNull"},
		},
	}
}

func operationPanels() []panel {
	operations := func(title, operation, act string, width int, colours []colour) panel {
		return panel{
			kind: graph, title: title, width: width, stacked: true, unit: unitCount, axis: "rows/s", hues: palette, need: needTableIO,
			about:   about{"Row operations per second by table, those rolled back included.", "collector tableio (performance_schema).", "tables that move without token traffic.", act},
			queries: []query{{expr: moving("table", ofDatabase("wso2_token_table_io_operations_total", `operation="`+operation+`"`)), legend: "{{table}}"}},
			colours: colours,
		}
	}
	return []panel{
		operations("Inserts", "insert", "see which grants on Token Persistence / Overview.", 8, tableColours()),
		operations("Updates", "update", "states change when tokens are renewed, revoked or expire.", 8, tableColours()),
		operations("Deletes", "delete", "compare with inserts: the difference stays.", 8, tableColours()),
	}
}

func sizePanels() []panel {
	return []panel{
		{
			kind: graph, title: "Rows and indexes", width: 9, stacked: true, unit: unitBytes, hues: palette, need: needDatabase,
			about: about{"Bytes allocated to rows and indexes by table.", "collector tablesize.", "the token table above 1 GiB; an audit table that nobody empties.", "see backlog; empty the audit table by date."},
			queries: []query{
				{expr: "sum by (table) (" + tableBytes(`table=~"`+largeTables+`"`) + ")", legend: "{{table}}"},
				{expr: "sum(" + tableBytes(`table!~"`+largeTables+`"`) + ")", legend: "others"},
			},
			colours: append(tableColours(), fixed("others", colourRest)),
		},
		{
			kind: bars, title: "Growth per day at the pace of the last hour", width: 8, unit: unitBytes, digits: digits(1), above: true, need: needDatabase,
			about:   about{"Bytes per day by table, the five that grow most. A table that shrinks has no bar.", "collector tablesize.", "the audit copy or the revocations: nothing empties them.", "retain_access_tokens_for_auditing=false, or a job that deletes by date."},
			queries: []query{{expr: "topk(5, sum by (table) (" + growth() + "))", legend: "{{table}}"}},
			colours: []colour{fixed("/.*/", colourDatabase)},
		},
		{
			kind: graph, title: "Tables that nothing empties", width: 7, unit: unitCount, limits: []string{"revoked_rows"}, need: needDatabase,
			about:   about{"Rows, as InnoDB estimates them, of the audit copy and of the two tables of revoked tokens; the line is the alert's limit for the latter.", "collector tablesize.", "AM_REVOKED_JWT past the line: gateways load it at start.", "delete rows whose token has expired: see census below."},
			queries: []query{{expr: "max by (table) (" + ofDatabase("wso2_token_table_rows_estimated", `table=~"IDN_OAUTH2_ACCESS_TOKEN_AUDIT|IDN_INVALID_TOKENS|AM_REVOKED_JWT"`) + ")", legend: "{{table}}"}},
			colours: tableColours()[2:],
		},
	}
}

func indexPanels() []panel {
	examined := rate(ofDatabase("wso2_token_statement_rows_examined_total", `purpose="persistence"`))
	run := rate(ofDatabase("wso2_token_statement_executions_total", `purpose="persistence"`))
	return []panel{
		{
			kind: graph, title: "How many rows does a statement read?", width: 7, unit: unitCount, hues: palette, limits: []string{"rows_examined_per_statement"}, far: true, need: needPerformers,
			about:   about{"Rows that the storage engine read per statement, by kind; the line is the alert's limit.", "collector statements.", "thousands: no index, or very many tokens of one application, user and scope.", "see the indexes beside; clean up."},
			queries: []query{{expr: "sum by (kind) (" + examined + ") / (sum by (kind) (" + run + ") > 0)", legend: "{{kind}}"}},
		},
		{
			kind: graph, title: "How often does CON_APP_KEY refuse a token?", width: 7, unit: unitEach, need: needPerformers,
			about: about{"Inserts of tokens that failed, and what API Manager's log says of the retries.", "collectors statements and carbonlog.", "exhausted: the request failed.", "fewer requests at a time for one application, user and scope; see the runbook of TokenPersistenceConAppKeyExhausted."},
			queries: []query{
				{expr: "sum(" + rate(ofDatabase("wso2_token_statement_errors_total", `kind="insert_token"`)) + ")", legend: "inserts that failed"},
				{expr: by("outcome", ofJob("wso2_token_con_app_key_violations_total")), legend: "log: {{outcome}}"},
			},
			colours: []colour{fixed("inserts that failed", colourDatabase), fixed("log: retry", colourAPIMPale), fixed("log: recovered", colourAPIM), fixed("log: exhausted", colourCritical)},
		},
		{
			kind: table, title: "Are the product's indexes there?", width: 10, need: needSchema,
			about:   about{"Indexes of the product's definitions, under their name or over the same columns under another.", "collector schema. An index that the account cannot see is not listed.", "missing.", "create it as the product's script does; on a large table at a quiet hour."},
			queries: []query{{expr: "sort(min by (table, index) (" + ofDatabase("wso2_token_schema_index_present") + "))"}},
			columns: []column{
				{field: "table", heading: "Table"}, {field: "index", heading: "Index"},
				{field: "Value", heading: "There", width: 70, words: []word{{value: 1, text: "yes", colour: colourGood}, {value: 0, text: "MISSING", colour: colourCritical}}},
			},
		},
	}
}
