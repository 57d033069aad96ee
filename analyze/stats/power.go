package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PowerRule says which rejections count towards the power of a two-sided test.
type PowerRule int

const (
	// OneTail counts rejections on the side of the true effect only. It is what R's
	// power.t.test computes unless told otherwise, and what this project reports:
	// finding a gain where there is a loss is no success.
	OneTail PowerRule = iota
	// Strict counts both sides, as power.t.test(strict = TRUE) does.
	Strict
)

// Power is the chance that a two-sided t test at level alpha rejects "no
// effect" when the true effect is delta, assuming normal observations. se is the
// standard error of the estimated effect and df its degrees of freedom: for n
// pairs with standard deviation s of the differences s/√n and n−1, for two samples
// of n observations s·√(2/n) and 2(n−1).
func Power(delta, se, df, alpha float64, rule PowerRule) (float64, error) {
	if err := checkDesign(se, df, alpha); err != nil {
		return 0, err
	}
	if math.IsNaN(delta) || math.IsInf(delta, 0) {
		return 0, fmt.Errorf("%w: the effect is %v", ErrNotFinite, delta)
	}
	return power(math.Abs(delta)/se, tQuantile(1-alpha/2, df), df, rule), nil
}

// power is the chance that a t statistic with noncentrality ncp exceeds its
// critical value.
func power(ncp, critical, df float64, rule PowerRule) float64 {
	noncentral := distuv.NoncentralT{Nu: df, Mu: ncp}
	p := 1 - noncentral.CDF(critical)
	if rule == Strict {
		p += noncentral.CDF(-critical)
	}
	return min(max(p, 0), 1)
}

// Detectable is the smallest true effect, in the unit of se, that the design of
// Power finds with the given power, by R's convention (OneTail).
func Detectable(se, df, alpha, wanted float64) (float64, error) {
	if err := checkDesign(se, df, alpha); err != nil {
		return 0, err
	}
	if !(wanted > alpha && wanted < 1) {
		return 0, fmt.Errorf("%w: power %v, it must lie between alpha and 1", ErrArgument, wanted)
	}
	critical := tQuantile(1-alpha/2, df)
	lo, hi := 0.0, 1.0
	for power(hi, critical, df, OneTail) < wanted {
		if lo, hi = hi, 2*hi; hi > 1e6 {
			return 0, fmt.Errorf("%w: no effect is found with power %v and %v degrees of freedom", ErrArgument, wanted, df)
		}
	}
	for hi-lo > 1e-12*hi {
		middle := (lo + hi) / 2
		if power(middle, critical, df, OneTail) >= wanted {
			hi = middle
		} else {
			lo = middle
		}
	}
	return hi * se, nil
}

func checkDesign(se, df, alpha float64) error {
	if !(se > 0) || math.IsInf(se, 0) || !(df > 0) || math.IsInf(df, 0) {
		return fmt.Errorf("%w: standard error %v with %v degrees of freedom", ErrArgument, se, df)
	}
	return checkLevel(1 - alpha)
}
