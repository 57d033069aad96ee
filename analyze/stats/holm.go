package stats

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts p-values for their number so that the chance of any false
// rejection in the family stays at the nominal level, whatever the dependence
// between the tests. A NaN is a test that was not made: it stays NaN and does
// not count, as in R's p.adjust. The order of the input is kept; ties get equal
// results.
func Holm(p []float64) []float64 {
	order := make([]int, 0, len(p))
	adjusted := slices.Clone(p)
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, float64(len(order)-rank)*p[i])
		adjusted[i] = min(1, largest)
	}
	return adjusted
}
