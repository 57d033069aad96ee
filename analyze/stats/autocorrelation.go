package stats

import (
	"fmt"

	"gonum.org/v1/gonum/stat"
)

// Autocorrelation is the sample autocorrelation of a stationary, equally spaced
// series at a lag. Autocovariances divide by n, as in R's acf, so it always lies
// in [-1, 1]. A constant series is ErrConstant; n must exceed the lag by one.
func Autocorrelation(x []float64, lag int) (float64, error) {
	if lag < 0 {
		return 0, fmt.Errorf("%w: lag %d", ErrArgument, lag)
	}
	if err := finite(x, lag+2); err != nil {
		return 0, err
	}
	mean := stat.Mean(x, nil)
	var total, lagged float64
	for i, v := range x {
		total += square(v - mean)
		if i >= lag {
			lagged += (v - mean) * (x[i-lag] - mean)
		}
	}
	if n := float64(len(x)); !(total > n*square(10*epsilon*mean)) {
		return 0, fmt.Errorf("%w: all %d values agree", ErrConstant, len(x))
	}
	return lagged / total, nil
}
