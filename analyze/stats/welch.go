package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// WelchT estimates mean(x) − mean(y) of two independent, roughly normal samples
// whose variances may differ, with Satterthwaite's degrees of freedom. Each
// sample needs two observations; one of them may be constant, both may not
// (ErrConstant).
func WelchT(x, y []float64, level float64) (Estimate, error) {
	if err := finite(x, 2); err != nil {
		return Estimate{}, err
	}
	if err := finite(y, 2); err != nil {
		return Estimate{}, err
	}
	meanX, varX := stat.MeanVariance(x, nil)
	meanY, varY := stat.MeanVariance(y, nil)
	a, b := varX/float64(len(x)), varY/float64(len(y))
	df := satterthwaite(a, float64(len(x)-1), b, float64(len(y)-1))
	scale := max(abs(meanX), abs(meanY))
	return student(meanX-meanY, math.Sqrt(a+b), df, scale, level, len(x)+len(y))
}

// satterthwaite is the effective degrees of freedom of the sum of two
// independent variance estimates a and b.
func satterthwaite(a, dfA, b, dfB float64) float64 {
	return (a + b) * (a + b) / (a*a/dfA + b*b/dfB)
}
