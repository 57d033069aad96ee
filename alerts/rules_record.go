package main

// tokenTables selects IDN_OAUTH2_ACCESS_TOKEN and its partitions, which are
// named after user stores.
const tokenTables = `table=~"IDN_OAUTH2_ACCESS_TOKEN(_.+)?",table!~"IDN_OAUTH2_ACCESS_TOKEN_(AUDIT|SCOPE)(_.+)?"`

// recording is described at the head of rules.go.
//
// Two minutes hold two readings of everything that the exporter reads once a
// minute. What is counted in several places is taken from one of them: a reader
// and its writer, or two exporters of one database, show the same rows, and so
// the largest counts, not the sum. Requests belong to one node each and are summed.
func recording() group {
	return group{name: "record", records: append(errorRecords(), []record{
		{name: "token_persistence:job:tokens_issued:rate2m", expr: `
			sum without (instance, endpoint, method, code) (
				rate(wso2_token_endpoint_requests_total{endpoint="token",code="2xx"}[2m])
			)`},
		{name: "token_persistence:job:tokens_issued:rate30m", expr: `
			sum without (instance, endpoint, method, code) (
				rate(wso2_token_endpoint_requests_total{endpoint="token",code="2xx"}[30m])
			)`},

		rows("rows", `
			max without (instance) (sum without (grant_type) (
				rate(wso2_token_rows_observed_total[2m])
			))`),
		rows("table_io", `
			max without (instance) (sum without (table, operation) (
				rate(wso2_token_table_io_operations_total{operation="insert",`+tokenTables+`}[2m])
			))`),
		// Statements prove that rows are written, never that none are: prepared
		// statements may have no digest.
		rows("statements", `
			max without (instance) (sum without (kind, purpose) (
				rate(wso2_token_statement_executions_total{kind="insert_token"}[2m])
			)) > 0`),
		{name: "token_persistence:job:rows_per_token:ratio_rate2m", expr: `
			max without (source) (token_persistence:job:token_rows:rate2m)
				/ (token_persistence:job:tokens_issued:rate2m > <mode_tokens_per_second>)`},
		{name: "token_persistence:job:mode_logged:ratio", expr: `
			sum without (instance, mode) (wso2_token_persistence_log_mode{mode="on"})
				/ sum without (instance, mode) (wso2_token_persistence_log_mode)`},
		// What the nodes say, if they agree; else whether issued tokens leave rows;
		// else, without an access log, rows that are there all the same.
		{name: "token_persistence:job:mode", expr: `
			token_persistence:job:mode_logged:ratio == 1
				or token_persistence:job:mode_logged:ratio == 0
				or token_persistence:job:rows_per_token:ratio_rate2m >= bool <mode_rows_per_token>
				or (max without (source) (token_persistence:job:token_rows:rate2m) > <mode_tokens_per_second>) > bool 0`},

		{name: "token_persistence:job:tax:avg2m", expr: `
			max without (instance) (
				avg_over_time(wso2_token_tax_ratio[2m])
					unless on (job, instance) mysql_read_only == 1
			)`},
		{name: "token_persistence:job:database_cpu:max", expr: `
			max without (instance, db_instance) (rds_cpu_utilization_ratio)`},
		{name: "token_persistence:job:apim_cpu:avg", expr: `
			avg without (instance, ec2_instance, role) (ec2_cpu_utilization_ratio{role=<apim>})`},
		{name: "token_persistence:job:tax_cpu:ratio", expr: `
			(
				token_persistence:job:tax:avg2m{resource="cpu_time"}
					or ignoring (resource) token_persistence:job:tax:avg2m{resource="statement_time"}
			) * ignoring (resource, bound) group_left token_persistence:job:database_cpu:max`},
		{name: "token_persistence:job:statement_seconds_per_token:ratio_rate2m", expr: `
			max without (instance) (sum without (kind, purpose) (
				rate(wso2_token_statement_seconds_total{purpose="persistence"}[2m])
			)) / (token_persistence:job:tokens_issued:rate2m > <mode_tokens_per_second>)`},

		{name: "token_persistence:instance:table_bytes:sum", expr: `
			wso2_token_table_data_bytes + wso2_token_table_index_bytes`},
		{name: "token_persistence:instance:database_iops:ratio", expr: `
			rds_total_iops / rds_iops_limit`},
	}...)}
}

// rows is what one witness saw written to the token table per second.
func rows(source, expr string) record {
	return record{"token_persistence:job:token_rows:rate2m", map[string]string{"source": source}, expr}
}

// errorRecords are the windows of multi-window burn rates.
func errorRecords() []record {
	var out []record
	for _, window := range []string{"5m", "30m", "1h", "2h", "6h", "1d"} {
		out = append(out, record{name: "token_persistence:job:token_errors:ratio_rate" + window, expr: `
			sum without (instance, method, code, endpoint) (
				rate(wso2_token_endpoint_requests_total{endpoint="token",code="5xx"}[` + window + `])
			)
				/ (
					sum without (instance, method, code, endpoint) (
						rate(wso2_token_endpoint_requests_total{endpoint="token"}[` + window + `])
					) > <error_traffic_guard>
				)`})
	}
	return out
}
