package plan

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// spread is how much the log ratio of a pair varies.
type spread struct {
	label      string
	sd, se, df float64
	runs       int
	paired     bool
}

// spreadOf takes the log ratios of the blocks; without blocks, the variances of
// both modes together, which is what a pair of such runs would have.
func spreadOf(r report.Report, grant, metric string) (spread, error) {
	for _, c := range r.Comparisons {
		if c.Grant != grant || c.Metric != metric {
			continue
		}
		s, err := ofRuns(grant, c.On.Runs, c.Off.Runs)
		if len(c.Ratio.Pairs) > 0 {
			s, err = ofPairs(grant, c.Ratio.Pairs)
		}
		if err != nil && metric != report.MetricThroughput {
			err = fmt.Errorf("%s: %w", c.Label, err)
		}
		s.label = c.Label
		return s, err
	}
	if metric == report.MetricThroughput {
		return spread{}, fmt.Errorf("%s has no throughput in the report", grant)
	}
	return spread{}, fmt.Errorf("%s has no %s in the report, on which load: rate is judged: compare needs a source, environment.apim.vcpus and environment.database.vcpus", grant, metric)
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
