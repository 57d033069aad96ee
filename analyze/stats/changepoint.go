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
	// winsor is where differences are cut, in standard deviations, and winsorised
	// what that leaves of the variance of normal ones: E min(z², 9).
	winsor     = 3
	winsorised = 0.9950
	// quartile is the upper quartile of the standard normal distribution.
	quartile = 0.6744897501960817
)

// ChangePoints cuts equally spaced observations into segments of at least least
// observations, each around a level of its own, so that the sum of squared
// errors plus a penalty for every cut is as small as it can be: optimal
// partitioning with the pruning of PELT (Killick, Fearnhead and Eckley 2012), so
// the minimum is the global one. The penalty is 3·Ω·ln n with Ω the long-run
// variance of AR(1) noise. Autocorrelation and variance come from robust
// variances of the first and second differences, which steps hardly touch (after
// Chakar, Lebarbier, Lévy-Leduc and Robin 2017). For the search, values more than 3 standard
// deviations from a running median of 7 are drawn in to there (Hampel filter), so
// that a stall of up to 3 observations is no change. It needs LeastChange observations;
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
	s, err := noiseOf(x)
	if err != nil {
		return Segmentation{}, err
	}
	s.Penalty = changePenalty * s.LongRun * math.Log(float64(len(x)))
	s.At = partition(hampel(x), least, s.Penalty)
	return s, nil
}

// noiseOf measures AR(1) noise around levels that change now and then. With v₁
// and v₂ the variances of x(t+1) − x(t) and x(t+2) − x(t), φ = v₂/v₁ − 1, and v₂/2 is
// the variance of the innovations. A change is in one or two differences only.
func noiseOf(x []float64) (Segmentation, error) {
	first, second := riseVariance(x, 1), riseVariance(x, 2)
	if first <= 0 || second <= 0 {
		return Segmentation{}, fmt.Errorf("%w: all %d values agree", ErrConstant, len(x))
	}
	phi := max(0, second/first-1) + phiMargin/math.Sqrt(float64(len(x)))
	phi = min(phi, mostPhi)
	return Segmentation{Phi: phi, LongRun: second / 2 / square(1-phi)}, nil
}

// riseVariance is the variance of the differences at a lag: the mean of their
// squares, none of which counts for more than that of 3 standard deviations by
// the median, nearly as precise as the mean itself and untouched by a few steps.
// Where most differences are 0, as between small counts, the median says nothing.
func riseVariance(x []float64, lag int) float64 {
	d := make([]float64, len(x)-lag)
	for i := range d {
		d[i] = abs(x[i+lag] - x[i])
	}
	limit := math.Inf(1)
	if m := middle(slices.Clone(d)); m > 0 {
		limit = winsor * m / quartile
	}
	sum := 0.0
	for _, v := range d {
		sum += square(min(v, limit))
	}
	return sum / float64(len(d)) / winsorised
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
type candidate struct {
	at, until int
	total     float64 // with the segment to the end that is looked at
}

// partition returns the cuts with the least sum of squared errors and penalties.
// Pruning waits for the shortest segment, since the cut that beats a candidate at
// t needs so much room behind it.
func partition(x []float64, least int, penalty float64) []int {
	n := len(x)
	sums, squares := cumulated(x)
	cost, last := make([]float64, n+1), make([]int, n+1)
	cost[0] = -penalty
	var open []candidate
	for t := least; t <= n; t++ {
		if at := t - least; at == 0 || at >= least {
			open = append(open, candidate{at: at, until: n + 1})
		}
		open = slices.DeleteFunc(open, func(c candidate) bool { return c.until <= t })
		cost[t] = math.Inf(1)
		for i := range open {
			c := &open[i]
			sum := sums[t] - sums[c.at]
			c.total = cost[c.at] + max(0, squares[t]-squares[c.at]-sum*sum/float64(t-c.at))
			if total := c.total + penalty; total < cost[t] {
				cost[t], last[t] = total, c.at
			}
		}
		for i := range open {
			if open[i].total > cost[t] {
				open[i].until = min(open[i].until, t+least)
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

// cumulated are the sums of the first observations and of their squares, around
// the mean of all: the level would swamp the noise.
func cumulated(x []float64) (sums, squares []float64) {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	sums, squares = make([]float64, len(x)+1), make([]float64, len(x)+1)
	for i, v := range x {
		v -= mean
		sums[i+1], squares[i+1] = sums[i]+v, squares[i]+v*v
	}
	return sums, squares
}
