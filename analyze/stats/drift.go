package stats

import "math"

// Drift fits a straight line to equally spaced observations by least squares
// and tests that its slope is 0, allowing for autocorrelation: the noise is
// stationary, and its long-run variance is measured along the B slowest cosine
// waves beside the line (EWC with the trend projected out; Lazarus, Lewis, Stock
// and Watson 2018). It needs LeastChange observations; a constant series is
// ErrConstant. A step is a drift to this test, too.
func Drift(x []float64) (Change, error) {
	m, err := movementOf(x)
	if err != nil {
		return Change{}, err
	}
	length := math.Sqrt(m.n * (m.n*m.n - 1) / 12) // of the centred times
	z := 0.0
	for t, v := range x {
		z += (float64(t) - (m.n-1)/2) / length * (v - m.mean)
	}
	// Σ (t+½) cos(πj(t+½)/n) in closed form; it is 0 for even j.
	a := make([]float64, len(m.coords))
	for j := 1; j <= len(a); j += 2 {
		half := math.Pi * float64(j) / (2 * m.n)
		a[j-1] = -math.Sqrt(2/m.n) * math.Cos(half) / (2 * square(math.Sin(half))) / length
	}
	c := Change{T: m.test(z, a), DF: float64(len(a)), Share: square(z) / m.total, N: len(x)}
	c.P = math.Min(1, 2*tCDF(-abs(c.T), c.DF))
	rise := z / length * (m.n - 1)
	c.Before, c.After = m.mean-rise/2, m.mean+rise/2
	return c, nil
}
