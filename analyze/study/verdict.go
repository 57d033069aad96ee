package study

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// judge gives every grant its verdict. The test of "the loss is at most the
// limit" is adjusted by Holm over the grants that have one; PASS needs no
// adjustment, since overall it takes every grant to pass.
func judge(grants []*grant, o Options) {
	p := make([]float64, len(grants))
	for i, g := range grants {
		p[i] = math.NaN()
		c := g.tokens()
		if c.Status == confirmatory && len(g.unusable) == 0 {
			p[i] = c.estimate.P(lossLimit(o), stats.Less)
		}
	}
	for i, adjusted := range stats.Holm(p) {
		g := grants[i]
		g.tokens().PLoss = number(adjusted)
		g.decide(adjusted, o)
	}
}

// decide applies the rules of the verdict in order of gravity.
func (g *grant) decide(adjustedP float64, o Options) {
	tokens := g.tokens()
	if len(g.unusable) > 0 {
		g.verdict, g.why = report.NoData, list(g.unusable)
		return
	}
	if adjustedP <= failureSize {
		g.verdict = report.Fail
		g.why = fmt.Sprintf("%s: the loss exceeds %s (%s)", found(tokens), percent(o.MaxLoss), pValue(adjustedP))
		return
	}
	rise := g.errorRise(recorded(errorShare))
	if rise.lower > o.MaxErrorIncrease {
		g.verdict = report.Fail
		g.why = fmt.Sprintf("the error share rises by at least %s, more than %s; %s", points100(rise.lower), points100(o.MaxErrorIncrease), found(tokens))
		return
	}
	if open := g.open(*tokens, rise, o); open != "" {
		g.verdict, g.why = report.Inconclusive, fmt.Sprintf("%s: %s", found(tokens), open)
		return
	}
	g.verdict = report.Pass
	g.why = fmt.Sprintf("%s: the loss is at most %s and the error share rises by at most %s", found(tokens), percent(o.MaxLoss), points100(rise.upperShown()))
}

// open says what keeps the grant from passing, "" when nothing does.
func (g *grant) open(tokens comparison, rise errorRise, o Options) string {
	switch {
	case o.Load == RateLoad:
		return "every window offers the same rate, so throughput cannot show a loss: measure with load: closed"
	case tokens.Status != confirmatory:
		return g.tooFew(tokens)
	}
	if reason := g.capped(); reason != "" {
		return reason
	}
	if text := shortOf(tokens.estimate, rise, o); text != "" {
		return text
	}
	// Whatever may be missing is now held against switching off: only a PASS that
	// survives it is one.
	if names := g.doubtful(); len(names) > 0 {
		worst := compare(metricOf(throughput), g.runs, g.layout, func(r run) (measure, bool) { m, _ := r.worst(); return m, true })
		worstRise := g.errorRise(func(r run) (measure, bool) { _, m := r.worst(); return m, true })
		if text := shortOf(worst.estimate, worstRise, o); text != "" {
			return fmt.Sprintf("this would pass, but rows may be missing (%s); counted against persistence off, %s", list(names), text)
		}
	}
	return ""
}

// shortOf says which limit of a PASS the evidence does not keep.
func shortOf(e *stats.Estimate, rise errorRise, o Options) string {
	switch {
	case e == nil:
		return "no interval can be given"
	case e.Lo < lossLimit(o):
		return fmt.Sprintf("a loss above %s is neither shown nor excluded", percent(o.MaxLoss))
	case !rise.known:
		return "how much the error share rises is unknown"
	case rise.upper > o.MaxErrorIncrease:
		return fmt.Sprintf("the error share may rise by %s, more than %s", points100(rise.upper), points100(o.MaxErrorIncrease))
	}
	return ""
}

// tooFew says how many runs are missing.
func (g *grant) tooFew(tokens comparison) string {
	switch {
	case tokens.estimate == nil && min(len(tokens.On.Runs), len(tokens.Off.Runs)) >= leastRuns:
		return "no interval can be given"
	case g.layout.paired:
		return fmt.Sprintf("a verdict needs %d pairs", leastRuns)
	default:
		return fmt.Sprintf("a verdict needs %d pairs, or %d runs of each mode", leastRuns, leastRuns)
	}
}

// capped is the first reason why a window cannot support a PASS.
func (g *grant) capped() string {
	for _, r := range g.runs {
		if bins := len(seconds(r.Run, r.span)); float64(r.silence.empty) > mostEmpty*float64(bins) {
			return fmt.Sprintf("%s: %d of %d s have no row", r, r.silence.empty, bins)
		}
		for _, metric := range []string{throughput, errorShare} {
			if reason := r.measures[metric].cap; reason != "" {
				return fmt.Sprintf("%s: %s", r, reason)
			}
		}
	}
	return ""
}

// doubtful names the windows from which rows may be missing, with the reason.
func (g *grant) doubtful() []string {
	var names []string
	for _, r := range g.runs {
		if r.silence.empty > 0 {
			names = append(names, fmt.Sprintf("%s: %d s without a row", r, r.silence.empty))
		} else if r.doubtful() {
			names = append(names, fmt.Sprintf("%s: %d unreadable rows", r, r.Requests.BadRows))
		}
	}
	return names
}

// errorRise bounds the rise of the error share when persistence is switched off.
type errorRise struct {
	known        bool
	lower, upper float64 // one-sided 95 % bounds
}

// upperShown is the upper bound as a rise: a bound below zero is no rise.
func (r errorRise) upperShown() float64 { return max(0, r.upper) }

// errorRise bounds the rise by t over the runs. Where no request failed without
// persistence, the Clopper-Pearson bound of its share bounds the rise as well.
func (g *grant) errorRise(pick picker) errorRise {
	rise := errorRise{lower: math.Inf(-1), upper: math.Inf(1)}
	var trials, events float64
	for _, r := range g.runs {
		m, ok := pick(r)
		if _, measured := r.measures[errorShare]; !measured || !ok {
			return rise
		}
		if r.Window.Mode == source.Off {
			trials += float64(m.n)
			events += float64(m.n) * m.value
		}
	}
	c := compare(metricOf(errorShare), g.runs, g.layout, pick)
	if c.Status == confirmatory {
		lower, errL := c.estimate.LowerBound(level)
		upper, errU := c.estimate.UpperBound(level)
		if errL == nil && errU == nil {
			rise = errorRise{known: true, lower: lower, upper: upper}
		}
	}
	if events == 0 && trials > 0 {
		if upper, err := stats.ClopperPearsonUpper(0, uint64(trials), level); err == nil {
			rise.known, rise.upper = true, upper
		}
	}
	return rise
}
