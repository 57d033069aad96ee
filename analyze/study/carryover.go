package study

import (
	"fmt"
	"math"
	"strconv"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// grownTable is the ratio of the token table's rows between the first and the
// last window with persistence from which the table is said to have grown. Of a
// table that was restored the server makes a new estimate, which varies by less.
const grownTable = 1.25

// carried is the metric in which a larger table would show: what is judged where
// users wait for their tokens, the database's cost where the rate is given.
func carried(o Options) string {
	if o.Load == RateLoad {
		return databaseCoreMS
	}
	return throughput
}

// carryOver says that windows with persistence may have been slowed by those
// before them, "" when nothing points to it. What stays behind is the token table,
// which only persistence fills: either its rows are known to have grown, or the
// windows became slower in their order while those without persistence did not,
// or both. It changes no verdict.
func (g *grant) carryOver(o Options) string {
	const advice = "restore the same table before each window"
	slow, known := g.slowdown(o)
	first, last, counted := g.tableRows()
	grown := counted && last >= grownTable*max(first, 1)
	if !grown {
		switch {
		case slow == "":
			return ""
		case counted:
			return fmt.Sprintf("%s; the token table held about %s rows before the first of them and %s before the last, so it is not the reason: look for what else stays behind", slow, rowCount(first), rowCount(last))
		}
		return slow + ": the token table may have grown from window to window; " + advice
	}
	growth := fmt.Sprintf("the token table grew from about %s rows before the first window with persistence to %s before the last", rowCount(first), rowCount(last))
	switch {
	case slow != "":
		return fmt.Sprintf("%s, and %s: %s", growth, slow, advice)
	case known:
		return fmt.Sprintf("%s; later windows are not found to be slower for it: %s all the same", growth, advice)
	}
	return fmt.Sprintf("%s, and whether that slowed later ones cannot be told: %s", growth, advice)
}

// slowdown says that each window with persistence seems to have left the next one
// slower: throughput falls, or at a given rate the database's cost rises, in the
// order of the windows, by more than half the allowed loss over the test, while
// without persistence it does so less than half as fast. known is false when the
// windows with persistence have no trend.
func (g *grant) slowdown(o Options) (text string, known bool) {
	metric := carried(o)
	runs := ofMode(g.runs, source.On)
	on, ok := trend(runs, metric)
	if !ok {
		return "", false
	}
	if on.Hi >= 0 || on.Value*float64(len(runs)-1) > lossLimit(o)/2 {
		return "", true
	}
	if off, ok := trend(ofMode(g.runs, source.Off), metric); ok && off.Value < on.Value/2 {
		return "", true // both modes slow down: a drift, which pairs take out
	}
	subject, turned := "throughput falls", -1.0
	if metric != throughput {
		subject, turned = "what a token costs the database rises", 1
	}
	by := func(v float64) string { return percent(rounded(math.Abs(math.Expm1(-turned * v)))) }
	return fmt.Sprintf("with persistence on, %s by %s per window [%s, %s], without it does not", subject, by(on.Value), by(on.Hi), by(on.Lo)), true
}

func rounded(share float64) float64 { return math.Round(share*1000) / 1000 }

// tableRows are the rows of the token table when the first and when the last
// window with persistence began; ok is false where nothing told them, or there
// is one window only.
func (g *grant) tableRows() (first, last float64, ok bool) {
	runs := ofMode(g.runs, source.On)
	if len(runs) < 2 {
		return 0, 0, false
	}
	a, b := runs[0].rowsBefore(), runs[len(runs)-1].rowsBefore()
	if a == nil || b == nil {
		return 0, 0, false
	}
	return *a, *b, true
}

// rowsBefore are the rows of the token table at the first reading in a window,
// its warm-up included.
func (r run) rowsBefore() *float64 {
	points := r.Series[source.TokenRows].Points
	if len(points) == 0 || number(points[0].Value) == nil {
		return nil
	}
	return &points[0].Value
}

// rowCount prints a number of rows to three digits.
func rowCount(v float64) string {
	if v >= 1e6 {
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + " million"
	}
	unit := math.Pow(10, max(0, math.Floor(math.Log10(max(v, 1)))-2))
	return strconv.FormatFloat(math.Round(v/unit)*unit, 'f', 0, 64)
}

// trend is the least-squares slope of the log of a metric over the order of the
// windows with its 95 % interval by Student's t, n − 2 degrees of freedom; that of
// a cost has its sign turned, so that below 0 is a loss. It assumes independent
// windows. ok is false for fewer than leastRuns windows, a value that is 0 or
// missing, and windows that lie exactly on a line.
func trend(runs []run, metric string) (slope stats.Estimate, ok bool) {
	if len(runs) < leastRuns {
		return stats.Estimate{}, false
	}
	v := make([]float64, len(runs))
	for i, r := range runs {
		v[i] = r.measures[metric].value
		if metric != throughput {
			v[i] = 1 / v[i]
		}
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
