package main

import (
	"slices"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

// exporterAlerts say that we no longer see, or see wrongly. None of them pages:
// nobody's token fails because monitoring does.
func exporterAlerts() group {
	return group{name: "exporter", alerts: slices.Concat(scrapeAlerts(), cloudWatchAlerts(), settingAlerts())}
}

func scrapeAlerts() []alert {
	return []alert{
		{
			name: "TokenPersistenceExporterDown", severity: thresholds.Warning, wait: "5m", keep: "2m", dashboard: "exporter",
			expr:        `up{<job>} == 0`,
			summary:     "The token persistence exporter does not answer.",
			description: "Prometheus cannot scrape {{ $labels.instance }} of job {{ $labels.job }}. What this exporter watches is not watched.",
		},
		// up is there for every configured target, whatever its state. It is absent
		// when the scrape job or its service discovery has lost all of them.
		{
			name: "TokenPersistenceExporterMissing", severity: thresholds.Warning, wait: "10m", keep: "2m", dashboard: "exporter",
			expr:        `absent(up{<job>})`,
			summary:     "Prometheus scrapes no token persistence exporter.",
			description: "No target has a job label that matches the one the rules were written for. No other alert of this project can fire.",
		},
		// A share of scrapes, so that a collector that fails two times of three counts
		// too. An average outlives its samples; "and" ends it with them.
		{
			name: "TokenPersistenceCollectorFailing", severity: thresholds.Warning, wait: "10m", keep: "10m", dashboard: "exporter",
			expr: `
				avg_over_time(token_persistence_exporter_collector_success[15m]) < <collector_success>
					and token_persistence_exporter_collector_success`,
			summary:     "A collector of the token persistence exporter fails.",
			description: "Collector {{ $labels.collector }} of {{ $labels.instance }} succeeded in {{ $value | humanizePercentage }} of the scrapes of 15 minutes.",
		},
	}
}

func cloudWatchAlerts() []alert {
	return []alert{
		// The exporter drops a value after ten periods; the range keeps its time in
		// view. An instance that is watched no longer is forgotten after three hours.
		{
			name: "TokenPersistenceCloudWatchStale", severity: thresholds.Warning, wait: "10m", keep: "10m", dashboard: "exporter",
			expr: `
				(
					time() - max without (metric) (max_over_time(rds_datapoint_timestamp_seconds{metric="CPUUtilization"}[3h]))
						or time() - max without (metric) (max_over_time(ec2_datapoint_timestamp_seconds{metric="CPUUtilization"}[3h]))
				) > <cloudwatch_age>
					and on (job, instance) up{<job>} == 1`,
			summary:     "CloudWatch sends no new datapoints.",
			description: "The newest datapoint of {{ $labels.db_instance }}{{ $labels.ec2_instance }} is {{ $value | humanizeDuration }} old (limit <cloudwatch_age>).",
		},
		{
			name: "TokenPersistenceCloudWatchEmpty", severity: thresholds.Warning, wait: "30m", keep: "10m", dashboard: "exporter",
			expr: `
				rate(token_persistence_exporter_cloudwatch_metrics_requested_total[15m]) > 0
					unless on (job, instance) (
						max_over_time(rds_datapoint_timestamp_seconds{metric="CPUUtilization"}[3h])
							or max_over_time(ec2_datapoint_timestamp_seconds{metric="CPUUtilization"}[3h])
					)`,
			summary:     "CloudWatch is asked and has nothing to say.",
			description: "{{ $labels.instance }} asks and pays for {{ $value | humanize }} metrics per second and got no CPU datapoint in 3 hours: wrong region, account or instance identifier?",
		},
		{
			name: "TokenPersistenceCloudWatchThrottled", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "exporter",
			expr: `
				increase(token_persistence_exporter_collector_failures_total{class="throttled"}[30m])
					/ ignoring (class) count_over_time(token_persistence_exporter_collector_success[30m])
					> <cloudwatch_throttled>`,
			summary:     "CloudWatch throttles the exporter.",
			description: "{{ $value | humanizePercentage }} of the scrapes of {{ $labels.instance }} in 30 minutes found CloudWatch throttling it (limit <cloudwatch_throttled>).",
		},
		{
			name: "TokenPersistenceCloudWatchCost", severity: thresholds.Info, wait: "1h", keep: "1h", dashboard: "exporter",
			expr: `
				rate(token_persistence_exporter_cloudwatch_metrics_requested_total[6h]) * 86400 * 30 / 1000 * 0.01
					> <cloudwatch_cost>`,
			summary:     "CloudWatch costs more than budgeted.",
			description: "At the pace of the last 6 hours {{ $labels.instance }} will be billed {{ $value | humanize }} USD in 30 days (limit <cloudwatch_cost>).",
		},
	}
}

func settingAlerts() []alert {
	return []alert{
		{
			name: "TokenPersistenceAccessLogUnparsed", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "exporter",
			expr: `
				rate(wso2_token_endpoint_log_lines_unparsed_total[30m])
					/ (rate(wso2_token_endpoint_log_lines_total[30m]) > <log_guard>)
					> <log_unparsed>`,
			summary:     "Lines of API Manager's access log are not understood.",
			description: "{{ $value | humanizePercentage }} of the lines that {{ $labels.instance }} reads do not fit its pattern (limit <log_unparsed>). Requests on them are not counted.",
		},
		{
			name: "TokenPersistenceConfigNotLoaded", severity: thresholds.Warning, wait: "5m", keep: "2m", dashboard: "exporter",
			expr:        `token_persistence_exporter_config_last_reload_successful == 0`,
			summary:     "The exporter refused its new configuration.",
			description: "{{ $labels.instance }} goes on with the configuration it had; a restart would fail.",
		},
		{
			name: "TokenPersistenceExcessPrivileges", severity: thresholds.Info, wait: "30m", keep: "30m", dashboard: "exporter",
			expr:        `token_persistence_exporter_excess_privileges{kind=~"write|token_values|all"} == 1`,
			summary:     "The exporter's database account may do more than it needs.",
			description: "The account of {{ $labels.instance }} has rights of kind {{ $labels.kind }}. Whoever has its password has them too.",
		},
	}
}
