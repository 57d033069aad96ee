package thresholds

const (
	mib = 1 << 20
	gib = 1 << 30
)

// table is every limit, in the order of the alert groups. To add one, add a row.
var table = []Threshold{
	// How persistence is recognised. Guards against deciding from too little.
	{"mode_tokens_per_second", 0.1, "per second", false, Info, "Below it two minutes hold too few tokens to tell the mode from.", "ours"},
	{"mode_rows_per_token", 0.05, "ratio", false, Info, "Rows per issued token from which on persistence counts as on: off writes none, and on writes one unless an opaque token is given out again.", "WSO2 identity-inbound-auth-oauth, insertAccessToken"},

	// The exporter itself.
	{"collector_success", 0.5, "ratio", true, Warning, "A collector that fails in more than half of a quarter of an hour's scrapes leaves panels and alerts blind.", "ours"},
	{"cloudwatch_age", 1200, "seconds", false, Warning, "A datapoint of a 60 s period is at most 4 minutes old, one of a 5 min period at most 13.", "--cloudwatch.period, --cloudwatch.delay"},
	{"cloudwatch_throttled", 0.1, "ratio", false, Warning, "Share of scrapes that found CloudWatch throttling; a single refusal is retried and missed by nobody.", "ours"},
	{"cloudwatch_cost", 50, "USD", false, Info, "Per exporter in 30 days at 0.01 USD per 1,000 metrics: six RDS instances at a period of 60 s.", "https://aws.amazon.com/cloudwatch/pricing/"},
	{"log_guard", 0.1, "per second", false, Warning, "Lines per second below which one odd line would decide.", "ours"},
	{"log_unparsed", 0.1, "ratio", false, Warning, "Lines that do not parse are requests that nobody counts.", "ours"},

	// The database: up, and near its limits.
	{"database_uptime", 900, "seconds", true, Warning, "A server that has run for less has just been started.", "ours"},
	{"database_cpu_saturated", 0.9, "ratio", false, Critical, "From here on response time grows faster than load: at 90 % of a server half as much work again cannot be had.", "queueing theory; AWS, Best practices for Amazon RDS"},
	{"cloudwatch_late", 480, "seconds", false, Critical, "Twice the age of a datapoint of a 60 s period: older ones are repeated, not confirmed.", "--cloudwatch.period, --cloudwatch.delay"},
	{"database_cpu_high", 0.8, "ratio", false, Warning, "Half an hour at this level leaves no room for a peak or a failover.", "AWS Trusted Advisor; ours"},
	{"database_iops_saturated", 0.95, "ratio", false, Critical, "Short window, of --cloudwatch.rds-iops-limit: the storage throttles at 100 %.", "AWS, Amazon RDS DB instance storage"},
	{"database_iops_high", 0.8, "ratio", false, Warning, "Long window, of --cloudwatch.rds-iops-limit: no room for a peak, a backup or a purge.", "AWS, Amazon RDS DB instance storage"},
	{"database_disk_latency", 0.02, "seconds", false, Warning, "gp3 and io2 answer in single-digit milliseconds.", "AWS, Amazon EBS volume types"},
	{"database_disk_iops_guard", 50, "per second", false, Warning, "Below it the average latency is that of a handful of operations.", "ours"},
	{"database_disk_queue", 32, "operations", false, Warning, "Operations that wait; a volume of 10,000 IOPS at 1 ms holds ten.", "Little's law; ours"},
	{"database_io_credits", 0.2, "ratio", true, Warning, "When burst credits end the volume or the instance falls to its baseline at once.", "AWS, EBS-optimized instances"},
	{"database_io_credits_draining", 0.7, "ratio", true, Warning, "Credits that will end within four hours at the hour's slope; above this level the slope may be a short peak's.", "ours"},
	{"database_storage_free", 5 * gib, "bytes", true, Critical, "A full volume stops the instance (storage-full) and with it every token request that writes.", "AWS, Troubleshooting for Amazon RDS"},
	{"database_storage_horizon", 345_600, "seconds", true, Warning, "Four days: enough to grow the volume in working hours, a long weekend included.", "ours"},
	{"database_memory_free", 200 * mib, "bytes", true, Warning, "Memory that the operating system can still give away.", "ours"},
	{"database_swap_growth", 64 * mib, "bytes", false, Warning, "Per hour. Swap in use is harmless, swap that grows is not.", "AWS, swap memory on RDS for MySQL"},
	{"database_connections", 0.85, "ratio", false, Warning, "Of max_connections: above it a restart of one API Manager node, which opens its pool anew, is refused.", "mysqld-mixin (80 %); ours"},
	{"database_connections_refused", 5, "connections", false, Critical, "In 5 minutes: fewer may be one tool that asked for too many.", "ours"},
	{"database_threads_running", 32, "sessions", false, Warning, "Statements that run at once, on average over ten minutes; far more than the cores of the usual instance classes.", "Percona; ours"},
	{"database_row_lock_waits", 2, "sessions", false, Warning, "Seconds waited per second is how many sessions wait for a row lock on average.", "ours"},
	{"database_deadlocks", 15, "deadlocks", false, Warning, "In 15 minutes: each is a transaction that was thrown away.", "product-apim #9342; ours"},
	{"database_history_list", 1e6, "undo logs", false, Warning, "Purge cannot keep up or a transaction is left open; reads slow down.", "mysqld-mixin and Percona; ours"},
	{"database_buffer_pool_misses", 0.02, "ratio", false, Warning, "Reads that go to disk; a pool that holds the token indexes stays below 1 %.", "mysqld-mixin; ours"},
	{"database_buffer_pool_reads", 200, "per second", false, Warning, "Below it misses cost little, whatever their share.", "ours"},
	{"database_log_waits", 1, "per second", false, Warning, "Innodb_log_waits should stay near 0: the log buffer is too small for the write load.", "MySQL manual, innodb_log_buffer_size"},

	// Token tables.
	{"token_table_rows", 500_000, "rows", false, Warning, "Token requests took 20 to 30 s at this size on a server that was too small.", "wso2/api-manager#4402"},
	{"token_table_bytes", 1 * gib, "bytes", false, Warning, "The size at which the same installation broke.", "wso2/api-manager#4402"},
	{"token_table_growth", 2 * gib, "bytes/day", false, Warning, "About a million rows a day at 2 kB each, kept.", "wso2/api-manager#4402; ours"},
	{"expired_backlog_rows", 100_000, "rows", false, Warning, "Ten batches of WSO2_TOKEN_CLEANUP_SP; below it a share says little.", "mysql-token-cleanup.sql, batchSize 10000"},
	{"expired_backlog_share", 0.5, "ratio", false, Warning, "Half of the token table is rows that the cleanup would remove.", "ours"},
	{"cleanup_growth", 1.2, "times", false, Warning, "More rows to clean than at the same time yesterday, and than that the day before.", "ours"},
	{"audit_table_bytes", 5 * gib, "bytes", false, Warning, "Nothing reads the audit table and nothing empties it.", "product-is #5274, #9280; ours"},
	{"revoked_rows", 1e6, "rows", false, Warning, "Gateways load AM_REVOKED_JWT at start and ran out of memory at 1.5 million rows; nothing empties IDN_INVALID_TOKENS.", "product-apim #11541; apim-km-wso2is 429163b"},
	{"rows_examined_per_statement", 1000, "rows", false, Warning, "Every token statement finds its rows by an index; thousands mean a scan.", "product-is #11037, #3560"},
	{"rows_examined_guard", 0.1, "per second", false, Warning, "Statements per second below which one odd statement would decide.", "ours"},
	{"insert_errors", 0.05, "ratio", false, Warning, "Share of token inserts that failed, mostly on CON_APP_KEY.", "OAuth.TokenPersistence.RetryCount; ours"},
	{"writes_per_token", 6, "statements", false, Warning, "A refresh with cleanup and audit needs four writes per token row, every other grant fewer.", "identity-inbound-auth-oauth, RefreshGrantHandler"},

	// Traffic.
	{"issuance_stopped", 0.05, "ratio", true, Critical, "Of the tokens per second of the same time in the last weeks: no holiday is as quiet.", "ours"},
	{"issuance_drop", 0.3, "ratio", true, Warning, "Of the tokens per second of the same time in the last weeks; a public holiday may be as quiet.", "ours"},
	{"issuance_drop_guard", 1, "per second", false, Critical, "Earlier weeks' tokens per second below which a drop may be chance.", "ours"},
	{"token_latency_guard", 1, "per second", false, Warning, "Token requests per second below which a percentile is that of a handful.", "ours"},
	{"issuance_spike", 3, "times", false, Warning, "Of the tokens per second of the same time in the last weeks.", "ours"},
	{"issuance_spike_guard", 10, "per second", false, Warning, "Tokens per second below which a rise does no harm.", "ours"},
	{"error_objective", 0.001, "ratio", false, Critical, "Error budget: one token request in a thousand may end in a 5xx.", "ours"},
	{"error_burn_fast", 14.4, "times", false, Critical, "2 % of a month's error budget in an hour.", "Google SRE Workbook, chapter 5"},
	{"error_burn_medium", 6, "times", false, Critical, "5 % of a month's error budget in six hours.", "Google SRE Workbook, chapter 5"},
	{"error_burn_slow", 3, "times", false, Warning, "10 % of a month's error budget in a day.", "Google SRE Workbook, chapter 5"},
	{"error_traffic_guard", 0.1, "per second", false, Critical, "Requests per second below which a single error would burn the budget.", "Google SRE Workbook, chapter 5, low-traffic services"},
	{"token_latency", 1, "seconds", false, Warning, "95th percentile of token requests; the published runs took 0.1 to 0.3 s on average at saturation.", "WSO2's published runs, N = X·R"},

	// Who is the bottleneck.
	{"bottleneck_busy", 0.8, "ratio", false, Info, "CPU of the host that limits throughput.", "ours"},
	{"bottleneck_idle", 0.5, "ratio", false, Info, "CPU of the host that does not.", "ours"},
	{"tax_high", 0.5, "ratio", false, Info, "Share of the database's statement time that persistence causes, lower bound.", "ADR 0014; ours"},
	{"tax_cpu_guard", 0.5, "ratio", false, Info, "Database CPU below which a large share is of little.", "ours"},
}
