package stats

import "fmt"

// PairedT estimates the mean of x[i] − y[i], assuming that the differences are
// independent and roughly normal; x and y themselves may drift together. With
// logarithms it estimates a ratio: see Estimate.Exp. It needs two pairs.
// Differences that are all equal are ErrConstant.
func PairedT(x, y []float64, level float64) (Estimate, error) {
	if len(x) != len(y) {
		return Estimate{}, fmt.Errorf("%w: %d values cannot be paired with %d", ErrArgument, len(x), len(y))
	}
	if err := finite(x, 2); err != nil {
		return Estimate{}, err
	}
	if err := finite(y, 2); err != nil {
		return Estimate{}, err
	}
	differences := make([]float64, len(x))
	scale := 0.0
	for i := range x {
		differences[i] = x[i] - y[i]
		scale = max(scale, abs(x[i]), abs(y[i]))
	}
	mean, se := meanSE(differences)
	return student(mean, se, float64(len(x)-1), scale, level, len(x))
}
