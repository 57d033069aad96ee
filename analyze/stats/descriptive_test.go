package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

func TestQuantilesEqualR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		Cases     []struct {
			Series      string
			Type        stats.QuantileType
			P, Expected []number
		}
	}
	truth(t, "quantiles", &file)
	data := series(t)
	if len(file.Cases) != 6 {
		t.Fatalf("%d cases, want 6", len(file.Cases))
	}
	for _, c := range file.Cases {
		for i, p := range c.P {
			got, err := stats.Quantile(data[c.Series], float64(p), c.Type)
			must(t, err)
			near(t, c.Series, got, c.Expected[i], file.Tolerance)
		}
	}
}

// A histogram of whole milliseconds loses nothing.
func TestHistogramQuantileEqualsQuantile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + random.IntN(50)
		x := make([]float64, n)
		counts := make([]uint64, 301)
		for i := range x {
			v := random.IntN(301)
			x[i] = float64(v)
			counts[v]++
		}
		for _, kind := range []stats.QuantileType{stats.Type6, stats.Type7} {
			for _, p := range []float64{0, 0.01, 0.5, 0.95, 0.99, 1, random.Float64()} {
				want, err := stats.Quantile(x, p, kind)
				must(t, err)
				got, err := stats.HistogramQuantile(counts, p, kind)
				must(t, err)
				if got != want {
					t.Fatalf("type %d, p = %v of %v: %v from the histogram, %v from the values", kind, p, x, got, want)
				}
			}
		}
	}
}

func TestHolmEqualsR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_abs"`
		Cases     []struct {
			ID   string
			P    []float64
			Holm []float64
		}
	}
	truth(t, "holm", &file)
	for _, c := range file.Cases {
		for i, got := range stats.Holm(c.P) {
			// One rounding of the product is a difference of an ulp, below 1e-15 for p ≤ 1.
			if math.Abs(got-c.Holm[i]) > file.Tolerance {
				t.Errorf("%s: number %d = %.17g, want %.17g", c.ID, i, got, c.Holm[i])
			}
		}
	}
	got := stats.Holm([]float64{0.01, math.NaN(), 0.04})
	if got[0] != 0.02 || !math.IsNaN(got[1]) || got[2] != 0.04 {
		t.Errorf("a NaN counts as a test: %v", got)
	}
}

func TestAutocorrelationEqualsR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		Cases     []struct {
			Series   string
			ACF      []number
			Mean, SD number
		}
	}
	truth(t, "autocorrelation", &file)
	data := series(t)
	for _, c := range file.Cases {
		for lag, want := range c.ACF {
			if lag > len(data[c.Series])-2 {
				break
			}
			got, err := stats.Autocorrelation(data[c.Series], lag)
			must(t, err)
			near(t, c.Series, got, want, file.Tolerance)
		}
		cv, err := stats.Variation(data[c.Series])
		must(t, err)
		near(t, c.Series+" variation", cv, c.SD/c.Mean, file.Tolerance)
	}
}

// The bound solves P(X ≤ events) = 1 − confidence; the table of Clopper and
// Pearson as R's binom.test(alternative = "less") prints it.
func TestClopperPearsonUpper(t *testing.T) {
	for _, c := range []struct {
		events, trials uint64
		confidence     float64
		want           float64
	}{
		{0, 1, 0.95, 0.95},
		{0, 59, 0.95, 0.04950760992},
		{0, 700_000, 0.95, 4.279608381e-06}, // the rule of three: about 3/n
		{1, 10, 0.95, 0.39416335},
		{3, 2000, 0.95, 0.003872223150},
		{5, 5, 0.95, 1},
		{0, 0, 0.95, 1},
	} {
		got, err := stats.ClopperPearsonUpper(c.events, c.trials, c.confidence)
		must(t, err)
		if math.Abs(got-c.want) > 1e-6*c.want {
			t.Errorf("%d of %d: %.9g, want %.9g", c.events, c.trials, got, c.want)
		}
	}
}
