package study

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// rateTolerance is how far the throughputs of the two modes may differ under
// load: rate. A host has work of its own besides tokens, so that at another rate
// a token seems to cost something else.
const rateTolerance = 0.01

// unequalRates says that the two modes did not issue the same number of tokens
// per second although load: rate promises it. Rows that may be missing are held
// to have been tokens of either mode.
func (g *grant) unequalRates(o Options) string {
	if o.Load != RateLoad {
		return ""
	}
	least, most := g.rates(source.On), g.rates(source.Off)
	switch {
	case math.IsNaN(least) || math.IsNaN(most):
		return "the throughputs of the two modes cannot be compared"
	case least >= 1-rateTolerance && most <= 1+rateTolerance:
		return ""
	case least == most:
		return fmt.Sprintf("throughput off/on is %.4g, but under load: rate it has to be 1 within %s", least, percent(rateTolerance))
	}
	return fmt.Sprintf("throughput off/on lies between %.4g and %.4g with what may be missing, but under load: rate it has to be 1 within %s", least, most, percent(rateTolerance))
}

// rates is the ratio off/on of the throughputs if every row that may be missing
// from the windows of a mode was a token.
func (g *grant) rates(mode source.Mode) float64 {
	c := compare(metricOf(throughput), g.runs, g.layout, func(r run) (measure, bool) {
		m, ok := r.measures[throughput]
		if ok && r.Window.Mode == mode && r.doubtful() {
			m.value += r.lost() / float64(len(seconds(r.Run, r.span)))
		}
		return m, ok
	})
	if c.Ratio.Estimate == nil {
		return math.NaN()
	}
	return *c.Ratio.Estimate
}
