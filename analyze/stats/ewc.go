package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// LeastEWC is the series length below which the interval of EWC-t is not worth
// printing: with n < 20 the estimate should stand alone.
const LeastEWC = 20

// EWCMean estimates the mean of one stationary, autocorrelated series. The
// long-run variance is the mean square of the first B = max(2, ⌊0.4 n^(2/3)⌋)
// cosine transforms of the series, and the interval is Student's t with B degrees
// of freedom (Lazarus, Lewis, Stock and Watson 2018). Ties are harmless; a
// constant series is ErrConstant; n must exceed 2. The interval holds for this
// stretch of the series only: it knows nothing of differences between runs.
func EWCMean(x []float64, level float64) (Estimate, error) {
	mean, se, b, err := ewc(x)
	if err != nil {
		return Estimate{}, err
	}
	e, err := student(mean, se, b, mean, level, len(x))
	e.Warnings = shortEWC(len(x), len(x))
	return e, err
}

// EWCLogRatio estimates ln(mean(x) / mean(y)) of two independent stationary
// series by the delta method on logarithms, each standard error by EWC, with
// Satterthwaite's degrees of freedom. Both means must be above zero.
func EWCLogRatio(x, y []float64, level float64) (Estimate, error) {
	meanX, seX, bX, err := ewc(x)
	if err != nil {
		return Estimate{}, err
	}
	meanY, seY, bY, err := ewc(y)
	if err != nil {
		return Estimate{}, err
	}
	if meanX <= 0 || meanY <= 0 {
		return Estimate{}, fmt.Errorf("%w: the means are %v and %v", ErrNotPositive, meanX, meanY)
	}
	a, b := square(seX/meanX), square(seY/meanY)
	df := satterthwaite(a, bX, b, bY)
	e, err := student(math.Log(meanX/meanY), math.Sqrt(a+b), df, 1, level, len(x)+len(y))
	e.Unit = "ln"
	e.Warnings = shortEWC(len(x), len(y))
	return e, err
}

// ewc returns the mean of a series, its long-run standard error and B.
func ewc(x []float64) (mean, se, df float64, err error) {
	if err := finite(x, 3); err != nil {
		return 0, 0, 0, err
	}
	n, b := float64(len(x)), cosineCount(len(x))
	mean = stat.Mean(x, nil)
	sum := 0.0
	for _, transform := range cosines(x, mean, b) {
		sum += 2 / n * transform * transform
	}
	return mean, math.Sqrt(sum / float64(b) / n), float64(b), nil
}

func shortEWC(n, m int) []string {
	if min(n, m) >= LeastEWC {
		return nil
	}
	return []string{fmt.Sprintf("%d observations are too few for an interval that allows for autocorrelation (%d)", min(n, m), LeastEWC)}
}

func square(v float64) float64 { return v * v }
