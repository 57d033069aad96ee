package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// mser is the definition, without the updates that make MSER5 fast.
func mser(x []float64) (discard int, settled bool) {
	k := len(x) / 5
	z := make([]float64, k)
	for i := range z {
		z[i] = (x[5*i] + x[5*i+1] + x[5*i+2] + x[5*i+3] + x[5*i+4]) / 5
	}
	best, least := 0, math.Inf(1)
	for d := 0; d <= k-5; d++ {
		mean, squares := 0.0, 0.0
		for _, v := range z[d:] {
			mean += v / float64(k-d)
		}
		for _, v := range z[d:] {
			squares += (v - mean) * (v - mean)
		}
		if s := squares / float64((k-d)*(k-d)); s < least {
			best, least = d, s
		}
	}
	return 5 * best, best <= k/2
}

func TestMSER5IsItsDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 3))
	refused := 0
	for range 500 {
		n := 50 + random.IntN(300)
		x := ar1(random, n, 0.6)
		slowness := float64(1 + random.IntN(n)) // of a ramp that often does not end in time
		for i := range x {
			x[i] -= 20 * math.Exp(-float64(i)/slowness)
		}
		want, settled := mser(x)
		got, err := stats.MSER5(x)
		if settled != (err == nil) || (settled && got != want) {
			t.Fatalf("n = %d: %d, %v; want %d, settled %v", n, got, err, want, settled)
		}
		if err != nil {
			refused++
			if !errors.Is(err, stats.ErrUnsettled) {
				t.Fatal(err)
			}
		}
	}
	if refused == 0 || refused == 500 {
		t.Errorf("%d of 500 series were refused: the test sees one side only", refused)
	}
}

// The answer is known where the series has no noise.
func TestMSER5OnKnownSeries(t *testing.T) {
	constant, ramp, late := make([]float64, 100), make([]float64, 100), make([]float64, 100)
	for i := range constant {
		constant[i] = 0.1
		ramp[i] = math.Min(float64(i/5), 6) // settled from observation 30 on
		late[i] = float64(i)
	}
	for _, c := range []struct {
		name string
		x    []float64
		want int
		err  error
	}{
		{"a constant series keeps all", constant, 0, nil},
		{"a ramp is cut where it ends", ramp, 30, nil},
		{"the last batch is not full", append(ramp[:len(ramp):len(ramp)], 900, 900), 30, nil},
		{"a ramp that never ends", late, 0, stats.ErrUnsettled},
		{"too short", ramp[:49], 0, stats.ErrTooFew},
	} {
		got, err := stats.MSER5(c.x)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, got, err, c.want, c.err)
		}
	}
}

// The synthetic series "warmup" climbs from 300 to 900 along an exponential.
func TestMSER5FindsTheWarmup(t *testing.T) {
	x := series(t)["warmup"]
	discard, err := stats.MSER5(x)
	must(t, err)
	if want, _ := mser(x); discard != want || discard < 100 || discard > 300 {
		t.Errorf("%d s are discarded, by definition %d", discard, want)
	}
}
