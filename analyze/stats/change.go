package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Change is the fit of one kind of change to a series, and its test.
type Change struct {
	Before, After float64 // levels: on both sides of a step, at both ends of a drift
	At            int     // first observation after a step; 0 for a drift
	T, DF         float64 // of the test that nothing changes
	P             float64 // two-sided; for a step over all places tried
	Share         float64 // of the sum of squares around the mean that the change explains
	N             int
}

// LeastChange is the number of observations that Drift and Step need. A
// shorter series says nothing about its own low frequencies.
const LeastChange = LeastEWC

// leastShare of the sum of squares is what rounding leaves of a series that its
// change explains completely; no variance is taken to be less.
const leastShare = 1e-14

// movement is what the tests for a change need to know of a series: its mean and
// its coordinates along the B slowest orthonormal cosine waves.
type movement struct {
	n      float64
	mean   float64
	total  float64 // sum of squares around the mean
	coords []float64
}

func movementOf(x []float64) (movement, error) {
	if err := finite(x, LeastChange); err != nil {
		return movement{}, err
	}
	m := movement{n: float64(len(x)), mean: stat.Mean(x, nil)}
	for _, v := range x {
		m.total += square(v - m.mean)
	}
	if !(m.total > m.n*square(10*epsilon*m.mean)) || math.IsInf(m.total, 0) {
		return movement{}, fmt.Errorf("%w: all %d values agree, or are too large to square", ErrConstant, len(x))
	}
	m.coords = cosines(x, m.mean, cosineCount(len(x)))
	for j := range m.coords {
		m.coords[j] *= math.Sqrt(2 / m.n)
	}
	return m, nil
}

// test is the t statistic of the projection z of the series on a pattern of unit
// length and mean 0 whose coordinates along the waves are a. The noise is measured
// where the pattern is not: its long-run variance is the mean square along the
// B directions that the waves span beside the pattern. Without a change numerator
// and denominator are independent and t has B degrees of freedom, as with EWC, and
// a change cannot inflate its own yardstick, as it does with a long-run variance
// around the mean.
func (m movement) test(z float64, a []float64) float64 {
	var yy, aa, ay float64
	for j, y := range m.coords {
		yy += y * y
		aa += a[j] * a[j]
		ay += a[j] * y
	}
	squares := yy - z*z
	if beside := 1 - aa; beside > 1e-12 { // what of the pattern no wave has
		squares += square(z-ay) / beside
	}
	b := float64(len(m.coords))
	return z / math.Sqrt(max(squares/b, leastShare*m.total))
}
