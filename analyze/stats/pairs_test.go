package stats_test

import (
	"errors"
	"math"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
	"pgregory.net/rapid"
)

// R 4.2.2: power.t.test(delta = 5, sd = 4, power = 0.9, type = "paired") has n =
// 8.866340256221573.
func TestPairsOfR(t *testing.T) {
	n, err := stats.Pairs(5, 4, 0.05, 0.9)
	must(t, err)
	if n != 9 {
		t.Errorf("%d pairs, R says 8.87", n)
	}
}

// The number found has the power, and one less has not.
func TestPairsIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delta := rapid.Float64Range(0.005, 0.5).Draw(t, "effect")
		sd := rapid.Float64Range(0.005, 0.3).Draw(t, "sd")
		wanted := rapid.Float64Range(0.5, 0.95).Draw(t, "power")
		n, err := stats.Pairs(-delta, sd, 0.05, wanted)
		if errors.Is(err, stats.ErrArgument) && delta/sd < 0.02 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		power := func(n int) float64 {
			p, err := stats.Power(delta, sd/math.Sqrt(float64(n)), float64(n-1), 0.05, stats.OneTail)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if p := power(n); p < wanted {
			t.Errorf("%d pairs have power %v, wanted %v", n, p, wanted)
		}
		if n > 2 && power(n-1) >= wanted {
			t.Errorf("%d pairs were enough", n-1)
		}
	})
}

// Quantiles of chi-squared from any table: 0.711 for 0.05 and 1.649 for 0.20 with
// 4 degrees of freedom.
func TestUpperSD(t *testing.T) {
	for _, c := range []struct{ confidence, quantile float64 }{{0.95, 0.7107}, {0.80, 1.6488}} {
		got, err := stats.UpperSD(3, 4, c.confidence)
		must(t, err)
		near(t, "upper limit", got, number(3*math.Sqrt(4/c.quantile)), 1e-4)
	}
}

func TestPairsRefuses(t *testing.T) {
	for name, c := range map[string]struct{ delta, sd, alpha, power float64 }{
		"no effect":      {0, 1, 0.05, 0.8},
		"no spread":      {1, 0, 0.05, 0.8},
		"NaN":            {math.NaN(), 1, 0.05, 0.8},
		"alpha":          {1, 1, 0, 0.8},
		"power":          {1, 1, 0.05, 1},
		"hopeless":       {1e-4, 1, 0.05, 0.8},
		"endless effect": {math.Inf(1), 1, 0.05, 0.8},
	} {
		if n, err := stats.Pairs(c.delta, c.sd, c.alpha, c.power); !errors.Is(err, stats.ErrArgument) {
			t.Errorf("%s: %d pairs, %v", name, n, err)
		}
	}
	if n, err := stats.Pairs(1e9, 1, 0.05, 0.8); n != 2 || err != nil {
		t.Errorf("an enormous effect: %d pairs, %v", n, err)
	}
	if _, err := stats.UpperSD(1, 0, 0.95); !errors.Is(err, stats.ErrArgument) {
		t.Errorf("no degrees of freedom: %v", err)
	}
}
