package inspect

import "slices"

// recentResults is how many results JMeter's dashboard keeps per label for its
// percentiles (jmeter.reportgenerator.statistic_window).
const recentResults = 20_000

// window keeps the last results of a label in a ring.
type window struct {
	elapsed []int64
	next    int
}

func (w *window) add(elapsed int64) {
	if len(w.elapsed) < recentResults {
		w.elapsed = append(w.elapsed, elapsed)
		return
	}
	w.elapsed[w.next] = elapsed
	w.next = (w.next + 1) % recentResults
}

// sorted are the results kept, the shortest first.
func (w *window) sorted() []float64 {
	out := make([]float64, len(w.elapsed))
	for i, v := range w.elapsed {
		out[i] = float64(v)
	}
	slices.Sort(out)
	return out
}
