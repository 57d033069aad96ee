package main

import "github.com/tokenpersistence/toolkit/internal/thresholds"

// issuanceAlerts compare the tokens issued with those of earlier weeks.
func issuanceAlerts() group {
	return group{name: "issuance", alerts: []alert{
		// Next to nothing where there was much is an outage; a third of it may be a
		// public holiday, and pages nobody.
		{
			name: "TokenPersistenceIssuanceStopped", severity: thresholds.Critical, wait: "5m", keep: "5m", dashboard: "overview",
			expr:        below("token_persistence:job:tokens_issued:rate2m", "<issuance_stopped>"),
			summary:     "Next to no tokens are issued.",
			description: "Job {{ $labels.job }} issues {{ $value | humanize }} tokens per second, less than <issuance_stopped> of the quieter of the last two weeks at this time.",
		},
		// A rate over a window of which only the end was seen is too low for
		// 0.3 × 30 minutes: 15 minutes of waiting are longer.
		{
			name: "TokenPersistenceIssuanceDrop", severity: thresholds.Warning, wait: "15m", keep: "5m", dashboard: "overview",
			expr:        below("token_persistence:job:tokens_issued:rate30m", "<issuance_drop>"),
			summary:     "Far fewer tokens are issued than at this time of earlier weeks.",
			description: "Job {{ $labels.job }} issues {{ $value | humanize }} tokens per second, less than <issuance_drop> of the quieter of the last two weeks.",
		},
		{
			name: "TokenPersistenceIssuanceSpike", severity: thresholds.Warning, wait: "15m", keep: "15m", dashboard: "overview",
			expr: `
				token_persistence:job:tokens_issued:rate30m > <issuance_spike> * ` + weeks("max") + `
					and token_persistence:job:tokens_issued:rate30m > <issuance_spike_guard>`,
			summary:     "Far more tokens are issued than at this time of earlier weeks.",
			description: "Job {{ $labels.job }} issues {{ $value | humanize }} tokens per second, more than <issuance_spike> of the busier of the last two weeks.",
		},
	}}
}

// below asks whether a rate is less than its share of the quieter of the last
// two weeks at this time, so that a load test a week ago is no drop now. It is
// silent while a node is not seen: its tokens are missing in the sum.
func below(rate, share string) string {
	return `
				` + rate + `
					< ` + share + ` * (` + weeks("min") + ` > <issuance_drop_guard>)
					unless ignoring (instance) up{<job>} == 0
					unless ignoring (instance, collector) token_persistence_exporter_collector_success{collector="endpoint"} == 0`
}

// weeks is the lesser or greater rate of this time in the last two weeks; the
// one that there is where the other is older than the data.
func weeks(aggregate string) string {
	return aggregate + ` without (week) (
					label_replace(token_persistence:job:tokens_issued:rate30m offset 1w, "week", "1", "", "")
						or label_replace(token_persistence:job:tokens_issued:rate30m offset 2w, "week", "2", "", "")
				)`
}
