package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Tail names the alternative of a test.
type Tail int

// Alternatives: the true value differs from, lies below or lies above the null.
const (
	TwoSided Tail = iota
	Less
	Greater
)

// P is the p-value of the hypothesis that the true value is null against the
// alternative that tail names, by Student's t with the estimate's DF. It is
// computed in the lower tail, where gonum keeps its relative accuracy.
func (e Estimate) P(null float64, tail Tail) float64 {
	t := (e.Value - null) / e.SE
	switch tail {
	case Less:
		return tCDF(t, e.DF)
	case Greater:
		return tCDF(-t, e.DF)
	default:
		return math.Min(1, 2*tCDF(-math.Abs(t), e.DF))
	}
}

// At returns the estimate with the interval of another confidence level, which
// must lie strictly between 0 and 1.
func (e Estimate) At(level float64) (Estimate, error) {
	if err := checkLevel(level); err != nil {
		return Estimate{}, err
	}
	half := tQuantile(0.5+level/2, e.DF) * e.SE
	e.Level, e.Lo, e.Hi = level, e.Value-half, e.Value+half
	return e, nil
}

// LowerBound is the one-sided lower confidence bound.
func (e Estimate) LowerBound(confidence float64) (float64, error) {
	if err := checkLevel(confidence); err != nil {
		return 0, err
	}
	return e.Value - tQuantile(confidence, e.DF)*e.SE, nil
}

// UpperBound is the one-sided upper confidence bound.
func (e Estimate) UpperBound(confidence float64) (float64, error) {
	if err := checkLevel(confidence); err != nil {
		return 0, err
	}
	return e.Value + tQuantile(confidence, e.DF)*e.SE, nil
}

// Exp carries an estimate from the log scale back to a ratio. SE and DF stay on
// the log scale, where the tests belong. A bound beyond the range of float64 is
// cut to its largest or smallest number and named in Warnings.
func (e Estimate) Exp() Estimate {
	cut := false
	back := func(v float64) float64 {
		r := math.Exp(v)
		if r > math.MaxFloat64 {
			cut = true
			return math.MaxFloat64
		}
		return r
	}
	e.Value, e.Lo, e.Hi, e.Unit = back(e.Value), back(e.Lo), back(e.Hi), "ratio"
	if cut {
		e.Warnings = append(e.Warnings[:len(e.Warnings):len(e.Warnings)], "the interval is too wide to be shown as a ratio")
	}
	return e
}

// student builds the estimate of value ± t·se. A standard error that rounding
// alone could produce is ErrConstant, by the criterion of R's t.test.
func student(value, se, df, scale, level float64, n int) (Estimate, error) {
	if !(se > 10*epsilon*math.Abs(scale)) {
		return Estimate{}, fmt.Errorf("%w: all %d agree, so they say nothing about chance", ErrConstant, n)
	}
	return Estimate{Value: value, SE: se, DF: df, N: n}.At(level)
}

const epsilon = 0x1p-52 // distance from 1 to the next float64

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("%w: confidence level %v, it must lie between 0 and 1", ErrArgument, level)
	}
	return nil
}

func tCDF(t, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(t)
}

func tQuantile(p, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}

func abs(v float64) float64 { return math.Abs(v) }

// meanSE is the mean and its standard error of independent observations.
func meanSE(x []float64) (mean, se float64) {
	mean, variance := stat.MeanVariance(x, nil)
	return mean, math.Sqrt(variance / float64(len(x)))
}
