package stats

import "math"

// cosines are the sums of (x[t] − mean)·cos(πj(t+½)/n) for j = 1..b. Times
// √(2/n) they are the coordinates of x along orthonormal waves of which the first
// is half a period long. For a stationary series they are nearly independent with
// the long-run variance as their common variance, as long as j/n is small.
func cosines(x []float64, mean float64, b int) []float64 {
	// cos(πi/2n) for whole i repeats after 4n, and j(2t+1) is such an i.
	table := make([]float64, 4*len(x))
	for i := range table {
		table[i] = math.Cos(math.Pi * float64(i) / float64(2*len(x)))
	}
	sums := make([]float64, b)
	for j := range sums {
		i, step := j+1, 2*(j+1)
		for _, v := range x {
			sums[j] += (v - mean) * table[i]
			if i += step; i >= len(table) {
				i -= len(table)
			}
		}
	}
	return sums
}

// cosineCount is B of EWC: how many waves estimate the long-run variance of n
// observations.
func cosineCount(n int) int {
	return max(2, int(0.4*math.Pow(float64(n), 2.0/3.0)))
}
