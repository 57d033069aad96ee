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
		"bound=\"lower\" is the kinds of purpose persistence, bound=\"upper\" adds those of purpose unclear and COMMIT and BEGIN in proportion to the token transactions. "+
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
	total := float64(s.total[r])
	if total == 0 {
		return 0, 0, false
	}
	var sure, more float64
	for k, u := range s.kinds {
		switch statementKinds[k].purpose {
		case purposePersistence:
			sure += float64(u[r])
		case purposeUnclear:
			more += float64(u[r])
		case purposeTransaction:
			more += float64(u[r]) * s.tokenCommits()
		}
	}
	// The two tables are not read at the same moment.
	return min(1, sure/total), min(1, (sure+more)/total), true
}

// tokenCommits is the largest share that transactions which write tokens can
// have in the COMMITs of the token schema. A transaction inserts a token, or
// moves an old one to the audit table, or ends one. Statements that commit by
// themselves have paid already; they make the share too large, not too small.
func (s statementSums) tokenCommits() float64 {
	commits := s.kinds[kindCommit][executions]
	if commits == 0 {
		return 0
	}
	n := func(k statementKind) uint64 { return s.kinds[k][executions] }
	inserts := n(kindInsertToken)
	writes := inserts + max(n(kindAuditCopy), n(kindDeleteToken)) + n(kindCleanup) + n(kindRefreshTokenTable)
	if ended := n(kindDeactivate); ended > inserts {
		writes += ended - inserts
	}
	return min(1, float64(writes)/float64(commits))
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
