package main

import (
	"slices"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

// trafficAlerts are what users of the token endpoint notice.
func trafficAlerts() group {
	return group{name: "traffic", alerts: slices.Concat(endpointAlerts(), nodeAlerts())}
}

func endpointAlerts() []alert {
	return []alert{
		// Burn rates of the SRE Workbook. 4xx are the callers' mistakes. The
		// records have no value where there is too little traffic to tell.
		{
			name: "TokenPersistenceTokenErrors", severity: thresholds.Critical, wait: "2m", keep: "5m", dashboard: "overview",
			expr: `
				token_persistence:job:token_errors:ratio_rate1h > <error_burn_fast> * <error_objective>
					and token_persistence:job:token_errors:ratio_rate5m > <error_burn_fast> * <error_objective>
					or token_persistence:job:token_errors:ratio_rate6h > <error_burn_medium> * <error_objective>
					and token_persistence:job:token_errors:ratio_rate30m > <error_burn_medium> * <error_objective>`,
			summary:     "The token endpoint fails.",
			description: "{{ $value | humanizePercentage }} of the token requests of job {{ $labels.job }} ended in a 5xx over the alert's long window (objective <error_objective>).",
		},
		{
			name: "TokenPersistenceTokenErrorsSlow", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "overview",
			expr: `
				token_persistence:job:token_errors:ratio_rate1d > <error_burn_slow> * <error_objective>
					and token_persistence:job:token_errors:ratio_rate2h > <error_burn_slow> * <error_objective>`,
			summary:     "The token endpoint fails now and then.",
			description: "{{ $value | humanizePercentage }} of the token requests of job {{ $labels.job }} ended in a 5xx over a day (objective <error_objective>).",
		},
		{
			name: "TokenPersistenceTokenLatency", severity: thresholds.Warning, wait: "10m", keep: "10m", dashboard: "overview",
			expr: `
				histogram_quantile(0.95, sum without (instance, endpoint) (
					rate(wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token"}[5m])
				)) > <token_latency>
					and sum without (instance, endpoint) (
						rate(wso2_token_endpoint_request_duration_seconds_count{endpoint="token"}[5m])
					) > <token_latency_guard>`,
			summary:     "Token requests are slow.",
			description: "One token request in twenty of job {{ $labels.job }} takes longer than {{ $value | humanizeDuration }} (limit <token_latency>).",
		},
	}
}

func nodeAlerts() []alert {
	return []alert{
		// Longer than the window: a single burst of lines is over before.
		{
			name: "TokenPersistencePoolExhausted", severity: thresholds.Critical, wait: "6m", keep: "5m", dashboard: "overview",
			expr:        `increase(wso2_token_pool_exhausted_lines_total[5m]) > 0`,
			summary:     "API Manager has no free database connection.",
			description: "API Manager's log on {{ $labels.instance }} has {{ $value | humanize }} lines with PoolExhaustedException in 5 minutes.",
		},
		// A rolling restart to another mode disagrees for minutes.
		{
			name: "TokenPersistenceModeMixed", severity: thresholds.Warning, wait: "30m", keep: "5m", dashboard: "overview",
			expr:        `token_persistence:job:mode_logged:ratio > 0 < 1`,
			summary:     "API Manager nodes disagree on token persistence.",
			description: "{{ $value | humanizePercentage }} of the nodes of job {{ $labels.job }} run with token persistence on, the others off.",
		},
	}
}
