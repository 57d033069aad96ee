package stats

import (
	"fmt"
	"math"
	"slices"
)

// QuantileType is a definition of the sample quantile, numbered as by Hyndman
// and Fan (1996).
type QuantileType int

// The two definitions that reports use. gonum's LinInterp is neither: it is type 4.
const (
	Type6 QuantileType = 6 // JMeter's HTML dashboard
	Type7 QuantileType = 7 // R, NumPy, Grafana
)

// Quantile returns the p-quantile of x, which need not be sorted and is left as
// it is. It assumes nothing about the distribution; ties are harmless; one
// observation is its own quantile for every p.
func Quantile(x []float64, p float64, kind QuantileType) (float64, error) {
	if err := finite(x, 1); err != nil {
		return 0, err
	}
	sorted := slices.Sorted(slices.Values(x))
	below, weight, err := position(uint64(len(x)), p, kind)
	if err != nil {
		return 0, err
	}
	lo := sorted[below]
	if weight == 0 {
		return lo, nil
	}
	return lo + weight*(sorted[below+1]-lo), nil
}

// HistogramQuantile returns the p-quantile, in bins, of an exact histogram:
// counts[i] observations had the value i. It equals Quantile of the same
// observations, bit for bit. An empty histogram is ErrTooFew.
func HistogramQuantile(counts []uint64, p float64, kind QuantileType) (float64, error) {
	var n uint64
	for _, c := range counts {
		n += c
	}
	if n == 0 {
		return 0, fmt.Errorf("%w: the histogram is empty", ErrTooFew)
	}
	below, weight, err := position(n, p, kind)
	if err != nil {
		return 0, err
	}
	lo := orderStatistic(counts, below)
	if weight == 0 {
		return lo, nil
	}
	return lo + weight*(orderStatistic(counts, below+1)-lo), nil
}

// position returns the order statistic (from 0) at or below the p-quantile and
// the weight of the one above it, which exists whenever the weight is not 0.
func position(n uint64, p float64, kind QuantileType) (below uint64, weight float64, err error) {
	if !(p >= 0 && p <= 1) {
		return 0, 0, fmt.Errorf("%w: quantile of %v, it must lie in [0, 1]", ErrArgument, p)
	}
	last := float64(n - 1)
	var h float64
	switch kind {
	case Type6:
		h = min(max(float64(n+1)*p-1, 0), last)
	case Type7:
		h = last * p
	default:
		return 0, 0, fmt.Errorf("%w: quantile type %d, types 6 and 7 exist", ErrArgument, kind)
	}
	// R calls a position whole when only rounding keeps it from being so.
	if whole := math.Round(h); math.Abs(h-whole) <= 4*epsilon*max(1, h) {
		return uint64(whole), 0, nil
	}
	return uint64(h), h - math.Floor(h), nil
}

// orderStatistic is the value of observation k, counted from 0 in order of size.
func orderStatistic(counts []uint64, k uint64) float64 {
	var seen uint64
	for value, c := range counts {
		seen += c
		if seen > k {
			return float64(value)
		}
	}
	return float64(len(counts) - 1)
}
