package study

import (
	"fmt"
	"math"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// judge gives every grant its verdict. The tests of "the loss is at most the
// limit" are adjusted by Holm over all that are made; PASS needs no adjustment,
// since overall it takes every one of them to pass.
func judge(grants []*grant, o Options) {
	var tested []*comparison
	var p []float64
	for _, g := range grants {
		for _, c := range g.judged(o) {
			tested = append(tested, c)
			p = append(p, math.NaN())
			if c.Status == confirmatory && len(g.unusable) == 0 && g.unmeasured(c.Metric) == "" {
				p[len(p)-1] = c.gain().P(lossLimit(o), stats.Less)
			}
		}
	}
	for i, adjusted := range stats.Holm(p) {
		tested[i].PLoss = number(adjusted)
	}
	for _, g := range grants {
		g.decide(o)
	}
}

// decide applies the rules of the verdict in order of gravity.
func (g *grant) decide(o Options) {
	if len(g.unusable) > 0 {
		g.verdict, g.why = report.NoData, list(g.unusable)
		return
	}
	weakest := g.weakest(o)
	if p := weakest.PLoss; p != nil && *p <= failureSize {
		g.verdict = report.Fail
		g.why = fmt.Sprintf("%s: the %s exceeds %s (%s)", found(weakest), loss(o), percent(o.MaxLoss), pValue(*p))
		return
	}
	rise := g.errorRise(recorded(errorShare))
	if rise.lower > o.MaxErrorIncrease {
		g.verdict = report.Fail
		g.why = fmt.Sprintf("the error share rises by at least %s, more than %s; %s", points100(rise.lower), points100(o.MaxErrorIncrease), found(weakest))
		return
	}
	if open := g.open(weakest, rise, o); open != "" {
		g.verdict, g.why = report.Inconclusive, fmt.Sprintf("%s: %s%s", found(weakest), open, blindness(weakest))
		return
	}
	var all []string
	for _, c := range g.judged(o) {
		all = append(all, found(c))
	}
	g.verdict = report.Pass
	g.why = fmt.Sprintf("%s: the %s is at most %s and the error share rises by at most %s", strings.Join(all, "; "), loss(o), percent(o.MaxLoss), points100(rise.upperShown()))
}

// blindness says how blind the runs of an open grant were, "" when that is unknown.
func blindness(c *comparison) string {
	if c.DetectableLoss == nil {
		return ""
	}
	return fmt.Sprintf("; the smallest loss that these runs detect is %s", percent(*c.DetectableLoss))
}

// weakest is the judged comparison that is furthest from a PASS: one that is not
// fully measured, else one without an interval, else the smallest p of "the loss
// is at most the limit", else the lowest bound of the gain.
func (g *grant) weakest(o Options) *comparison {
	all := g.judged(o)
	key := func(c *comparison) (int, float64) {
		switch {
		case c.PLoss != nil && *c.PLoss <= failureSize:
			return 0, *c.PLoss
		case g.unmeasured(c.Metric) != "":
			return 1, 0
		case c.estimate == nil || c.Status != confirmatory:
			return 2, 0
		}
		return 3, c.gain().Lo
	}
	weakest := all[0]
	for _, c := range all[1:] {
		rank, value := key(c)
		worstRank, worstValue := key(weakest)
		if rank < worstRank || rank == worstRank && value < worstValue {
			weakest = c
		}
	}
	return weakest
}

// unmeasured names the first window that lacks a judged metric, with the reason;
// "" when all have it. A throughput that is missing makes the grant unusable
// before; a cost that is missing leaves it open.
func (g *grant) unmeasured(metric string) string {
	for _, r := range g.runs {
		if err := r.missing[metric]; err != nil {
			return fmt.Sprintf("%s: %s", r, err)
		}
	}
	return ""
}

// open says what keeps the grant from passing, "" when nothing does.
func (g *grant) open(weakest *comparison, rise errorRise, o Options) string {
	if reason := g.unmeasured(weakest.Metric); reason != "" {
		return reason
	}
	if weakest.Status != confirmatory {
		return g.tooFew(*weakest)
	}
	if reason := g.capped(o); reason != "" {
		return reason
	}
	if reason := g.unequalRates(o); reason != "" {
		return reason
	}
	for _, c := range g.judged(o) {
		if text := shortOf(*c, rise, o); text != "" {
			return text
		}
	}
	for _, metric := range judged(o) {
		if text := g.unsteady(metric, o); text != "" {
			return text
		}
	}
	// Whatever may be missing is now held against switching off: only a PASS that
	// survives it is one.
	names := g.doubtful()
	if len(names) == 0 {
		return ""
	}
	worstRise := g.errorRise(func(r run) (measure, bool) { return r.worst(errorShare), true })
	for _, metric := range judged(o) {
		worst := compare(metricOf(metric), g.runs, g.layout, func(r run) (measure, bool) { return r.worst(metric), true })
		if text := shortOf(worst, worstRise, o); text != "" {
			return fmt.Sprintf("this would pass, but rows may be missing (%s); counted against persistence off, %s", list(names), text)
		}
	}
	return ""
}

// shortOf says which limit of a PASS the evidence does not keep.
func shortOf(c comparison, rise errorRise, o Options) string {
	switch {
	case c.estimate == nil:
		return "no interval can be given"
	case c.gain().Lo < lossLimit(o):
		return fmt.Sprintf("a %s above %s is neither shown nor excluded", loss(o), percent(o.MaxLoss))
	case !rise.known:
		return "how much the error share rises is unknown"
	case rise.upper > o.MaxErrorIncrease:
		return fmt.Sprintf("the error share may rise by %s, more than %s", points100(rise.upper), points100(o.MaxErrorIncrease))
	}
	return ""
}

// tooFew says how many runs are missing.
func (g *grant) tooFew(c comparison) string {
	switch {
	case c.estimate == nil && min(len(c.On.Runs), len(c.Off.Runs)) >= leastRuns:
		return "no interval can be given"
	case g.layout.paired:
		return fmt.Sprintf("a verdict needs %d pairs", leastRuns)
	default:
		return fmt.Sprintf("a verdict needs %d pairs, or %d runs of each mode", leastRuns, leastRuns)
	}
}

// capped is the first reason why a window cannot support a PASS.
func (g *grant) capped(o Options) string {
	for _, r := range g.runs {
		if bins := len(seconds(r.Run, r.span)); float64(r.silence.empty) > mostEmpty*float64(bins) {
			return fmt.Sprintf("%s: %d of %d s have no row", r, r.silence.empty, bins)
		}
		for _, m := range metrics() {
			if reason := r.measures[m.id].cap; reason != "" && always(m.id, o) {
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
