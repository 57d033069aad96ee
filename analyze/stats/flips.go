package stats

import "fmt"

// MostFlips is the largest number of pairs that SignFlip enumerates: 2^23 sums.
const MostFlips = 24

// Flips is the result of a sign-flip test.
type Flips struct {
	Value float64 // mean of x[i] − y[i]
	P     float64 // two-sided
	Least float64 // the smallest P that so many pairs can give, 2/2^N
	N     int     // pairs
}

// SignFlip is the exact paired permutation test: the share of the 2^N ways to
// give each difference x[i] − y[i] a sign whose sum is at least as far from 0 as
// the one observed. It assumes that without an effect each difference would have
// been as likely the other way round, which is so when the order within pairs was
// randomised, and nothing about their distribution (Fisher 1935). Ties are
// harmless; differences that are all 0 have P = 1.
func SignFlip(x, y []float64) (Flips, error) {
	if len(x) != len(y) {
		return Flips{}, fmt.Errorf("%w: %d values cannot be paired with %d", ErrArgument, len(x), len(y))
	}
	if len(x) > MostFlips {
		return Flips{}, fmt.Errorf("%w: %d pairs, sign flips are enumerated for at most %d", ErrArgument, len(x), MostFlips)
	}
	if err := finite(x, 1); err != nil {
		return Flips{}, err
	}
	if err := finite(y, 1); err != nil {
		return Flips{}, err
	}
	differences := make([]float64, len(x))
	var sum, size float64
	for i := range x {
		differences[i] = x[i] - y[i]
		sum += differences[i]
		size += abs(differences[i])
	}
	// Sums that differ by rounding are ties.
	threshold := abs(sum) - 16*epsilon*size
	// A pattern and its opposite are equally extreme, so the first sign is fixed.
	extreme, all := countExtreme(differences[1:], differences[0], threshold), uint64(1)<<(len(x)-1)
	return Flips{
		Value: sum / float64(len(x)),
		P:     float64(extreme) / float64(all),
		Least: 1 / float64(all),
		N:     len(x),
	}, nil
}

// countExtreme counts the sign patterns of d that carry sum to the threshold or
// beyond it. Going down a tree keeps the rounding of every sum to N additions.
func countExtreme(d []float64, sum, threshold float64) uint64 {
	if len(d) == 0 {
		if abs(sum) >= threshold {
			return 1
		}
		return 0
	}
	return countExtreme(d[1:], sum+d[0], threshold) + countExtreme(d[1:], sum-d[0], threshold)
}
