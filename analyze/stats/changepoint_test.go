package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// noisy adds AR(1) noise of standard deviation sd to levels.
func noisy(seed uint64, phi, sd float64, levels ...float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 3))
	x := make([]float64, len(levels))
	state := random.NormFloat64()
	for i, level := range levels {
		x[i] = level + sd*state
		state = phi*state + math.Sqrt(1-phi*phi)*random.NormFloat64()
	}
	return x
}

// repeated is a level n times.
func repeated(n int, level float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = level
	}
	return x
}

func TestChangePointsFindsSteps(t *testing.T) {
	levels := slices.Concat(repeated(150, 400), repeated(90, 520), repeated(200, 380))
	for _, phi := range []float64{0, 0.3, 0.6} {
		s, err := stats.ChangePoints(noisy(1, phi, 15, levels...), 12)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.At) != 2 || abs(s.At[0]-150) > 2 || abs(s.At[1]-240) > 2 {
			t.Errorf("φ = %g: changes at %v, want 150 and 240", phi, s.At)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// TestChangePointsLeavesStallsAlone: three observations without a token are no
// new level, and neither is a single burst.
func TestChangePointsLeavesStallsAlone(t *testing.T) {
	x := noisy(2, 0.3, 10, repeated(300, 400)...)
	x[50], x[100], x[101], x[102], x[200] = 0, 0, 0, 0, 900
	s, err := stats.ChangePoints(x, 5)
	if err != nil || len(s.At) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if x[50] != 0 || x[200] != 900 {
		t.Error("the series of the caller was changed")
	}
}

// TestChangePointsNoise: a step hardly touches what is measured of the noise.
func TestChangePointsNoise(t *testing.T) {
	const n, sd, times = 3_000, 5.0, 20
	levels := slices.Concat(repeated(n/2, 100), repeated(n/2, 300))
	for _, phi := range []float64{0, 0.5, 0.7} {
		meanPhi, meanRun := 0.0, 0.0
		for seed := range uint64(times) {
			s, err := stats.ChangePoints(noisy(seed, phi, sd, levels...), n/4)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.At) != 1 || abs(s.At[0]-n/2) > 2 || s.Penalty <= s.LongRun*math.Log(n) {
				t.Errorf("φ = %g: %+v", phi, s)
			}
			meanPhi += s.Phi / times
			meanRun += s.LongRun / times
		}
		longRun := sd * sd * (1 + phi) / (1 - phi)
		if math.Abs(meanPhi-phi) > 0.06 || meanRun < 0.95*longRun || meanRun > 1.8*longRun {
			t.Errorf("φ = %g: mean φ %.3f and long-run variance %.0f, want %.0f or a little more", phi, meanPhi, meanRun, longRun)
		}
	}
}

// TestChangePointsIsTheMinimum holds the pruned search against one that looks at
// every way to cut short series. The penalty is that of the answer; the drawn-in
// values are not, so the series have none.
func TestChangePointsIsTheMinimum(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		n, least := 20+random.IntN(8), 1+random.IntN(6)
		x := make([]float64, n)
		level := 0.0
		for i := range x {
			if random.IntN(8) == 0 {
				level = 8 * random.Float64()
			}
			x[i] = level + random.Float64()
		}
		s, err := stats.ChangePoints(x, least)
		if err != nil {
			t.Fatal(err)
		}
		got := totalCost(stats.Hampel(x), s.At, s.Penalty)
		want := leastCost(stats.Hampel(x), least, s.Penalty)
		if math.Abs(got-want) > 1e-9*(1+want) {
			t.Fatalf("cuts %v cost %g, the least is %g (segments of at least %d of %v)", s.At, got, want, least, x)
		}
		for i, at := range append(slices.Clone(s.At), n) {
			before := 0
			if i > 0 {
				before = s.At[i-1]
			}
			if at-before < least {
				t.Fatalf("a segment from %d to %d, shorter than %d", before, at, least)
			}
		}
	}
}

// totalCost is the squared error around the mean of each segment, and the
// penalties.
func totalCost(x []float64, cuts []int, penalty float64) float64 {
	total, from := 0.0, 0
	for _, to := range append(slices.Clone(cuts), len(x)) {
		total += around(x[from:to])
		from = to
	}
	return total + penalty*float64(len(cuts))
}

func around(x []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

// leastCost tries every first cut, by recursion over what remains.
func leastCost(x []float64, least int, penalty float64) float64 {
	known := map[int]float64{}
	var from func(int) float64
	from = func(at int) float64 {
		if v, ok := known[at]; ok {
			return v
		}
		best := around(x[at:])
		for to := at + least; len(x)-to >= least; to++ {
			best = min(best, around(x[at:to])+penalty+from(to))
		}
		known[at] = best
		return best
	}
	return from(0)
}

// TestChangePointsUnits: the cuts do not depend on the unit, nor on a level that
// all observations have in common.
func TestChangePointsUnits(t *testing.T) {
	x := noisy(9, 0.4, 20, slices.Concat(repeated(60, 500), repeated(60, 600), repeated(60, 400))...)
	a, err := stats.ChangePoints(x, 10)
	if err != nil || len(a.At) == 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = 1e6 + v/1000
	}
	b, err := stats.ChangePoints(y, 10)
	if err != nil || !slices.Equal(a.At, b.At) || math.Abs(b.Phi-a.Phi) > 1e-4 {
		t.Errorf("%+v and %+v, %v", a, b, err)
	}
}

func TestChangePointsRefuses(t *testing.T) {
	good := noisy(1, 0, 1, repeated(30, 5)...)
	nan := slices.Clone(good)
	nan[7] = math.NaN()
	for name, c := range map[string]struct {
		x     []float64
		least int
		want  error
	}{
		"too few":    {good[:19], 1, stats.ErrTooFew},
		"NaN":        {nan, 1, stats.ErrNotFinite},
		"constant":   {repeated(30, 5), 1, stats.ErrConstant},
		"too large":  {append(slices.Clone(good), 1e200), 1, stats.ErrNotFinite},
		"no segment": {good, 0, stats.ErrArgument},
	} {
		if _, err := stats.ChangePoints(c.x, c.least); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := stats.ChangePoints(good, 16); err != nil || len(s.At) != 0 {
		t.Errorf("no room for two segments: %+v, %v", s, err)
	}
}
