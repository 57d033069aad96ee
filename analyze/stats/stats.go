// Package stats is the arithmetic of the analysis: slices of float64 in, an
// Estimate out. It knows nothing of time, files, tokens or printing, uses no
// randomness, and imports gonum and nothing else.
//
// It refuses to guess: an empty sample, a NaN, an infinity, a non-positive value
// under a logarithm or a sample without any spread is an error that can be
// told apart with errors.Is, never a NaN that travels on.
//
//	e, err := stats.PairedT(logOff, logOn, 0.95)
//	if err != nil { … }
//	ratio := e.Exp() // 1.24 [1.18, 1.31]
package stats

import (
	"errors"
	"fmt"
	"math"
)

// Reasons for which no estimate exists.
var (
	ErrTooFew      = errors.New("too few observations")
	ErrNotFinite   = errors.New("an observation is NaN or infinite")
	ErrConstant    = errors.New("the observations have no spread")
	ErrNotPositive = errors.New("a logarithm needs values above zero")
	ErrArgument    = errors.New("argument out of range")
)

// Estimate is a value with its confidence interval. All its numbers are finite.
type Estimate struct {
	Value  float64
	Lo, Hi float64
	Level  float64 // confidence of [Lo, Hi], 0.95 for 95 %
	SE     float64 // standard error of Value, above zero
	DF     float64 // degrees of freedom of the Student distribution behind the interval
	N      int     // pairs, or observations of both samples together
	// Unit is empty for the unit of the observations, "ln" for a log ratio and
	// "ratio" after Exp.
	Unit string
	// Warnings say in words what weakens the estimate.
	Warnings []string
}

// Statistic is one row of the table of methods: what it is called, what it
// assumes and where it comes from, in words a report can print.
type Statistic struct {
	ID      string
	Name    string
	Assumes string
	Source  string
}

// Table lists every statistic of the package in the order of its use.
func Table() []Statistic {
	return []Statistic{
		{"paired-t", "paired t", "differences of pairs are independent and roughly normal", "Student 1908; R stats::t.test"},
		{"welch-t", "Welch t", "independent, roughly normal samples with unequal variances", "Welch 1947; R stats::t.test"},
		{"mean-t", "one-sample t", "independent, roughly normal observations", "Student 1908; R stats::t.test"},
		{"ewc-t", "EWC-t", "a stationary, autocorrelated series; B = max(2, floor(0.4 n^(2/3))) cosine weights", "Lazarus, Lewis, Stock and Watson 2018, JBES 36:541"},
		{"quantile", "sample quantile", "nothing; type 7 interpolates as R and NumPy do, type 6 as JMeter's dashboard", "Hyndman and Fan 1996"},
		{"holm", "Holm adjustment", "nothing about dependence", "Holm 1979; R stats::p.adjust"},
		{"clopper-pearson", "Clopper-Pearson bound", "independent trials with one probability", "Clopper and Pearson 1934"},
		{"power", "power of the t test", "normal observations; noncentral t", "R stats::power.t.test"},
		{"upper-sd", "upper limit of a standard deviation", "normal observations; chi-squared", "Browne 1995, Statistics in Medicine 14:1933"},
		{"autocorrelation", "autocorrelation", "a stationary series; autocovariances divide by n", "R stats::acf"},
		{"sign-flip", "sign-flip test", "without an effect each pair could as well have come out the other way round", "Fisher 1935; R coin, exact"},
		{"mser-5", "MSER-5", "nothing; it has no error rate and only checks the warm-up that was chosen", "White 1997; White, Cobb and Spratt 2000"},
		{"step", "test for a step", "a stationary, autocorrelated series around one level; 17 places by Bonferroni", "EWC with the step projected out; Lazarus and others 2018"},
		{"drift", "test for a drift", "a stationary, autocorrelated series around one level", "EWC with the trend projected out; Lazarus and others 2018"},
		{"change-points", "change points of the level", "levels with AR(1) noise; 3·Ω·ln n for a change", "PELT: Killick, Fearnhead and Eckley 2012, JASA 107:1590; noise: Chakar and others 2017, Bernoulli 23:1408"},
		{"variation", "coefficient of variation", "values above zero on average", "standard deviation over mean"},
	}
}

// finite reports ErrTooFew for fewer than least observations and ErrNotFinite
// for a NaN or an infinity among them.
func finite(x []float64, least int) error {
	if len(x) < least {
		return fmt.Errorf("%w: %d, at least %d are needed", ErrTooFew, len(x), least)
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: number %d is %v", ErrNotFinite, i+1, v)
		}
	}
	return nil
}

// Logs returns the natural logarithms of x. A value that is not above zero is
// ErrNotPositive, a NaN or an infinity ErrNotFinite.
func Logs(x []float64) ([]float64, error) {
	if err := finite(x, 0); err != nil {
		return nil, err
	}
	logs := make([]float64, len(x))
	for i, v := range x {
		if v <= 0 {
			return nil, fmt.Errorf("%w: number %d is %v", ErrNotPositive, i+1, v)
		}
		logs[i] = math.Log(v)
	}
	return logs, nil
}
