package study_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// runCV is the run-to-run variation of the simulated throughput.
const runCV = 0.03

// simulated is an experiment whose true log ratio is theta for every grant: each
// run varies by runCV on its own, and each block drifts by 5 %.
func simulated(random *rand.Rand, grants, blocks int, theta float64) source.Dataset {
	var d source.Dataset
	for g := range grants {
		ratios := make([]float64, blocks)
		for i := range ratios {
			ratios[i] = theta + math.Sqrt2*runCV*random.NormFloat64()
		}
		d = join(d, pairs(fmt.Sprintf("grant_%d", g), ratios...))
	}
	return d
}

// The decision rules keep their nominal sizes where the truth is exactly the
// limit: 2.5 % for a wrong FAIL over all grants together, and 2.5 % for a wrong
// PASS of one grant. The upper bound is four standard errors of the simulation
// away; the lower one shows that the rules decide at all.
func TestDecisionRulesHaveTheirNominalSize(t *testing.T) {
	const replications = 600
	slack := 4 * math.Sqrt(0.025*0.975/replications)
	limit := math.Log(0.95)
	for _, c := range []struct {
		grants int
		wrong  report.Verdict
	}{{3, report.Fail}, {1, report.Pass}} {
		t.Run(fmt.Sprintf("%s of %d", c.wrong, c.grants), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(5, uint64(c.grants)))
			wrong := 0
			for range replications {
				if study.Run(simulated(random, c.grants, 5, limit), options()).Verdict == c.wrong {
					wrong++
				}
			}
			rate := float64(wrong) / replications
			t.Logf("%.4f", rate)
			if rate > 0.025+slack || rate < 0.005 {
				t.Errorf("%.4f of the experiments at the limit are %s, want about 0.025", rate, c.wrong)
			}
		})
	}
}

// At a true loss of 15 %, a run-to-run variation of 3 % and six pairs, at most a
// tenth may stay without a verdict, and 95 % intervals must cover the truth in
// at least 93 % of the experiments.
func TestPowerAndCoverage(t *testing.T) {
	const replications = 600
	truth := math.Log(0.85)
	random := rand.New(rand.NewPCG(11, 1))
	failed, covered := 0, 0
	for range replications {
		r := study.Run(simulated(random, 1, 6, truth), options())
		if r.Verdict == report.Fail {
			failed++
		}
		if ratio := r.Comparisons[0].Ratio; *ratio.Lo <= math.Exp(truth) && math.Exp(truth) <= *ratio.Hi {
			covered++
		}
	}
	t.Logf("%d of %d fail, %d intervals cover the truth", failed, replications, covered)
	if failed < replications*90/100 {
		t.Errorf("only %d of %d experiments with a loss of 15 %% fail", failed, replications)
	}
	if covered < replications*93/100 {
		t.Errorf("only %d of %d intervals cover the true ratio", covered, replications)
	}
}

// The detectable loss is detected: a true loss of that size differs
// significantly from none in about 80 % of the experiments. It rests on the
// spread each experiment observes, whose mean square is unbiased.
func TestDetectableLossIsDetected(t *testing.T) {
	const replications = 600
	random := rand.New(rand.NewPCG(3, 9))
	squares := 0.0
	for range replications {
		log := math.Log1p(-*study.Run(simulated(random, 1, 6, 0), options()).Comparisons[0].DetectableLoss)
		squares += log * log
	}
	typical := -math.Sqrt(squares / replications)
	found := 0
	for range replications {
		if *study.Run(simulated(random, 1, 6, typical), options()).Comparisons[0].PDifference < 0.05 {
			found++
		}
	}
	rate := float64(found) / replications
	t.Logf("a loss of %.3f is found in %.3f", -math.Expm1(typical), rate)
	if math.Abs(rate-0.8) > 0.06 {
		t.Errorf("a loss of %.3f is found in %.3f of the experiments, want 0.8 ± 0.06", -math.Expm1(typical), rate)
	}
}

// At a given rate the rules keep their sizes too, where what a token costs the
// API Manager is exactly at the limit and the database gains.
func TestRateRulesHaveTheirNominalSize(t *testing.T) {
	t.Parallel()
	const replications = 600
	slack := 4 * math.Sqrt(0.025*0.975/replications)
	random := rand.New(rand.NewPCG(21, 2))
	passed, failed := 0, 0
	for range replications {
		costs := make([]float64, 5)
		for i := range costs {
			costs[i] = -math.Log(0.95) + math.Sqrt2*runCV*random.NormFloat64()
		}
		switch study.Run(offered(0.2, costs...), atRate()).Verdict {
		case report.Pass:
			passed++
		case report.Fail:
			failed++
		}
	}
	pass, fail := float64(passed)/replications, float64(failed)/replications
	t.Logf("PASS %.4f, FAIL %.4f", pass, fail)
	if pass > 0.025+slack || pass < 0.005 || fail > 0.025+slack {
		t.Errorf("at the limit %.4f PASS, want about 0.025, and %.4f FAIL, want less", pass, fail)
	}
}
