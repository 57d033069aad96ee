package stats

import (
	"errors"
	"fmt"
)

// ErrUnsettled says that MSER-5 finds the end of the warm-up in the last half of
// a series, where it has too little left to be believed.
var ErrUnsettled = errors.New("the series does not settle in its first half")

// LeastMSER is the number of observations that MSER5 needs: ten batches.
const LeastMSER = 10 * mserBatch

const (
	mserBatch = 5 // observations per batch mean, the 5 of MSER-5
	// mserLast batches are never left alone: the variance of fewer is so uncertain
	// that it finds an end of the warm-up anywhere.
	mserLast = 5
)

// MSER5 returns how many of some equally spaced observations belong to the
// warm-up. It forms means of 5 and discards the first d of k for which the
// marginal standard error of the rest, Σ(z−z̄)²/(k−d)², is least (White 1997;
// White, Cobb and Spratt 2000); observations after the last full batch count for
// nothing. Of equal minima the first is taken, so a constant series keeps
// everything. A minimum in the last half of the series is ErrUnsettled. The rule
// has no error rate: it checks a warm-up that somebody chose.
func MSER5(x []float64) (discard int, err error) {
	if err := finite(x, LeastMSER); err != nil {
		return 0, err
	}
	batches := batchMeans(x, mserBatch)
	k := len(batches)
	// Backwards, so that each batch is added once to the mean and the sum of
	// squares of what remains (Welford's update).
	best, least := 0, 0.0
	var mean, squares, n float64
	for d := k - 1; d >= 0; d-- {
		n++
		delta := batches[d] - mean
		mean += delta / n
		squares += delta * (batches[d] - mean)
		if statistic := squares / (n * n); k-d == mserLast || (k-d > mserLast && statistic <= least) {
			best, least = d, statistic
		}
	}
	if best > k/2 {
		return 0, fmt.Errorf("%w: the minimum lies at %d of %d observations", ErrUnsettled, best*mserBatch, len(x))
	}
	return best * mserBatch, nil
}

// batchMeans are the means of successive groups of size observations; what is
// left at the end is dropped.
func batchMeans(x []float64, size int) []float64 {
	means := make([]float64, len(x)/size)
	for i := range means {
		for _, v := range x[i*size : (i+1)*size] {
			means[i] += v / float64(size)
		}
	}
	return means
}
