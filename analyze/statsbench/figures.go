package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// figures is everything that is measured, in the order of the table.
func figures() []figure {
	return slices.Concat(ewcFigures(), coverageFigures(), verdictFigures(), steadyFigures(), warningFigures(), bottleneckFigures(), changeFigures())
}

// ewcFigures are false positives of EWC-t on two windows of the same law, at a
// nominal 5 %.
func ewcFigures() []figure {
	test := func(series noise, n int, runEffect float64) func(*rand.Rand) (bool, error) {
		return func(random *rand.Rand) (bool, error) {
			side := func() []float64 {
				x := series(random, n)
				level := 500 + runEffect*random.NormFloat64()
				for i := range x {
					x[i] += level
				}
				return x
			}
			e, err := stats.EWCLogRatio(side(), side(), 0.95)
			return err == nil && e.P(0, stats.TwoSided) < 0.05, err
		}
	}
	var out []figure
	for _, phi := range []float64{0, 0.3, 0.6} {
		out = append(out, figure{
			name:         fmt.Sprintf("size: EWC-t, n = 120, φ = %g", phi),
			replications: 10_000, lo: 0.03, hi: 0.07,
			trial: test(ar(phi), 120, 0),
		})
	}
	out = append(out, figure{name: "size: EWC-t, n = 120, φ = 0.9", replications: 10_000, hi: 1, trial: test(ar(0.9), 120, 0)})
	for _, n := range []int{120, 900} {
		out = append(out, figure{
			name:         fmt.Sprintf("size: EWC-t, n = %d, φ = 0.6, runs differ by 0.3 sd", n),
			replications: 4_000, hi: 1,
			trial: test(ar(0.6), n, 0.3),
		})
	}
	return out
}

// coverageFigures are how often the 95 % interval of a ratio holds its truth.
func coverageFigures() []figure {
	theta := math.Log(1.1)
	var out []figure
	for _, w := range worlds() {
		for _, blocks := range []int{3, 4, 6, 8} {
			out = append(out, figure{
				name:         fmt.Sprintf("coverage: %s, %s", w.name, w.size(blocks)),
				replications: 2_000, lo: 0.93, hi: 1,
				trial: func(random *rand.Rand) (bool, error) {
					ratio := analyse(w.experiment(random, 1, blocks, theta)).Comparisons[0].Ratio
					truth := math.Exp(w.truth(theta))
					return ratio.Lo != nil && ratio.Hi != nil && *ratio.Lo <= truth && truth <= *ratio.Hi, nil
				},
			})
		}
	}
	return out
}

// size names the number of runs.
func (w world) size(blocks int) string {
	if w.unpaired {
		return fmt.Sprintf("%d and %d runs", blocks, blocks)
	}
	return fmt.Sprintf("%d pairs", blocks)
}

// analyse is what a user gets.
func analyse(d source.Dataset) report.Report {
	o := study.Defaults()
	o.Warmup = warmup
	return study.Run(d, o)
}

// verdicts is a figure about how often an experiment ends in a verdict.
func verdicts(w world, grants, blocks int, theta float64, want report.Verdict) func(*rand.Rand) (bool, error) {
	return func(random *rand.Rand) (bool, error) {
		return analyse(w.experiment(random, grants, blocks, theta)).Verdict == want, nil
	}
}

// verdictFigures are the errors of the verdict. At a true loss of exactly the
// limit both FAIL and PASS are wrong, each with 2.5 % at most.
func verdictFigures() []figure {
	limit, loss := math.Log(0.95), math.Log(0.85)
	usualWorld := worlds()[0]
	var out []figure
	for _, grants := range []int{1, 3} {
		for _, blocks := range []int{4, 6} {
			out = append(out, figure{
				name:         fmt.Sprintf("false FAIL: true loss 5 %%, grants: %d, %d pairs", grants, blocks),
				replications: 4_000, hi: 0.025, nominal: true,
				trial: verdicts(usualWorld, grants, blocks, limit, report.Fail),
			})
		}
	}
	for _, w := range worlds() {
		out = append(out, figure{
			name:         fmt.Sprintf("false PASS: true loss 5 %%, %s, %s", w.name, w.size(6)),
			replications: 2_000, hi: 0.025, nominal: true,
			trial: verdicts(w, 1, 6, limit, report.Pass),
		})
	}
	for _, w := range worlds() {
		most := 0.10
		if w.rough {
			most = 1
		}
		out = append(out, figure{
			name:         fmt.Sprintf("abstention: true loss 15 %%, %s, %s", w.name, w.size(6)),
			replications: 2_000, hi: most,
			trial: func(random *rand.Rand) (bool, error) {
				v := analyse(w.experiment(random, 1, 6, loss)).Verdict
				if v == report.NoData {
					return false, errors.New("an experiment without data")
				}
				return v == report.Inconclusive, nil
			},
		})
	}
	for _, c := range []struct {
		name   string
		theta  float64
		blocks int
	}{{"no change", 0, 6}, {"no change", 0, 12}, {"a gain of 25 %", math.Log(1.25), 6}} {
		out = append(out, figure{
			name:         fmt.Sprintf("power: PASS at %s, %d pairs", c.name, c.blocks),
			replications: 2_000, hi: 1,
			trial: verdicts(usualWorld, 1, c.blocks, c.theta, report.Pass),
		})
	}
	return append(out,
		figure{name: "false PASS: true loss 15 %, 6 pairs", replications: 4_000, hi: 0.001, trial: verdicts(usualWorld, 1, 6, loss, report.Pass)},
		figure{name: "false FAIL: no change, 6 pairs", replications: 4_000, hi: 0.001, trial: verdicts(usualWorld, 1, 6, 0, report.Fail)},
		figure{name: "size: sign flips, p ≤ 5 %, 6 pairs", replications: 4_000, hi: 0.05, nominal: true, trial: func(random *rand.Rand) (bool, error) {
			p := analyse(usualWorld.experiment(random, 1, 6, 0)).Comparisons[0].PSignFlip
			if p == nil {
				return false, errors.New("no p by sign flips")
			}
			return *p <= 0.05, nil
		}},
	)
}
