package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// mostPairs ends the search of Pairs: nobody measures more.
const mostPairs = 100_000

// Pairs is the smallest number of pairs with which a two-sided paired t test at
// level alpha finds a true effect of delta with the wanted power, by R's
// convention (OneTail), when the differences of the pairs have the standard
// deviation sd and are normal. It is at least 2. An effect that more than 100,000
// pairs would have to find is ErrArgument.
func Pairs(delta, sd, alpha, wanted float64) (int, error) {
	if err := checkDesign(sd, 1, alpha); err != nil {
		return 0, err
	}
	if !(math.Abs(delta) > 0) || math.IsInf(delta, 0) {
		return 0, fmt.Errorf("%w: an effect of %v", ErrArgument, delta)
	}
	if !(wanted > alpha && wanted < 1) {
		return 0, fmt.Errorf("%w: power %v, it must lie between alpha and 1", ErrArgument, wanted)
	}
	// Beyond 50 standard deviations two pairs find everything, and the noncentral
	// distribution has no digits left.
	ratio := min(math.Abs(delta)/sd, 50)
	enough := func(n int) bool {
		df := float64(n - 1)
		return power(ratio*math.Sqrt(float64(n)), tQuantile(1-alpha/2, df), df, OneTail) >= wanted
	}
	lo, hi := 1, 2
	for !enough(hi) {
		if lo, hi = hi, 2*hi; hi > mostPairs {
			return 0, fmt.Errorf("%w: more than %d pairs for an effect of %v and a standard deviation of %v", ErrArgument, mostPairs, delta, sd)
		}
	}
	for hi-lo > 1 {
		if middle := (lo + hi) / 2; enough(middle) {
			hi = middle
		} else {
			lo = middle
		}
	}
	return hi, nil
}

// UpperSD is the one-sided upper confidence limit of a standard deviation that
// was estimated with df degrees of freedom from normal observations. A sample
// size computed from it has the planned power with that confidence (Browne 1995,
// Statistics in Medicine 14:1933), where one computed from the estimate itself
// has it about every second time.
func UpperSD(sd, df, confidence float64) (float64, error) {
	if err := checkDesign(sd, df, 1-confidence); err != nil {
		return 0, err
	}
	return sd * math.Sqrt(df/distuv.ChiSquared{K: df}.Quantile(1-confidence)), nil
}
