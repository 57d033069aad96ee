package study

import (
	"fmt"
	"math"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// changeSize is the chance, over all windows of an experiment together, that a
// steady one is said to step or to drift (Holm over both tests of each).
const changeSize = 0.01

// Kinds of movement within a window, which are also the names of their warnings.
const (
	stepped = "step"
	drifted = "drift"
)

// movement is how a judged metric of one window changed while it was measured.
type movement struct {
	metric, kind string
	// found is false where no test found the change, but rows may be missing.
	found bool
	// first and last are the levels at the start and at the end of the measured
	// part, as ratios of its mean.
	first, last float64
	at          time.Duration // of a step, since the window's start
}

// findMovements tests metrics of every window for a step and for a drift. What it
// finds is put into the runs: of a series that both tests reject, the change that
// explains more. A window from which rows may be missing counts as moving whatever
// the tests say, so that a lost second cannot make it steady.
func findMovements(runs []run, metrics []string) {
	type tested struct {
		run         *run
		metric      string
		step, drift stats.Change
	}
	var all []tested
	var p []float64
	for i := range runs {
		r := &runs[i]
		r.movements = map[string]*movement{}
		for _, metric := range metrics {
			step, errS := stats.Step(r.seen(metric))
			drift, errD := stats.Drift(r.seen(metric))
			if errS == nil && errD == nil && r.measures[metric].value > 0 {
				all = append(all, tested{r, metric, step, drift})
				p = append(p, step.P, drift.P)
			}
		}
	}
	adjusted := stats.Holm(p)
	for i, t := range all {
		isStep, isDrift := adjusted[2*i] <= changeSize, adjusted[2*i+1] <= changeSize
		useStep := t.step.Share >= t.drift.Share
		if isStep != isDrift {
			useStep = isStep
		}
		kind, best := drifted, t.drift
		if useStep {
			kind, best = stepped, t.step
		}
		m := t.run.moved(t.metric, kind, best)
		m.found = isStep || isDrift
		t.run.tested = true
		if m.found || t.run.doubtful() {
			t.run.movements[t.metric] = &m
		}
	}
}

// seen is the series of a metric, that of throughput without the seconds that have
// no row: whether they were an outage or lost, they have their own warning and
// their own rule.
func (r run) seen(metric string) []float64 {
	series := r.measures[metric].series
	if series == nil {
		return r.measures[metric].parts
	}
	if metric != throughput || r.silence.empty == 0 {
		return series
	}
	var out []float64
	for i, b := range seconds(r.Run, r.span) {
		if b.Successes+b.Errors > 0 && i < len(series) {
			out = append(out, series[i])
		}
	}
	return out
}

// moved describes a change in the window's own terms.
func (r run) moved(metric, kind string, c stats.Change) movement {
	series := r.seen(metric)
	usual := mean(series)
	elapsed := time.Duration(float64(r.span.length()) * float64(c.At) / float64(len(series)))
	return movement{metric: metric, kind: kind, first: c.Before / usual, last: c.After / usual, at: r.span.from.Add(elapsed).Sub(r.Window.Start)}
}

// material says whether the window's own value would leave half the margin if
// the window had kept its first, or its last, level.
func (m *movement) material(o Options) bool {
	return !(max(math.Abs(math.Log(m.first)), math.Abs(math.Log(m.last))) <= halfMargin(o))
}

// String says what happened.
func (m *movement) String() string {
	subject := "throughput"
	if m.metric != throughput {
		subject = metricOf(m.metric).label
	}
	by := fmt.Sprintf("by %+.1f %%", 100*(max(m.last, 0)/m.first-1))
	if m.first <= 0 { // a line through a collapse
		by = "from nothing"
	}
	if m.kind == stepped {
		return fmt.Sprintf("%s steps %s after %.0f s", subject, by, m.at.Seconds())
	}
	return fmt.Sprintf("%s drifts %s between its ends", subject, by)
}

// unsteadiness is the warning of one kind about a metric of a window, "" when
// there is nothing to say.
func (r run) unsteadiness(metric, kind string, o Options) string {
	m := r.movements[metric]
	if m == nil || !m.found || m.kind != kind || !m.material(o) {
		return ""
	}
	if kind == stepped {
		return m.String() + ": find out what happened then, and repeat the window"
	}
	return m.String() + ": warm up longer, and measure until it is steady"
}

// halfMargin is half the loss that is allowed, on the log scale.
func halfMargin(o Options) float64 { return -lossLimit(o) / 2 }

// unsteady says why steps and drifts of a metric keep a grant from passing, ""
// when they do not: they must move its ratio by more than half the margin. The
// ratio is formed again from the levels with which the moving windows started, and
// from those with which they ended. What all windows do together moves no ratio.
func (g *grant) unsteady(metric string, o Options) string {
	var names []string
	for _, r := range g.runs {
		if m := r.movements[metric]; m != nil {
			names = append(names, fmt.Sprintf("%s: %s", r, m))
		}
	}
	if len(names) == 0 {
		return ""
	}
	moved := max(
		g.movedBy(metric, func(m *movement) float64 { return m.first }),
		g.movedBy(metric, func(m *movement) float64 { return m.last }),
	)
	if moved <= halfMargin(o) {
		return ""
	}
	by := "by " + percent(math.Round(1000*math.Expm1(moved))/1000)
	if math.IsInf(moved, 0) {
		by = "beyond all bounds"
	}
	return fmt.Sprintf("this would pass, but with the first or the last level of the windows that move, its ratio moves %s, more than half the allowed loss (%s)", by, list(names))
}

// movedBy is how far the log ratio of a metric moves when every moving window has
// another level than its mean; infinite when there is no ratio then.
func (g *grant) movedBy(metric string, level func(*movement) float64) float64 {
	possible := true
	ratio := func(pick picker) report.Number {
		return compare(metricOf(metric), g.runs, g.layout, pick).Ratio.Estimate
	}
	before, after := ratio(recorded(metric)), ratio(func(r run) (measure, bool) {
		m, ok := r.measures[metric]
		if moving := r.movements[metric]; moving != nil {
			m.value *= level(moving)
			possible = possible && m.value > 0
		}
		return m, ok
	})
	if !possible || before == nil || after == nil || !(*before > 0) {
		return math.Inf(1)
	}
	return math.Abs(math.Log(*after / *before))
}
