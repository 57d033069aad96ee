package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Segmentation is a series cut where its level changes.
type Segmentation struct {
	At      []int   // first observation of every segment but the first, rising
	Phi     float64 // lag-1 autocorrelation that the noise was taken to have
	LongRun float64 // long-run variance of the noise, in squares of the unit
	Penalty float64 // what a change point has to save in squared error
}

const (
	// changePenalty times the long-run variance and ln n is the price of a change
	// point. 2 is the BIC's for known noise (Yao 1988); what is added pays for
	// noise that was measured in the same series.
	changePenalty = 3
	// mostPhi bounds the autocorrelation that is allowed for: with more than that
	// a level that lasts is not to be told from noise that does.
	mostPhi = 0.9
	// phiMargin over the root of n is added to the measured autocorrelation, about
	// half of its standard error: too little would make changes out of noise.
	phiMargin = 1.2
	// hampelReach is how far the running median looks to either side, and
	// hampelLimit how many standard deviations from it a value keeps.
	hampelReach = 3
	hampelLimit = 3
	// largest is a value whose square, and a sum of many, is still a number.
	largest = 1e145
	// quartile is the upper quartile of the standard normal distribution.
	quartile = 0.6744897501960817
)

// ChangePoints cuts equally spaced observations into segments of at least least
// observations, each around a level of its own, so that the sum of squared
// errors plus a penalty for every cut is as small as it can be: optimal
// partitioning with the pruning of PELT (Killick, Fearnhead and Eckley 2012), so
// the minimum is the global one. The penalty is 3·Ω·ln n with Ω the long-run
// variance of AR(1) noise. Autocorrelation and variance come from the medians of
// the first and second differences, which steps hardly touch (Chakar, Lebarbier,
// Lévy-Leduc and Robin 2017). Values more than 3 standard deviations from a
// running median of 7 are first drawn in to there (Hampel filter), so that a
// stall of up to 3 observations is no change. It needs LeastChange observations;
// a constant series is ErrConstant.
func ChangePoints(x []float64, least int) (Segmentation, error) {
	if err := finite(x, LeastChange); err != nil {
		return Segmentation{}, err
	}
	if least < 1 {
		return Segmentation{}, fmt.Errorf("%w: a segment of %d observations", ErrArgument, least)
	}
	if most := slices.MaxFunc(x, func(a, b float64) int { return cmp.Compare(abs(a), abs(b)) }); abs(most) > largest {
		return Segmentation{}, fmt.Errorf("%w: %g is too large to square", ErrNotFinite, most)
	}
	y := hampel(x)
	s, err := noiseOf(y)
	if err != nil {
		return Segmentation{}, err
	}
	s.Penalty = changePenalty * s.LongRun * math.Log(float64(len(y)))
	s.At = partition(y, least, s.Penalty)
	return s, nil
}

// noiseOf measures AR(1) noise around levels that change now and then. With d₁
// and d₂ the medians of |x(t+1) − x(t)| and |x(t+2) − x(t)|, φ = (d₂/d₁)² − 1, and
// half the variance of the second differences is that of the innovations.
func noiseOf(x []float64) (Segmentation, error) {
	first, second := medianRise(x, 1), medianRise(x, 2)
	if first <= 0 || second <= 0 {
		return Segmentation{}, fmt.Errorf("%w: all %d values agree", ErrConstant, len(x))
	}
	phi := max(0, square(second/first)-1) + phiMargin/math.Sqrt(float64(len(x)))
	phi = min(phi, mostPhi)
	innovation := square(second/quartile) / 2
	return Segmentation{Phi: phi, LongRun: innovation / square(1-phi)}, nil
}

// medianRise is the median of the absolute differences at a lag; where most of
// them are 0, as between small counts, what their mean would make it.
func medianRise(x []float64, lag int) float64 {
	d := make([]float64, len(x)-lag)
	mean := 0.0
	for i := range d {
		d[i] = abs(x[i+lag] - x[i])
		mean += d[i] / float64(len(d))
	}
	if m := middle(d); m > 0 {
		return m
	}
	return mean * quartile * math.Sqrt(math.Pi/2)
}

// middle is the median; it sorts what it is given.
func middle(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// hampel draws values in that are far from the median of their neighbours.
func hampel(x []float64) []float64 {
	medians, off := make([]float64, len(x)), make([]float64, len(x))
	var near [2*hampelReach + 1]float64
	for i := range x {
		n := copy(near[:], x[max(0, i-hampelReach):min(len(x), i+hampelReach+1)])
		medians[i] = middle(near[:n])
		off[i] = abs(x[i] - medians[i])
	}
	limit := hampelLimit * middle(off) / quartile
	y := slices.Clone(x)
	if limit == 0 { // most values are their own median: no scale to judge the rest by
		return y
	}
	for i, m := range medians {
		y[i] = min(max(y[i], m-limit), m+limit)
	}
	return y
}

// candidate is a place that may be the last cut before an end. From until on it
// cannot be any more: a later cut is cheaper whatever follows.
type candidate struct{ at, until int }

// partition returns the cuts with the least sum of squared errors and penalties.
// Pruning waits for the shortest segment, since the cut that beats a candidate at
// t needs so much room behind it.
func partition(x []float64, least int, penalty float64) []int {
	n := len(x)
	squares := squaredErrors(x)
	cost, last := make([]float64, n+1), make([]int, n+1)
	cost[0] = -penalty
	var open []candidate
	for t := least; t <= n; t++ {
		if at := t - least; at == 0 || at >= least {
			open = append(open, candidate{at, n + 1})
		}
		open = slices.DeleteFunc(open, func(c candidate) bool { return c.until <= t })
		cost[t] = math.Inf(1)
		for _, c := range open {
			if total := cost[c.at] + squares(c.at, t) + penalty; total < cost[t] {
				cost[t], last[t] = total, c.at
			}
		}
		for i, c := range open {
			if cost[c.at]+squares(c.at, t) > cost[t] {
				open[i].until = min(c.until, t+least)
			}
		}
	}
	var cuts []int
	for t := last[n]; t > 0; t = last[t] {
		cuts = append(cuts, t)
	}
	slices.Reverse(cuts)
	return cuts
}

// squaredErrors returns the sum of squared deviations of x[from:to] from their
// mean, in constant time.
func squaredErrors(x []float64) func(from, to int) float64 {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	sums, squares := make([]float64, len(x)+1), make([]float64, len(x)+1)
	for i, v := range x {
		v -= mean // the level would swamp the noise
		sums[i+1], squares[i+1] = sums[i]+v, squares[i]+v*v
	}
	return func(from, to int) float64 {
		sum := sums[to] - sums[from]
		return max(0, squares[to]-squares[from]-sum*sum/float64(to-from))
	}
}
