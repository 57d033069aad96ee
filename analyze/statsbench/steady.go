package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// A usual study: 18 windows of 15 minutes, of which 13 are measured.
const (
	studyWindows = 18
	studySeconds = 780
)

// steadyFigures are how often the tests for steps and drifts, at a familywise
// 1 % over all windows, find one: in steady windows, and where one window of all
// has one.
func steadyFigures() []figure {
	var out []figure
	for _, c := range []struct {
		phi float64
		n   int
		hi  float64
	}{{0, studySeconds, 0.02}, {0.3, studySeconds, 0.02}, {0.6, studySeconds, 0.02}, {0.9, studySeconds, 1}, {0, 52, 0.02}, {0.3, 52, 0.02}} {
		out = append(out, figure{
			name:         fmt.Sprintf("size: a step or drift in any of %d steady windows, n = %d, φ = %g", studyWindows, c.n, c.phi),
			replications: 2_000, hi: c.hi,
			trial: anyMovement(c.phi, c.n, func([]float64) {}),
		})
	}
	for _, c := range []struct {
		name string
		bend func(x []float64)
	}{
		{"a step of 5 %", func(x []float64) {
			for i := len(x) * 2 / 5; i < len(x); i++ {
				x[i] -= 1
			}
		}},
		{"a drift of 5 %", func(x []float64) {
			for i := range x {
				x[i] -= float64(i) / float64(len(x))
			}
		}},
	} {
		for _, phi := range []float64{0.3, 0.6} {
			out = append(out, figure{
				name:         fmt.Sprintf("power: %s in one of %d windows, seconds vary by 5 %%, n = %d, φ = %g", c.name, studyWindows, studySeconds, phi),
				replications: 2_000, hi: 1,
				trial: anyMovement(phi, studySeconds, c.bend),
			})
		}
	}
	return out
}

// anyMovement says whether a step or a drift is found in any window, of which
// the first is bent. Levels are in units of the seconds' standard deviation.
func anyMovement(phi float64, n int, bend func([]float64)) func(*rand.Rand) (bool, error) {
	series := ar(phi)
	return func(random *rand.Rand) (bool, error) {
		var p []float64
		for i := range studyWindows {
			x := series(random, n)
			if i == 0 {
				bend(x)
			}
			step, errS := stats.Step(x)
			drift, errD := stats.Drift(x)
			if err := errors.Join(errS, errD); err != nil {
				return false, err
			}
			p = append(p, step.P, drift.P)
		}
		return slices.Min(stats.Holm(p)) <= 0.01, nil
	}
}

// warningFigures are how often whole experiments of 6 pairs are warned of their
// warm-up, of steps and of drifts, and what the latter cost in verdicts.
func warningFigures() []figure {
	warned := func(w world, ids ...string) func(*rand.Rand) (bool, error) {
		return func(random *rand.Rand) (bool, error) {
			warnings := analyse(w.experiment(random, 1, 6, math.Log(1.1))).Comparisons[0].Warnings
			return slices.ContainsFunc(warnings, func(x report.Warning) bool { return slices.Contains(ids, x.ID) }), nil
		}
	}
	var out []figure
	for _, w := range worlds() {
		movement := figure{name: "warned: step or drift, " + w.name, replications: 500, hi: 1, trial: warned(w, "step", "drift")}
		if steady[w.name] {
			movement.hi, movement.nominal = 0.01, true
		}
		out = append(out, movement, figure{
			name: "warned: short warm-up, " + w.name, replications: 500, hi: 1, trial: warned(w, "short-warmup"),
		})
	}
	return out
}

// steady are the worlds in which no window moves, up to φ = 0.6.
var steady = map[string]bool{
	"independent seconds": true, "AR(1) seconds, φ = 0.6": true, "heavy-tailed run effects": true,
	"2 % drift from window to window": true, "saturation without persistence": true, "runs without pairs": true,
}
