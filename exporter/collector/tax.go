package collector

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// maxUnattributed is the share of executions without a known kind above which
// no tax is shown. A few are none: the tables are not read at one moment, and on
// a quiet server that is a large share.
const (
	maxUnattributed  = 0.05
	unattributedSome = 10
)

var taxDesc = prometheus.NewDesc("wso2_token_tax_ratio",
	"Share of the database's statement time, lock time, processor time, rows examined or rows written that token persistence caused between the last two readings, as an interval: "+
		"bound=\"lower\" is the kinds of purpose persistence less the revocation work that refreshes would cost without it; "+
		"bound=\"upper\" is those kinds, those of purpose unclear, the AM_REVOKED_JWT rows of renewed tokens, and COMMIT and BEGIN in proportion to the token transactions. "+
		"Work of the server's own threads (purge, flushing) is in neither. Absent where more than 5 % of executions cannot be attributed.",
	[]string{"resource", "bound"}, nil)

// taxed are the resources of the tax by their label.
var taxed = []struct {
	label string
	resource
}{
	{"statement_time", statementTime},
	{"lock_time", lockTime},
	{"cpu_time", cpuTime},
	{"rows_examined", rowsExamined},
	{"rows_written", rowsAffected},
}

// unattributed returns the guard's failure for an interval, or nil.
func (s statementSums) unattributed() error {
	var sum uint64
	var reasons []string
	for i, n := range s.missing {
		sum += n
		if n > 0 {
			reasons = append(reasons, fmt.Sprintf("%s %d", missingReasons[i], n))
		}
	}
	all := s.total[executions] + s.missing[missingUncounted]
	if float64(sum) <= max(unattributedSome, maxUnattributed*float64(all)) {
		return nil
	}
	return &Failure{Guard, fmt.Errorf("no persistence tax: %d of %d executions since the last reading cannot be attributed (%s; limit 5 %%): "+
		"raise performance_schema_digests_size for digest_lost, use client-side prepared statements (useServerPrepStmts=false) on MariaDB for binary_protocol and prepared, "+
		"raise max_digest_length and performance_schema_max_digest_length for text_cut, look into performance_schema.setup_actors for uncounted",
		sum, all, strings.Join(reasons, ", "))}
}

// tax returns the share of one resource; known is false where nothing was used.
func (s statementSums) tax(r resource) (lower, upper float64, known bool) {
	if s.total[r] == 0 {
		return 0, 0, false
	}
	byName := map[string]usage{}
	for k, u := range s.kinds {
		byName[statementKinds[k].name] = u
	}
	lower, upper = TaxInterval(
		func(kind string) float64 { return float64(byName[kind][executions]) },
		func(kind string) float64 { return float64(byName[kind][r]) },
		float64(s.total[r]))
	return lower, upper, true
}

// TaxInterval returns the persistence tax of a resource from what the kinds of
// statements, by their names, executed and used of it, and what all statements
// of the server used. total must not be 0.
//
// The lower end is net: with persistence off a refresh has to look into three
// tables of revocations and to write into one. What that would cost is taken
// from like statements: the row of AM_REVOKED_JWT and look-ups of a token by its
// key. The upper end counts whatever may be gone.
func TaxInterval(executed, used func(kind string) float64, total float64) (lower, upper float64) {
	var sure, unsure, control float64
	for _, k := range statementKinds[1:] {
		switch k.purpose {
		case purposePersistence:
			sure += used(k.name)
		case purposeUnclear:
			unsure += used(k.name)
		case purposeTransaction:
			control += used(k.name)
		}
	}
	name := func(k statementKind) string { return statementKinds[k].name }
	mean := func(k, or statementKind) float64 {
		if executed(name(k)) == 0 {
			k = or
		}
		return ratio(used(name(k)), executed(name(k)))
	}
	refreshes := executed(name(kindSelectByRefreshToken))
	replaced := refreshes * (mean(kindRevokeJWT, kindInsertToken) + 3*mean(kindSelectToken, kindSelectByRefreshToken))
	renewed := min(1, ratio(executed(name(kindDeactivate)), executed(name(kindRevokeJWT))))
	unsure += renewed*used(name(kindRevokeJWT)) + control*tokenCommits(executed)
	// The tables are not read at the same moment.
	return min(1, max(0, sure-replaced)/total), min(1, (sure+unsure)/total)
}

// tokenCommits is the largest share that transactions which write tokens can
// have in the COMMITs of the token schema. A transaction inserts a token, or
// moves an old one to the audit table, or ends one. Statements that commit by
// themselves have paid already; they make the share too large, not too small.
func tokenCommits(executed func(kind string) float64) float64 {
	n := func(k statementKind) float64 { return executed(statementKinds[k].name) }
	inserts := n(kindInsertToken)
	writes := inserts + max(n(kindAuditCopy), n(kindDeleteToken)) + n(kindCleanup) + n(kindRefreshTokenTable) +
		max(0, n(kindDeactivate)-inserts)
	return min(1, ratio(writes, n(kindCommit)))
}

// ratio is part over whole, 0 where there is no whole.
func ratio(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// taxMetrics returns the interval of every resource that was measured.
func (s statementSums) taxMetrics(withCPU bool) []prometheus.Metric {
	var metrics []prometheus.Metric
	for _, t := range taxed {
		lower, upper, known := s.tax(t.resource)
		if !known || t.resource == cpuTime && !withCPU {
			continue
		}
		metrics = append(metrics,
			prometheus.MustNewConstMetric(taxDesc, prometheus.GaugeValue, lower, t.label, "lower"),
			prometheus.MustNewConstMetric(taxDesc, prometheus.GaugeValue, upper, t.label, "upper"))
	}
	return metrics
}
