// Package plan says how many pairs of runs the next experiment needs, from how
// much the pairs of a pilot differed, and in which order to run them. The run is
// its unit: nothing inside a window enters, because longer windows do not make
// runs more alike.
//
// What is planned for is what compare judges: throughput, or under load: rate what a
// token costs on either host. It refuses reports with fewer than two pairs or runs of
// each mode.
//
//	p, err := plan.Run(r, plan.Options{MaxLoss: 0.05, Power: 0.8, Seed: 1})
package plan

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

const (
	alpha      = 0.05 // two-sided, as compare tests
	confidence = 0.80 // of the cautious numbers: Browne's advice
	leastPairs = 4    // that a verdict needs
	mostBlocks = 200  // of a schedule: a longer one is no plan
)

// Options say what has to be found.
type Options struct {
	MaxLoss float64 // ratio of throughput, or of tokens per core-ms; above 0 and below 1
	Power   float64 // above 0.05 and below 1
	Seed    uint64  // of the schedule
}

// InputError says what the report or the options lack.
type InputError struct{ Text string }

// Error is the text as it is: it names the flag or the key.
func (e *InputError) Error() string { return e.Text }

func input(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

// Run plans an experiment after a pilot. Grants from which nothing can be learned
// say why; when that is all of them the error, always an *InputError, does.
func Run(r report.Report, o Options) (report.Plan, error) {
	switch {
	case !(o.MaxLoss > 0 && o.MaxLoss < 1):
		return report.Plan{}, input("--max-loss %v is nothing to plan for: give a share above 0%%, for example 5%%", o.MaxLoss)
	case !(o.Power > alpha && o.Power < 1):
		return report.Plan{}, input("--power %v: give a chance above %v and below 1, for example 0.8", o.Power, alpha)
	case len(r.Grants) == 0:
		return report.Plan{}, input("the report has no grant")
	}
	p := report.Plan{
		SchemaVersion: report.SchemaVersion, Title: r.Title,
		MaxLoss: o.MaxLoss, Power: o.Power, Confidence: confidence, Seed: o.Seed,
		Notes: []string{}, Checklist: checklist(r),
	}
	known := 0
	var names []string
	for _, g := range r.Grants {
		planned := planGrant(r, g.Grant, o)
		p.Grants = append(p.Grants, planned)
		names = append(names, g.Grant)
		if planned.Unknown != "" {
			continue
		}
		known++
		p.Pairs = max(p.Pairs, planned.PairsCautious)
		if planned.PairsCautious == 0 || planned.PairsCautious > mostBlocks {
			p.Pairs = mostBlocks + 1
		}
		if atRate(r) {
			p.Notes = append(p.Notes, fmt.Sprintf("%s: at a given rate what a token costs is judged; planned from %s, whose pairs differ most", g.Grant, planned.Label))
		}
		if !planned.Paired {
			p.Notes = append(p.Notes, g.Grant+": the pilot's runs are in no blocks, so their spread includes drift that pairs would cancel; the plan errs on the side of too many")
		}
	}
	if known == 0 {
		return report.Plan{}, input("%s", p.Grants[0].Unknown)
	}
	if p.Pairs > mostBlocks {
		p.Pairs = 0
		p.Notes = append(p.Notes, fmt.Sprintf("more than %d pairs: find out why runs differ so much, or allow a larger loss; longer windows do not help", mostBlocks))
		return p, nil
	}
	p.Hours = hours(r, p.Pairs*2*len(names))
	p.Schedule = schedule(p.Pairs, names, o.Seed)
	return p, nil
}

// planGrant computes the number of pairs for one grant: the largest that any of
// its judged metrics needs, since a PASS takes all of them.
func planGrant(r report.Report, grant string, o Options) report.PlannedGrant {
	var worst report.PlannedGrant
	for i, metric := range judged(r) {
		g := planMetric(r, grant, metric, o)
		if g.Unknown != "" {
			return g
		}
		if i == 0 || more(g, worst) {
			worst = g
		}
	}
	return worst
}

// atRate says whether every window of the pilot offered the same tokens/s.
func atRate(r report.Report) bool { return r.Hypothesis.Load == "rate" }

// judged are the metrics on which a verdict of compare rests.
func judged(r report.Report) []string {
	if atRate(r) {
		return []string{report.MetricAPIManagerCoreMS, report.MetricDatabaseCoreMS}
	}
	return []string{report.MetricThroughput}
}

// more says whether a needs more pairs than b; 0 cautious pairs are beyond all
// measuring.
func more(a, b report.PlannedGrant) bool {
	if (a.PairsCautious == 0) != (b.PairsCautious == 0) {
		return a.PairsCautious == 0
	}
	return max(a.PairsCautious, a.Pairs) > max(b.PairsCautious, b.Pairs) || a.PairsCautious == b.PairsCautious && *a.SD > *b.SD
}

// planMetric computes the number of pairs that one metric needs.
func planMetric(r report.Report, grant, metric string, o Options) report.PlannedGrant {
	g := report.PlannedGrant{Grant: grant, Metric: metric}
	s, err := spreadOf(r, grant, metric)
	if err != nil {
		g.Unknown = err.Error()
		return g
	}
	g.Label, g.Pilot, g.Paired = s.label, s.runs, s.paired
	effect := -math.Log1p(-o.MaxLoss)
	upper, err := stats.UpperSD(s.sd, s.df, confidence)
	if err != nil {
		g.Unknown = err.Error()
		return g
	}
	n, err := stats.Pairs(effect, s.sd, alpha, o.Power)
	if err != nil {
		g.Unknown = fmt.Sprintf("the runs of %s differ too much for any number of pairs: %v", grant, err)
		return g
	}
	g.Pairs = max(n, leastPairs)
	if n, err := stats.Pairs(effect, upper, alpha, o.Power); err == nil {
		g.PairsCautious = max(n, leastPairs)
	}
	g.SD, g.SDUpper = number(s.sd), number(upper)
	if d, err := stats.Detectable(s.se, s.df, alpha, o.Power); err == nil {
		g.Detectable = number(-math.Expm1(-d))
	}
	return g
}

// hours of load for so many windows as long as those of the pilot.
func hours(r report.Report, windows int) report.Number {
	if len(r.Diagnostics) == 0 {
		return nil
	}
	sum := 0.0
	for _, d := range r.Diagnostics {
		sum += d.Seconds
	}
	each := sum/float64(len(r.Diagnostics)) + r.Hypothesis.WarmupSeconds
	return number(each * float64(windows) / 3600)
}

// number is v for the plan, nil when JSON could not hold it.
func number(v float64) report.Number {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
