package main

import (
	"math"
	"math/rand/v2"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// worlds is the table of what experiments meet: one row each.
func worlds() []world {
	sometimes := func(random *rand.Rand) bool { return random.IntN(2) == 0 }
	return []world{
		{name: "independent seconds", noise: ar(0), effect: normal},
		{name: "AR(1) seconds, φ = 0.6", noise: ar(0.6), effect: normal},
		{name: "AR(1) seconds, φ = 0.9", noise: ar(0.9), effect: normal},
		{name: "MA(10) seconds", noise: ma(10), effect: normal},
		{name: "heavy-tailed run effects", noise: ar(0.3), effect: heavy},
		{name: "2 % drift from window to window", noise: ar(0.3), effect: normal, between: 0.02},
		{name: "5 % drift within windows", noise: ar(0.3), effect: normal, bend: func(_ *rand.Rand, rate []float64) {
			for i := range rate {
				rate[i] *= 1 - 0.05*float64(i)/float64(len(rate))
			}
		}},
		{name: "saturation without persistence", noise: ar(0.3), effect: normal, ceiling: math.Log(1.05)},
		{name: "a warm-up ramp three times the trim", noise: ar(0.3), effect: normal, bend: func(_ *rand.Rand, rate []float64) {
			for i := range rate {
				rate[i] *= 1 - 0.7*math.Exp(-float64(i)/20)
			}
		}},
		{name: "steps of 10 % in half of the windows", rough: true, noise: ar(0.3), effect: normal, bend: func(random *rand.Rand, rate []float64) {
			if sometimes(random) {
				by := 0.9
				if sometimes(random) {
					by = 1.1
				}
				for i := random.IntN(len(rate)); i < len(rate); i++ {
					rate[i] *= by
				}
			}
		}},
		{name: "gaps of 1 to 4 s in half of the windows", noise: ar(0.3), effect: normal, lose: func(random *rand.Rand, r *source.Run) {
			if sometimes(random) {
				n := 1 + random.IntN(4)
				from := random.IntN(len(r.Requests.Seconds) - n)
				clear(r.Requests.Seconds[from : from+n])
			}
		}},
		{name: "counters", noise: ar(0.3), effect: normal, lose: counters(0)},
		{name: "counter resets in half of the windows", noise: ar(0.3), effect: normal, lose: counters(0.5)},
		{name: "runs without pairs", noise: ar(0.3), effect: normal, unpaired: true},
	}
}
