package main

// Recording rules. The second part of a name is its level: job is one
// installation of API Manager with its database, that is everything but
// `instance` taken together (`without (instance)`); instance is one exporter.
// Several installations under one job need a target label that tells them
// apart; it survives in every rule.
//
//	name                                              labels beside job    what it is
//	token_persistence:job:mode                        -                    1 persistence on, 0 off, absent unknown
//	token_persistence:job:mode_logged:ratio           -                    share of API Manager nodes whose log says on; between 0 and 1 they disagree
//	token_persistence:job:rows_per_token:ratio_rate2m -                    rows written to IDN_OAUTH2_ACCESS_TOKEN per issued token; absent below mode_tokens_per_second
//	token_persistence:job:token_rows:rate2m           source               rows written per second, by who saw them: rows, table_io, statements
//	token_persistence:job:tokens_issued:rate2m        -                    tokens issued per second, all nodes, either mode (access log)
//	token_persistence:job:tokens_issued:rate30m       -                    the same over half an hour
//	token_persistence:job:tax:avg2m                   resource, bound      wso2_token_tax_ratio of the writer, two minutes' mean
//	token_persistence:job:tax_cpu:ratio               resource, bound      share of the database's vCPUs that persistence takes: tax on cpu_time, or else on statement_time, times database_cpu:max
//	token_persistence:job:statement_seconds_per_token:ratio_rate2m  -      seconds of the database's statement time that persistence costs per issued token
//	token_persistence:job:database_cpu:max            -                    rds_cpu_utilization_ratio, the busiest instance
//	token_persistence:job:apim_cpu:avg                -                    ec2_cpu_utilization_ratio of role apim, mean of the nodes
//	token_persistence:job:token_errors:ratio_rate5m   -                    5xx per request to the token endpoint; also 30m, 1h, 2h, 6h, 1d; absent below error_traffic_guard
//	token_persistence:instance:table_bytes:sum        instance, table      data and indexes of a token table
//	token_persistence:instance:database_iops:ratio    instance, db_instance  rds_total_iops over rds_iops_limit
//
// Mode and tax are absent, never 0, where nothing tells them.

// groups is every rule, by file. To add one, add a row to a group, a page to
// runbooks/ and its cases to tests/.
func groups() []group {
	return []group{
		recording(), exporterAlerts(), databaseAlerts(), storageAlerts(),
		tableAlerts(), trafficAlerts(), issuanceAlerts(), bottleneckAlerts(),
	}
}
