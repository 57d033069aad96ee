package study

import (
	"fmt"
	"math"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// grant is everything known about one grant type.
type grant struct {
	name        string
	runs        []run
	layout      layout
	comparisons []comparison
	unusable    []string // why there is no data for a verdict
	verdict     report.Verdict
	why         string
}

// tokens returns the comparison of the throughput, which compareGrants always
// makes.
func (g *grant) tokens() *comparison {
	i := slices.IndexFunc(g.comparisons, func(c comparison) bool { return c.Metric == throughput })
	return &g.comparisons[i]
}

// judged returns the comparisons on which the verdict rests beside the error
// share, of which compareGrants makes at least one.
func (g *grant) judged(o Options) []*comparison {
	var out []*comparison
	for i := range g.comparisons {
		if slices.Contains(judged(o), g.comparisons[i].Metric) {
			out = append(out, &g.comparisons[i])
		}
	}
	return out
}

// gain is the estimate of a judged comparison on the log scale, turned so that
// below 0 is a loss: of tokens per second, or of tokens per core-millisecond,
// which is what a token costs turned over.
func (c *comparison) gain() stats.Estimate {
	e := *c.estimate
	if c.Metric != throughput {
		e.Value, e.Lo, e.Hi = -e.Value, -e.Hi, -e.Lo
	}
	return e
}

// compareGrants makes every comparison of every grant, grants by name.
func compareGrants(runs []run, d source.Dataset, o Options) []*grant {
	var grants []*grant
	for start := 0; start < len(runs); {
		end := start + 1
		for end < len(runs) && runs[end].Window.Grant == runs[start].Window.Grant {
			end++
		}
		g := &grant{name: runs[start].Window.Grant, runs: runs[start:end]}
		g.layout = arrange(g.runs)
		g.unusable = unusable(g, d)
		for _, m := range metrics() {
			if !always(m.id, o) && !present(m, runs, d) || m.id == withErrors && !g.failed() {
				continue
			}
			c := compare(m, g.runs, g.layout, recorded(m.id))
			c.Grant = g.name
			if !primary(m.id, o) {
				c.Status = descriptive
			}
			g.test(&c, o)
			g.bound(&c)
			g.qualify(&c, m, d, o)
			g.comparisons = append(g.comparisons, c)
		}
		grants = append(grants, g)
		start = end
	}
	return grants
}

// failed says whether any request of the grant did. Where none did, counting them
// too gives the same numbers again.
func (g *grant) failed() bool {
	return slices.ContainsFunc(g.runs, func(r run) bool { return r.measures[errorShare].value > 0 })
}

// recorded picks what was measured of a metric.
func recorded(id string) picker {
	return func(r run) (measure, bool) {
		m, ok := r.measures[id]
		return m, ok
	}
}

// present says whether any window has the metric, or a source was asked for it.
func present(m metric, runs []run, d source.Dataset) bool {
	return slices.ContainsFunc(runs, func(r run) bool { _, ok := r.measures[m.id]; return ok }) ||
		slices.ContainsFunc(d.Problems, func(p source.Problem) bool { return slices.Contains(m.series, p.Series) })
}

// unusable lists the declared inputs of a grant without which it has no verdict.
func unusable(g *grant, d source.Dataset) []string {
	var out []string
	if g.layout.broken != "" {
		out = append(out, g.layout.broken)
	}
	explained := map[int]bool{}
	for _, p := range d.Problems {
		if !p.NoData {
			continue
		}
		if p.Window < 0 {
			out = append(out, p.Text)
		}
		for _, r := range g.runs {
			if r.index == p.Window {
				out = append(out, fmt.Sprintf("%s: %s", r, p.Text))
				explained[r.index] = true
			}
		}
	}
	for _, r := range g.runs {
		if err := r.missing[throughput]; err != nil && !explained[r.index] {
			out = append(out, fmt.Sprintf("%s: %s", r, err))
		}
	}
	return out
}

// test adds p-values and the detectable loss to a comparison that is judged. They
// rest on differences between runs, so a single window on each side has none.
func (g *grant) test(c *comparison, o Options) {
	if !slices.Contains(judged(o), c.Metric) || c.estimate == nil || c.Method == methodWithin {
		return
	}
	e := c.gain()
	c.PDifference = number(e.P(0, stats.TwoSided))
	c.PNonInferior = number(e.P(lossLimit(o), stats.Greater))
	if g.layout.paired && len(c.On.Runs) >= leastFlips {
		c.PSignFlip = signFlip(c.On.Runs, c.Off.Runs)
	}
	if d, err := stats.Detectable(e.SE, e.DF, 1-level, targetPower); err == nil {
		c.DetectableLoss = number(-math.Expm1(-d))
	}
}

// signFlip is the p of "nothing changes" by sign flips of the log ratios. It is
// shown and never decides.
func signFlip(on, off []report.Run) report.Number {
	var x, y []float64
	for i := range on {
		x, y = append(x, math.Log(off[i].Value)), append(y, math.Log(on[i].Value))
	}
	f, err := stats.SignFlip(x, y)
	if err != nil {
		return nil
	}
	return number(f.P)
}

// bound describes the error comparison where no request failed without
// persistence: t has nothing to work with, and the Clopper-Pearson bound of the
// share is one of its rise as well.
func (g *grant) bound(c *comparison) {
	if c.Metric != errorShare || c.estimate != nil || c.Ratio.Estimate == nil {
		return
	}
	if rise := g.errorRise(recorded(errorShare)); rise.known {
		c.Method = fmt.Sprintf("no request failed without persistence: at most %s by Clopper-Pearson, one-sided 95 %%", points100(rise.upper))
		c.Warnings = slices.DeleteFunc(c.Warnings, func(w report.Warning) bool { return w.ID == noSpread })
	}
}

// lossLimit is the gain at which exactly the allowed loss is lost.
func lossLimit(o Options) float64 { return math.Log1p(-o.MaxLoss) }
