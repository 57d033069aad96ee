package study

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// comparison is a row of the report with the estimate behind it, on the log
// scale for ratios. estimate is nil when there is no interval.
type comparison struct {
	report.Comparison
	estimate *stats.Estimate
}

// Words of Comparison.Status.
const (
	confirmatory = "confirmatory" // a verdict may rest on it
	provisional  = "provisional"  // too few runs for a verdict
	descriptive  = "descriptive"  // shown with its interval, never tested
)

// point is one observation at the level of inference: a run, or all runs of one
// mode in a block.
type point struct {
	block int
	measure
}

// compare builds the comparison of one metric of one grant. Its status is that
// of a metric which is judged.
func compare(m metric, runs []run, l layout, pick picker) comparison {
	on, off := points(runs, source.On, l, m.effect, pick), points(runs, source.Off, l, m.effect, pick)
	if l.paired {
		on, off = complete(on, off)
	}
	c := comparison{Comparison: report.Comparison{
		Metric: m.id, Label: m.label, Unit: m.unit, Effect: m.effect,
		Status: provisional, Method: "none",
		On: report.Side{Runs: []report.Run{}}, Off: report.Side{Runs: []report.Run{}},
		Ratio:    report.Ratio{Level: level},
		Warnings: []report.Warning{},
	}}
	c.On, c.Off = side(on, m.effect), side(off, m.effect)
	if len(on) == 0 || len(off) == 0 {
		return c
	}
	c.Ratio.Pairs = pairs(on, off, l, m.effect)
	e, method, err := estimate(on, off, l, m.effect)
	c.Method = method
	if err != nil {
		c.alone(on, off, err)
		return c
	}
	c.estimate = &e
	if enough(on, off) {
		c.Status = confirmatory
	}
	shown := e
	if m.effect == asRatio {
		shown = e.Exp()
	}
	c.Ratio.Estimate, c.Ratio.Lo, c.Ratio.Hi = number(shown.Value), number(shown.Lo), number(shown.Hi)
	for _, w := range shown.Warnings {
		c.warn("estimate", "%s", w)
	}
	return c
}

// estimate chooses the method by the number of runs: t over pairs or over runs,
// and within the window where there is only one on each side.
func estimate(on, off []point, l layout, effect string) (stats.Estimate, string, error) {
	x, y := values(off), values(on)
	if len(on) == 1 && len(off) == 1 {
		return withinWindow(off[0], on[0], effect)
	}
	scale := ""
	if effect == asRatio {
		var errX, errY error
		x, errX = stats.Logs(x)
		y, errY = stats.Logs(y)
		if err := errors.Join(errX, errY); err != nil {
			return stats.Estimate{}, methodAlone, err
		}
		scale = "log "
	}
	if l.paired {
		e, err := stats.PairedT(x, y, level)
		return e, fmt.Sprintf("paired t on %s, %d pairs", map[bool]string{true: "log ratios", false: "differences"}[effect == asRatio], len(on)), err
	}
	if len(on) < 2 || len(off) < 2 {
		return stats.Estimate{}, methodAlone, stats.ErrTooFew
	}
	e, err := stats.WelchT(x, y, level)
	return e, fmt.Sprintf("Welch t on %srun means, %d and %d runs", scale, len(on), len(off)), err
}

const noSpread = "no-spread" // the warning of runs that do not differ

const (
	methodAlone  = "estimate alone"
	methodWithin = "EWC-t within this window only"
)

// withinWindow compares two single windows by what varied inside them. With
// fewer than stats.LeastEWC observations the estimate stands alone.
func withinWindow(off, on point, effect string) (stats.Estimate, string, error) {
	if effect != asRatio || min(len(off.series), len(on.series)) < stats.LeastEWC {
		return stats.Estimate{}, methodAlone, stats.ErrTooFew
	}
	e, err := stats.EWCLogRatio(off.series, on.series, level)
	return e, methodWithin, err
}

// alone shows the effect without an interval and says why there is none.
func (c *comparison) alone(on, off []point, err error) {
	c.Method = methodAlone
	switch {
	case c.Effect == asDifference:
		c.Ratio.Estimate = number(mean(values(off)) - mean(values(on)))
	case errors.Is(err, stats.ErrNotPositive):
		c.Ratio.Estimate = number(mean(values(off)) / mean(values(on)))
		c.warn("zero", "a run of 0 has no logarithm: the ratio is that of the arithmetic means and has no interval")
	default:
		c.Ratio.Estimate = number(geometric(values(off)) / geometric(values(on)))
	}
	if errors.Is(err, stats.ErrConstant) {
		c.warn(noSpread, "the runs do not differ from each other, so no interval can be given")
	}
}

func (c *comparison) warn(id, format string, args ...any) {
	c.Warnings = append(c.Warnings, report.Warning{ID: id, Text: fmt.Sprintf(format, args...)})
}

// side summarises one mode: the geometric mean of its runs with its t interval,
// the arithmetic mean for shares and where a run is 0.
func side(runs []point, effect string) report.Side {
	s := report.Side{Runs: []report.Run{}}
	for _, r := range runs {
		s.Runs = append(s.Runs, report.Run{Block: r.block, Value: r.value, N: r.n})
	}
	v := values(runs)
	if len(v) == 0 {
		return s
	}
	var e stats.Estimate
	logs, err := stats.Logs(v)
	switch {
	case effect != asRatio:
		s.Estimate = number(mean(v))
		if e, err = stats.MeanT(v, level); err == nil {
			e.Lo, e.Hi = max(e.Lo, 0), min(e.Hi, 1) // a share
		}
	case err != nil:
		s.Estimate = number(mean(v))
	case len(v) == 1:
		s.Estimate = number(v[0])
		if len(runs[0].series) < stats.LeastEWC {
			return s
		}
		e, err = stats.EWCMean(runs[0].series, level)
	default:
		s.Estimate = number(geometric(v))
		if e, err = stats.MeanT(logs, level); err == nil {
			e = e.Exp()
		}
	}
	if err == nil {
		s.Lo, s.Hi = number(e.Lo), number(e.Hi)
	}
	return s
}

func pairs(on, off []point, l layout, effect string) []report.Paired {
	if !l.paired || effect != asRatio {
		return nil
	}
	var out []report.Paired
	for i := range on {
		if ratio := off[i].value / on[i].value; number(ratio) != nil {
			out = append(out, report.Paired{Block: on[i].block, Ratio: ratio})
		}
	}
	return out
}

// enough says whether a verdict may rest on so many runs.
func enough(on, off []point) bool {
	return len(on) >= leastRuns && len(off) >= leastRuns
}

func values(runs []point) []float64 {
	v := make([]float64, len(runs))
	for i, r := range runs {
		v[i] = r.value
	}
	return v
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func geometric(v []float64) float64 {
	if slices.Min(v) == slices.Max(v) {
		return v[0] // exactly, which a logarithm and back is not
	}
	sum := 0.0
	for _, x := range v {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(v)))
}
