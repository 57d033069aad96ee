package main

import (
	"math"
	"math/rand/v2"
)

// noise is a stationary series of n values with mean 0 and standard deviation 1.
type noise func(random *rand.Rand, n int) []float64

// ar is autoregressive noise of order 1, started in its stationary law.
func ar(phi float64) noise {
	scale := math.Sqrt(1 - phi*phi)
	return func(random *rand.Rand, n int) []float64 {
		x := make([]float64, n)
		state := random.NormFloat64()
		for i := range x {
			x[i] = state
			state = phi*state + scale*random.NormFloat64()
		}
		return x
	}
}

// ma is the mean of the last k innovations, scaled.
func ma(k int) noise {
	return func(random *rand.Rand, n int) []float64 {
		e := make([]float64, n+k-1)
		for i := range e {
			e[i] = random.NormFloat64() / math.Sqrt(float64(k))
		}
		x := make([]float64, n)
		for i := range x {
			for _, v := range e[i : i+k] {
				x[i] += v
			}
		}
		return x
	}
}

// normal is the effect of a run on its log throughput.
func normal(random *rand.Rand) float64 { return runCV * random.NormFloat64() }

// heavy is Student's t with three degrees of freedom and the same standard
// deviation: now and then a run is far off.
func heavy(random *rand.Rand) float64 {
	chi := 0.0
	for range 3 {
		e := random.NormFloat64()
		chi += e * e
	}
	return runCV / math.Sqrt(3) * random.NormFloat64() / math.Sqrt(chi/3)
}
