package stats

import "math"

// Places at which Step looks for a step: every twentieth of the series between
// its first and its last tenth. A step in the first tenth is warm-up.
const (
	stepParts = 20
	stepFirst = 2
	stepLast  = 18
)

// Step looks for one step of the level in equally spaced observations. At each
// of 17 places it tests the difference of the levels on both sides like Drift tests
// a slope, and adjusts the least p-value for their number by Bonferroni, which
// allows for any dependence between them. Before, After and At belong to the best
// of all places, where the explained sum of squares is largest. It needs
// LeastChange observations; a constant series is ErrConstant. A drift is a step to
// this test, too: compare Share.
func Step(x []float64) (Change, error) {
	m, err := movementOf(x)
	if err != nil {
		return Change{}, err
	}
	c := Change{DF: float64(len(m.coords)), N: len(x)}
	a := make([]float64, len(m.coords))
	first, last := len(x)*stepFirst/stepParts, len(x)*stepLast/stepParts
	below, best, place := 0.0, 0.0, stepFirst
	for k := 1; k <= last; k++ {
		below += x[k-1] - m.mean // sum of the first k deviations
		if k < first {
			continue
		}
		before, after := float64(k), m.n-float64(k)
		length := math.Sqrt(before * after / m.n) // of the centred step
		z := -below / length
		if abs(z) > abs(best) || c.At == 0 {
			best = z
			c.At, c.Before, c.After = k, m.mean+below/before, m.mean-below/after
		}
		if place <= stepLast && k == len(x)*place/stepParts {
			place++
			stepCoords(a, k, m.n, length)
			if t := m.test(z, a); abs(t) > abs(c.T) {
				c.T = t
			}
		}
	}
	c.Share = square(best) / m.total
	c.P = math.Min(1, (stepLast-stepFirst+1)*2*tCDF(-abs(c.T), c.DF))
	return c, nil
}

// stepCoords fills a with the coordinates of a centred step of unit length after
// k of n observations. Σ cos(πj(t+½)/n) over t < k has a closed form.
func stepCoords(a []float64, k int, n, length float64) {
	for i := range a {
		j := math.Pi * float64(i+1)
		a[i] = -math.Sqrt(2/n) * math.Sin(j*float64(k)/n) / (2 * math.Sin(j/(2*n))) / length
	}
}
