package main

import (
	"slices"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

// tableAlerts are about what persistence leaves behind. Tables grow over days:
// none of these pages.
func tableAlerts() group {
	return group{name: "tables", alerts: slices.Concat(sizeAlerts(), statementAlerts())}
}

func sizeAlerts() []alert {
	return []alert{
		// InnoDB's estimate jumps; an hour and six keep it from flapping.
		{
			name: "TokenPersistenceTokenTableLarge", severity: thresholds.Warning, wait: "1h", keep: "6h", dashboard: "tables",
			expr: `
				wso2_token_table_rows_estimated{` + tokenTables + `} > <token_table_rows>
					or token_persistence:instance:table_bytes:sum{` + tokenTables + `} > <token_table_bytes>`,
			summary:     "The token table is so large that others have failed at its size.",
			description: "{{ $labels.table }} has about <token_table_rows> or takes <token_table_bytes>, or more.",
		},
		{
			name: "TokenPersistenceTokenTableGrowing", severity: thresholds.Warning, wait: "1h", keep: "1h", dashboard: "tables",
			expr: `
				deriv(token_persistence:instance:table_bytes:sum[6h]) * 86400 > <token_table_growth>
					and token_persistence:instance:table_bytes:sum offset 6h`,
			summary:     "A token table grows fast.",
			description: "{{ $labels.table }} grew at a pace of {{ $value | humanize1024 }}B a day over 6 hours (limit <token_table_growth>).",
		},
		{
			name: "TokenPersistenceExpiredBacklog", severity: thresholds.Warning, wait: "1h", keep: "1h", dashboard: "tables",
			expr: `
				wso2_token_census_cleanable_rows / sum without (grant_type, state) (wso2_token_census_rows) > <expired_backlog_share>
					and wso2_token_census_cleanable_rows > <expired_backlog_rows>`,
			summary:     "Most rows of the token table are dead.",
			description: "{{ $value | humanizePercentage }} of the token rows that {{ $labels.instance }} sees would be removed by the cleanup procedure.",
		},
		// The same hour of three days: a nightly cleanup makes a saw tooth.
		{
			name: "TokenPersistenceCleanupNotKeepingUp", severity: thresholds.Warning, wait: "1h", keep: "2h", dashboard: "tables",
			expr: `
				wso2_token_census_cleanable_rows > <cleanup_growth> * (wso2_token_census_cleanable_rows offset 1d)
					and (wso2_token_census_cleanable_rows offset 1d) > <cleanup_growth> * (wso2_token_census_cleanable_rows offset 2d)
					and wso2_token_census_cleanable_rows > <expired_backlog_rows>`,
			summary:     "The cleanup of token rows does not keep up.",
			description: "{{ $value | humanize }} rows wait for cleanup, over a fifth more than yesterday, when it was over a fifth more than the day before.",
		},
		{
			name: "TokenPersistenceAuditTableLarge", severity: thresholds.Warning, wait: "1h", keep: "6h", dashboard: "tables",
			expr:        `token_persistence:instance:table_bytes:sum{table="IDN_OAUTH2_ACCESS_TOKEN_AUDIT"} > <audit_table_bytes>`,
			summary:     "The audit copy of old tokens is large.",
			description: "{{ $labels.table }} takes {{ $value | humanize1024 }}B (limit <audit_table_bytes>). Nothing empties it.",
		},
		{
			name: "TokenPersistenceRevokedTokensLarge", severity: thresholds.Warning, wait: "1h", keep: "6h", dashboard: "tables",
			expr:        `wso2_token_table_rows_estimated{table=~"IDN_INVALID_TOKENS|AM_REVOKED_JWT"} > <revoked_rows>`,
			summary:     "A table of revoked tokens is large.",
			description: "{{ $labels.table }} has about {{ $value | humanize }} rows (limit <revoked_rows>).",
		},
	}
}

func statementAlerts() []alert {
	return []alert{
		{
			name: "TokenPersistenceIndexMissing", severity: thresholds.Warning, wait: "30m", keep: "30m", dashboard: "tables",
			expr:        `wso2_token_schema_index_present == 0`,
			summary:     "A token table lacks an index that its statements need.",
			description: "{{ $labels.table }} has no usable index {{ $labels.index }}: statements that need it read the whole table.",
		},
		{
			name: "TokenPersistenceRowsExamined", severity: thresholds.Warning, wait: "30m", keep: "15m", dashboard: "tables",
			expr: `
				rate(wso2_token_statement_rows_examined_total{purpose="persistence",kind!="cleanup"}[30m])
					/ (rate(wso2_token_statement_executions_total{purpose="persistence",kind!="cleanup"}[30m]) > <rows_examined_guard>)
					> <rows_examined_per_statement>`,
			summary:     "A token statement reads far more rows than it needs.",
			description: "Statements of kind {{ $labels.kind }} read {{ $value | humanize }} rows each (limit <rows_examined_per_statement>): no index, or many tokens of one application and scope.",
		},
		{
			name: "TokenPersistenceInsertErrors", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "tables",
			expr: `
				rate(wso2_token_statement_errors_total{kind="insert_token"}[15m])
					/ (rate(wso2_token_statement_executions_total{kind="insert_token"}[15m]) > <rows_examined_guard>)
					> <insert_errors>`,
			summary:     "The token table refuses rows.",
			description: "{{ $value | humanizePercentage }} of the inserts of tokens fail (limit <insert_errors>), mostly on the unique key CON_APP_KEY.",
		},
		{
			name: "TokenPersistenceConAppKeyExhausted", severity: thresholds.Warning, wait: "1m", keep: "15m", dashboard: "tables",
			expr:        `increase(wso2_token_con_app_key_violations_total{outcome="exhausted"}[15m]) > 0`,
			summary:     "Token requests fail on the unique key CON_APP_KEY.",
			description: "API Manager's log on {{ $labels.instance }} has {{ $value | humanize }} violations in 15 minutes that stayed after the last retry.",
		},
		{
			name: "TokenPersistenceWritesPerToken", severity: thresholds.Warning, wait: "30m", keep: "15m", dashboard: "tables",
			expr: `
				sum without (kind, purpose) (rate(wso2_token_statement_executions_total{kind=~"insert_token|deactivate|delete_token|audit_copy"}[30m]))
					/ (sum without (kind, purpose) (rate(wso2_token_statement_executions_total{kind="insert_token"}[30m])) > <rows_examined_guard>)
					> <writes_per_token>`,
			summary:     "A token costs more statements than by design.",
			description: "{{ $value | humanize }} writing statements per token row in the database of {{ $labels.instance }} (limit <writes_per_token>).",
		},
	}
}
