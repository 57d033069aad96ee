package main

import (
	"slices"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

// databaseAlerts are about MySQL and its host. rds_* are averages of
// a minute or more that arrive three minutes late, and stay until the next one:
// never rate() them, and keep firing over a gap. An average outlives its
// samples; "and" with the series ends it with them.
func databaseAlerts() group {
	return group{name: "database", alerts: slices.Concat(reachAlerts(), hostAlerts(), sessionAlerts(), innodbAlerts())}
}

func reachAlerts() []alert {
	return []alert{
		// The class tells a database that is away, or hangs, from an account that is
		// refused. max: one scrape that succeeds ends it.
		{
			name: "TokenPersistenceDatabaseDown", severity: thresholds.Critical, wait: "1m", keep: "1m", dashboard: "saturation",
			expr: `
				max_over_time(token_persistence_exporter_collector_success{collector="mysql"}[2m]) == 0
					and on (job, instance)
					increase(token_persistence_exporter_collector_failures_total{collector="mysql",class=~"connection|timeout"}[5m]) > 0`,
			summary:     "The token database cannot be reached.",
			description: "{{ $labels.instance }} gets no connection to its database. With persistence on every token request fails; with it off refreshing, revoking and introspection do, and what no cache holds.",
		},
		// Seen before: a database that has just been set up is no news.
		{
			name: "TokenPersistenceDatabaseRestarted", severity: thresholds.Warning, wait: "1m", keep: "5m", dashboard: "saturation",
			expr: `
				mysql_uptime_seconds < <database_uptime>
					and on (job, instance) (mysql_uptime_seconds offset 20m)`,
			summary:     "The token database has restarted.",
			description: "The server behind {{ $labels.instance }} has been up for {{ $value | humanizeDuration }}.",
		},
	}
}

func hostAlerts() []alert {
	return []alert{
		{
			name: "TokenPersistenceDatabaseSaturated", severity: thresholds.Critical, wait: "5m", keep: "5m", dashboard: "saturation",
			// The exporter repeats the last value while CloudWatch is late: one bad minute
			// would page. A period of 3 minutes or more is late by itself.
			expr: `
				rds_cpu_utilization_ratio > <database_cpu_saturated>
					unless ignoring (metric) (
						time() - rds_datapoint_timestamp_seconds{metric="CPUUtilization"} > <cloudwatch_late>
							and changes(rds_datapoint_timestamp_seconds{metric="CPUUtilization"}[15m]) > 5
					)`,
			summary:     "The token database has no CPU left.",
			description: "{{ $labels.db_instance }} uses {{ $value | humanizePercentage }} of its vCPUs (limit <database_cpu_saturated>): token requests queue.",
		},
		{
			name: "TokenPersistenceDatabaseCPUHigh", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "saturation",
			expr:        `avg_over_time(rds_cpu_utilization_ratio[30m]) > <database_cpu_high> and rds_cpu_utilization_ratio`,
			summary:     "The token database is short of CPU.",
			description: "{{ $labels.db_instance }} used {{ $value | humanizePercentage }} of its vCPUs over 30 minutes (limit <database_cpu_high>).",
		},
		// Either alone is usual: MySQL takes what memory there is, and pages that
		// nobody needs go to swap.
		{
			name: "TokenPersistenceDatabaseMemoryLow", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "saturation",
			expr: `
				rds_freeable_memory_bytes < <database_memory_free>
					and delta(rds_swap_usage_bytes[1h]) > <database_swap_growth>`,
			summary:     "The token database runs out of memory.",
			description: "{{ $labels.db_instance }} has {{ $value | humanize1024 }}B of memory left (limit <database_memory_free>) and swaps more and more.",
		},
	}
}

func sessionAlerts() []alert {
	return []alert{
		{
			name: "TokenPersistenceDatabaseConnectionsRefused", severity: thresholds.Critical, wait: "1m", keep: "5m", dashboard: "saturation",
			expr:        `increase(mysql_connection_errors_total{error="max_connections"}[5m]) > <database_connections_refused>`,
			summary:     "The token database refuses connections.",
			description: "The server behind {{ $labels.instance }} refused {{ $value | humanize }} connections in 5 minutes, because max_connections were open.",
		},
		{
			name: "TokenPersistenceDatabaseConnectionsHigh", severity: thresholds.Warning, wait: "10m", keep: "5m", dashboard: "saturation",
			expr:        `mysql_threads_connected / mysql_connections_max > <database_connections>`,
			summary:     "The token database has few connections left.",
			description: "{{ $value | humanizePercentage }} of the connections that the server behind {{ $labels.instance }} admits are open (limit <database_connections>).",
		},
		{
			name: "TokenPersistenceDatabaseThreadsRunning", severity: thresholds.Warning, wait: "10m", keep: "10m", dashboard: "saturation",
			expr:        `avg_over_time(mysql_threads_running[10m]) > <database_threads_running> and mysql_threads_running`,
			summary:     "Statements pile up in the token database.",
			description: "{{ $value | humanize }} statements run at once in the server behind {{ $labels.instance }} (limit <database_threads_running>).",
		},
		{
			name: "TokenPersistenceDatabaseRowLocks", severity: thresholds.Warning, wait: "10m", keep: "10m", dashboard: "saturation",
			expr:        `rate(mysql_innodb_row_lock_wait_seconds_total[10m]) > <database_row_lock_waits>`,
			summary:     "Sessions of the token database wait for row locks.",
			description: "On average {{ $value | humanize }} sessions of the server behind {{ $labels.instance }} wait for a row lock (limit <database_row_lock_waits>).",
		},
		// On MySQL only for an exporter account with PROCESS.
		{
			name: "TokenPersistenceDatabaseDeadlocks", severity: thresholds.Warning, wait: "5m", keep: "15m", dashboard: "saturation",
			expr:        `increase(mysql_innodb_deadlocks_total[15m]) > <database_deadlocks>`,
			summary:     "Transactions of the token database deadlock.",
			description: "{{ $value | humanize }} deadlocks in 15 minutes in the server behind {{ $labels.instance }} (limit <database_deadlocks>).",
		},
	}
}

func innodbAlerts() []alert {
	return []alert{
		// On MySQL only for an exporter account with PROCESS.
		{
			name: "TokenPersistenceDatabaseHistoryList", severity: thresholds.Warning, wait: "30m", keep: "15m", dashboard: "saturation",
			expr:        `mysql_innodb_history_list_length > <database_history_list>`,
			summary:     "The token database does not purge old row versions.",
			description: "{{ $value | humanize }} undo logs wait for purge in the server behind {{ $labels.instance }} (limit <database_history_list>).",
		},
		// A pool that has just been emptied by a restart fills by misses.
		{
			name: "TokenPersistenceDatabaseBufferPool", severity: thresholds.Warning, wait: "30m", keep: "15m", dashboard: "saturation",
			expr: `
				rate(mysql_innodb_buffer_pool_reads_total[15m]) / rate(mysql_innodb_buffer_pool_read_requests_total[15m])
					> <database_buffer_pool_misses>
					and rate(mysql_innodb_buffer_pool_reads_total[15m]) > <database_buffer_pool_reads>
					unless on (job, instance) mysql_uptime_seconds < 3600`,
			summary:     "The token database's buffer pool is too small for its load.",
			description: "{{ $value | humanizePercentage }} of the page reads of the server behind {{ $labels.instance }} go to disk (limit <database_buffer_pool_misses>).",
		},
		{
			name: "TokenPersistenceDatabaseLogWaits", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "saturation",
			expr:        `rate(mysql_innodb_log_waits_total[15m]) > <database_log_waits>`,
			summary:     "The token database waits for its redo log buffer.",
			description: "{{ $value | humanize }} times a second a write in the server behind {{ $labels.instance }} waits for the log buffer (limit <database_log_waits>).",
		},
	}
}
