package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

func TestSignFlipEqualsR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		X, Y      string
		Diff      number  `json:"mean_diff"`
		P         number  `json:"p_two_sided"`
		Flips     float64 `json:"flips"`
	}
	truth(t, "sign_flip", &file)
	data := series(t)
	f, err := stats.SignFlip(data[file.X], data[file.Y])
	must(t, err)
	near(t, "difference", f.Value, file.Diff, file.Tolerance)
	near(t, "p", f.P, file.P, file.Tolerance)
	near(t, "least p", f.Least, number(2/file.Flips), 0)
}

// Every pattern written out as the bits of a number gives the same p.
func TestSignFlipCountsEveryPattern(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 6))
	for range 200 {
		n := 1 + random.IntN(9)
		x, y := make([]float64, n), make([]float64, n)
		observed := 0
		for i := range x { // whole numbers, so that there are ties
			x[i], y[i] = float64(random.IntN(7)), float64(random.IntN(5))
			observed += int(x[i] - y[i])
		}
		extreme := 0
		for pattern := range 1 << n {
			sum := 0
			for i := range x {
				if pattern&(1<<i) != 0 {
					sum += int(x[i] - y[i])
				} else {
					sum -= int(x[i] - y[i])
				}
			}
			if sum*sum >= observed*observed {
				extreme++
			}
		}
		f, err := stats.SignFlip(x, y)
		must(t, err)
		if want := float64(extreme) / float64(int(1)<<n); f.P != want {
			t.Fatalf("%v − %v: p = %v, want %v", x, y, f.P, want)
		}
	}
}

// Differences that rounding alone tells apart are ties: 0.1+0.2 and 0.3.
func TestSignFlipIgnoresRounding(t *testing.T) {
	f, err := stats.SignFlip([]float64{0.1, 0.2, -0.3}, []float64{0, 0, 0})
	must(t, err)
	if f.P != 1 {
		t.Errorf("a sum of 0 has p = %v, want 1", f.P)
	}
	f, err = stats.SignFlip([]float64{0, 0}, []float64{0, 0})
	must(t, err)
	if f.P != 1 || f.Value != 0 {
		t.Errorf("no difference: %+v", f)
	}
}

// Without an effect, at most a share p of the experiments has a p-value of p or
// less: the test is exact for any symmetric distribution, here Cauchy's.
func TestSignFlipHasItsNominalSize(t *testing.T) {
	const replications = 4_000
	random := rand.New(rand.NewPCG(2, 7))
	rejected := 0
	for range replications {
		x, y := make([]float64, 7), make([]float64, 7)
		for i := range x {
			x[i] = random.NormFloat64() / math.Abs(random.NormFloat64())
		}
		f, err := stats.SignFlip(x, y)
		must(t, err)
		if f.P <= 0.05 {
			rejected++
		}
	}
	// 6 of the 128 patterns: 0.046875, with a Monte Carlo error of 0.0033.
	if rate := float64(rejected) / replications; math.Abs(rate-0.046875) > 0.0134 {
		t.Errorf("%.4f rejected, want 0.0469", rate)
	}
}
