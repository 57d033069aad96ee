package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Variation is the coefficient of variation: the sample standard deviation over
// the mean, which must be above zero (ErrNotPositive). It needs two
// observations; a constant sample has variation 0.
func Variation(x []float64) (float64, error) {
	if err := finite(x, 2); err != nil {
		return 0, err
	}
	mean, variance := stat.MeanVariance(x, nil)
	if mean <= 0 {
		return 0, fmt.Errorf("%w: the mean is %v", ErrNotPositive, mean)
	}
	return math.Sqrt(variance) / mean, nil
}
