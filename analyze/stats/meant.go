package stats

// MeanT estimates the mean of independent, roughly normal observations with
// Student's t interval. It needs two observations; ties are harmless as long as
// not all are equal (ErrConstant).
func MeanT(x []float64, level float64) (Estimate, error) {
	if err := finite(x, 2); err != nil {
		return Estimate{}, err
	}
	mean, se := meanSE(x)
	return student(mean, se, float64(len(x)-1), mean, level, len(x))
}
