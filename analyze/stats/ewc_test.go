package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

func TestEWCEqualsTruth(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		Cases     []struct {
			Series   string
			Expected struct {
				B    number
				LRV  number `json:"long_run_variance"`
				SE   number `json:"se_of_mean"`
				Half number `json:"t_ci95_half_width"`
			}
		}
		TwoSample []struct {
			X, Y     string
			Expected struct {
				Ratio    number
				RatioCI  [2]number `json:"ratio_ci95"`
				LogRatio struct {
					Value number `json:"log_ratio"`
					SE    number
					DF    number
					T     number
					P     number
				} `json:"log_ratio"`
			}
		} `json:"two_sample"`
	}
	truth(t, "ewc", &file)
	data := series(t)
	for _, c := range file.Cases {
		e, err := stats.EWCMean(data[c.Series], 0.95)
		must(t, err)
		near(t, c.Series+" B", e.DF, c.Expected.B, 0)
		near(t, c.Series+" long-run variance", e.SE*e.SE*float64(e.N), c.Expected.LRV, file.Tolerance)
		near(t, c.Series+" se", e.SE, c.Expected.SE, file.Tolerance)
		near(t, c.Series+" half width", (e.Hi-e.Lo)/2, c.Expected.Half, file.Tolerance)
		if short := len(e.Warnings) > 0; short != (e.N < stats.LeastEWC) {
			t.Errorf("%s: n = %d, warnings %q", c.Series, e.N, e.Warnings)
		}
	}
	// The two-sample answers are y − x, so y comes first.
	for _, c := range file.TwoSample {
		e, err := stats.EWCLogRatio(data[c.Y], data[c.X], 0.95)
		must(t, err)
		want := c.Expected.LogRatio
		near(t, c.X+" log ratio", e.Value, want.Value, file.Tolerance)
		near(t, c.X+" se", e.SE, want.SE, file.Tolerance)
		near(t, c.X+" df", e.DF, want.DF, file.Tolerance)
		near(t, c.X+" t", e.Value/e.SE, want.T, file.Tolerance)
		near(t, c.X+" p", e.P(0, stats.TwoSided), want.P, file.Tolerance)
		ratio := e.Exp()
		near(t, c.X+" ratio", ratio.Value, c.Expected.Ratio, file.Tolerance)
		near(t, c.X+" ratio lo", ratio.Lo, c.Expected.RatioCI[0], file.Tolerance)
		near(t, c.X+" ratio hi", ratio.Hi, c.Expected.RatioCI[1], file.Tolerance)
	}
}

// The two-sample test keeps its size on autocorrelated series, which is why it
// is used: n = 120, nominal 5 %, a Monte Carlo error of 0.0035. A Welch test on
// the same samples rejects 15 % at φ = 0.3 and 33 % at φ = 0.6.
func TestEWCHasItsNominalSize(t *testing.T) {
	const replications = 4_000
	for _, phi := range []float64{0, 0.3, 0.6} {
		t.Run(fmt.Sprintf("φ=%.1f", phi), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(20240602, uint64(phi*10)))
			rejected := 0
			for range replications {
				e, err := stats.EWCLogRatio(ar1(random, 120, phi), ar1(random, 120, phi), 0.95)
				must(t, err)
				if e.P(0, stats.TwoSided) < 0.05 {
					rejected++
				}
			}
			rate := float64(rejected) / replications
			t.Logf("%.4f rejected", rate)
			if math.Abs(rate-0.05) > 0.02 {
				t.Errorf("%.4f rejected, want 0.05 ± 0.02", rate)
			}
		})
	}
}

// ar1 is a series around 500 with unit innovations, started in its stationary law.
func ar1(random *rand.Rand, n int, phi float64) []float64 {
	x := make([]float64, n)
	state := random.NormFloat64() / math.Sqrt(1-phi*phi)
	for i := range x {
		x[i] = 500 + state
		state = phi*state + random.NormFloat64()
	}
	return x
}
