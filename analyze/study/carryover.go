package study

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// carryOver says that each window with persistence seems to have left the next
// one slower: their throughput falls in the order of the windows, by more than
// half the allowed loss over the test, while that without persistence falls less
// than half as fast. What stays behind is the token table, which only persistence
// fills. Nothing reads the table's size during the test, so this is a suspicion.
func (g *grant) carryOver(o Options) string {
	on, ok := trend(ofMode(g.runs, source.On))
	if !ok || on.Hi >= 0 {
		return ""
	}
	windows := len(ofMode(g.runs, source.On))
	if on.Value*float64(windows-1) > lossLimit(o)/2 {
		return ""
	}
	if off, ok := trend(ofMode(g.runs, source.Off)); ok && off.Value < on.Value/2 {
		return "" // both modes slow down: a drift, which pairs take out
	}
	return fmt.Sprintf("with persistence on, throughput falls by %s per window [%s, %s], without it does not: the token table may have grown from window to window; restore the same table before each",
		percent(rounded(-math.Expm1(on.Value))), percent(rounded(-math.Expm1(on.Hi))), percent(rounded(-math.Expm1(on.Lo))))
}

func rounded(share float64) float64 { return math.Round(share*1000) / 1000 }

// trend is the least-squares slope of the log throughput over the order of the
// windows with its 95 % interval by Student's t, n − 2 degrees of freedom. It
// assumes independent windows. ok is false for fewer than leastRuns windows, a
// throughput of 0 and windows that lie exactly on a line.
func trend(runs []run) (slope stats.Estimate, ok bool) {
	if len(runs) < leastRuns {
		return stats.Estimate{}, false
	}
	v := make([]float64, len(runs))
	for i, r := range runs {
		v[i] = r.measures[throughput].value
	}
	y, err := stats.Logs(v)
	if err != nil {
		return stats.Estimate{}, false
	}
	n := float64(len(y))
	middle, average := (n-1)/2, mean(y)
	var xx, xy, rest float64
	for i, value := range y {
		x := float64(i) - middle
		xx += x * x
		xy += x * (value - average)
	}
	b := xy / xx
	for i, value := range y {
		residual := value - average - b*(float64(i)-middle)
		rest += residual * residual
	}
	e := stats.Estimate{Value: b, SE: math.Sqrt(rest / (n - 2) / xx), DF: n - 2, N: len(y), Unit: "ln"}
	if !(e.SE > 1e-12) {
		return stats.Estimate{}, false
	}
	e, err = e.At(level)
	return e, err == nil
}
