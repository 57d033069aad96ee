// Package plan says how many pairs of runs the next experiment needs, from how
// much the pairs of a pilot differed, and in which order to run them. The run is
// its unit: nothing inside a window enters, because longer windows do not make
// runs more alike.
//
// It refuses reports with fewer than two pairs or runs of each mode, and those of
// a fixed rate.
//
//	p, err := plan.Run(r, plan.Options{MaxLoss: 0.05, Power: 0.8, Seed: 1})
package plan

import (
	"errors"
	"fmt"
	"math"
	"strings"

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
	MaxLoss float64 // ratio of throughput, above 0 and below 1
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
	case r.Hypothesis.Load == "rate":
		return report.Plan{}, input("the report is of load: rate, where the load generator sets the throughput: plan needs load: closed")
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

// planGrant computes the number of pairs for one grant.
func planGrant(r report.Report, grant string, o Options) report.PlannedGrant {
	g := report.PlannedGrant{Grant: grant}
	s, err := spreadOf(r, grant)
	if err != nil {
		g.Unknown = err.Error()
		return g
	}
	g.Pilot, g.Paired = s.runs, s.paired
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

// spread is how much the log ratio of a pair varies.
type spread struct {
	sd, se, df float64
	runs       int
	paired     bool
}

// spreadOf takes the log ratios of the blocks; without blocks, the variances of
// both modes together, which is what a pair of such runs would have.
func spreadOf(r report.Report, grant string) (spread, error) {
	for _, c := range r.Comparisons {
		if c.Grant != grant || c.Metric != report.MetricThroughput {
			continue
		}
		if len(c.Ratio.Pairs) > 0 {
			return ofPairs(grant, c.Ratio.Pairs)
		}
		return ofRuns(grant, c.On.Runs, c.Off.Runs)
	}
	return spread{}, fmt.Errorf("%s has no throughput in the report", grant)
}

func ofPairs(grant string, pairs []report.Paired) (spread, error) {
	ratios := make([]float64, len(pairs))
	for i, p := range pairs {
		ratios[i] = p.Ratio
	}
	e, err := meanOfLogs(ratios)
	if err != nil {
		return spread{}, tooLittle(grant, len(pairs), "pairs", err)
	}
	return spread{sd: e.SE * math.Sqrt(float64(e.N)), se: e.SE, df: e.DF, runs: len(pairs), paired: true}, nil
}

func ofRuns(grant string, on, off []report.Run) (spread, error) {
	fewer := min(len(on), len(off))
	a, err := meanOfLogs(values(on))
	if err != nil {
		return spread{}, tooLittle(grant, fewer, "runs of a mode", err)
	}
	b, err := meanOfLogs(values(off))
	if err != nil {
		return spread{}, tooLittle(grant, fewer, "runs of a mode", err)
	}
	// Welch and Satterthwaite, for the variance of one run on each side.
	va, vb := a.SE*a.SE*float64(a.N), b.SE*b.SE*float64(b.N)
	df := (va + vb) * (va + vb) / (va*va/a.DF + vb*vb/b.DF)
	return spread{sd: math.Sqrt(va + vb), se: math.Hypot(a.SE, b.SE), df: df, runs: fewer}, nil
}

func meanOfLogs(v []float64) (stats.Estimate, error) {
	logs, err := stats.Logs(v)
	if err != nil {
		return stats.Estimate{}, err
	}
	return stats.MeanT(logs, 1-alpha)
}

func values(runs []report.Run) []float64 {
	out := make([]float64, len(runs))
	for i, r := range runs {
		out[i] = r.Value
	}
	return out
}

func tooLittle(grant string, n int, what string, err error) error {
	if errors.Is(err, stats.ErrTooFew) {
		if n == 1 {
			what = strings.Replace(what, "s", "", 1) // pair, run of a mode
		}
		return fmt.Errorf("%s has %d %s, and how much they differ is what a plan is made of: measure at least %d", grant, n, what, leastPairs)
	}
	return fmt.Errorf("the %s of %s cannot be used: %w", what, grant, err)
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
