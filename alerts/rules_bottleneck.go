package main

import "github.com/tokenpersistence/toolkit/internal/thresholds"

// bottleneckAlerts are hints, not faults: they name the host that limits
// throughput when one is busy while the other has time.
func bottleneckAlerts() group {
	return group{name: "bottleneck", alerts: []alert{
		{
			name: "TokenPersistenceAPIManagerIsBottleneck", severity: thresholds.Info, wait: "15m", keep: "10m", dashboard: "overview",
			expr: `
				token_persistence:job:apim_cpu:avg > <bottleneck_busy>
					and token_persistence:job:database_cpu:max < <bottleneck_idle>
					unless ignoring (instance, db_instance) token_persistence:instance:database_iops:ratio > <database_iops_high>`,
			summary:     "API Manager limits token throughput, not the database.",
			description: "API Manager's hosts of job {{ $labels.job }} use {{ $value | humanizePercentage }} of their vCPUs while the database has time.",
		},
		{
			name: "TokenPersistenceDatabaseIsBottleneck", severity: thresholds.Info, wait: "15m", keep: "10m", dashboard: "overview",
			expr: `
				token_persistence:job:database_cpu:max > <bottleneck_busy>
					and token_persistence:job:apim_cpu:avg < <bottleneck_idle>`,
			summary:     "The database limits token throughput, not API Manager.",
			description: "The database of job {{ $labels.job }} uses {{ $value | humanizePercentage }} of its vCPUs while API Manager's hosts have time.",
		},
		{
			name: "TokenPersistenceTaxHigh", severity: thresholds.Info, wait: "30m", keep: "30m", dashboard: "overview",
			expr: `
				token_persistence:job:tax:avg2m{resource="statement_time",bound="lower"} > <tax_high>
					and ignoring (resource, bound) token_persistence:job:database_cpu:max > <tax_cpu_guard>`,
			summary:     "Token persistence is most of what a busy database does.",
			description: "Persistence causes at least {{ $value | humanizePercentage }} of the statement time of job {{ $labels.job }}'s database (limit <tax_high>).",
		},
	}}
}
