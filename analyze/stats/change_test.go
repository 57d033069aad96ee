package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
	"gonum.org/v1/gonum/mat"
)

// The slope of Drift is that of R's lm.
func TestDriftEqualsR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		Cases     []struct {
			Series string
			Slope  number
		}
	}
	truth(t, "trends", &file)
	data := series(t)
	if len(file.Cases) != 10 {
		t.Fatalf("%d cases, want 10", len(file.Cases))
	}
	for _, c := range file.Cases {
		d, err := stats.Drift(data[c.Series])
		must(t, err)
		near(t, c.Series, (d.After-d.Before)/float64(d.N-1), c.Slope, file.Tolerance)
	}
}

// Both tests say what regressions say: the noise is the mean square that the B
// slowest waves explain beside the constant and the change, each regression
// solved by QR instead of by our closed forms.
func TestChangesEqualRegressions(t *testing.T) {
	data := series(t)
	for _, name := range []string{"cc_on", "pw_off", "null_a", "null_b", "warmup", "shift"} {
		x := data[name]
		n := len(x)
		line := make([]float64, n)
		for i := range line {
			line[i] = float64(i)
		}
		drift, err := stats.Drift(x)
		must(t, err)
		b := int(drift.DF)
		near(t, name+" drift t", drift.T, number(regressionT(t, x, line, b)), 1e-6)

		step, err := stats.Step(x)
		must(t, err)
		largest, explained := 0.0, 0.0
		for k := n / 10; k <= n-n/10; k++ {
			jump := make([]float64, n)
			for i := k; i < n; i++ {
				jump[i] = 1
			}
			constant, both := residual(t, x), residual(t, x, jump)
			explained = max(explained, 1-both/constant)
			for part := 2; part <= 18; part++ {
				if k == n*part/20 {
					if v := regressionT(t, x, jump, b); math.Abs(v) > math.Abs(largest) {
						largest = v
					}
				}
			}
		}
		near(t, name+" step t", step.T, number(largest), 1e-6)
		near(t, name+" step share", step.Share, number(explained), 1e-9)
	}
}

// regressionT is the t statistic of the coefficient of one regressor, its noise
// measured along b cosine waves.
func regressionT(t *testing.T, x, regressor []float64, b int) float64 {
	t.Helper()
	n := float64(len(x))
	columns := [][]float64{regressor}
	for j := 1; j <= b; j++ {
		wave := make([]float64, len(x))
		for i := range wave {
			wave[i] = math.Cos(math.Pi * float64(j) * (float64(i) + 0.5) / n)
		}
		columns = append(columns, wave)
	}
	constant, with, waves := residual(t, x), residual(t, x, regressor), residual(t, x, columns...)
	size := math.Sqrt((constant - with) / ((with - waves) / float64(b)))
	// The sign is that of the covariance.
	var meanX, meanR, covariance float64
	for i := range x {
		meanX += x[i] / n
		meanR += regressor[i] / n
	}
	for i := range x {
		covariance += (x[i] - meanX) * (regressor[i] - meanR)
	}
	return math.Copysign(size, covariance)
}

// residual is the sum of squares that a constant and the columns leave of x.
func residual(t *testing.T, x []float64, columns ...[]float64) float64 {
	t.Helper()
	design := mat.NewDense(len(x), len(columns)+1, nil)
	for i := range x {
		design.Set(i, 0, 1)
		for j, c := range columns {
			design.Set(i, j+1, c[i])
		}
	}
	y := mat.NewVecDense(len(x), x)
	var qr mat.QR
	qr.Factorize(design)
	var beta, fit mat.VecDense
	must(t, qr.SolveVecTo(&beta, false, y))
	fit.MulVec(design, &beta)
	fit.SubVec(y, &fit)
	return mat.Dot(&fit, &fit)
}

// What a change looks like when it is there: the synthetic series "shift" steps
// from 762 to 699 after 180 of 300 seconds.
func TestStepFindsTheShift(t *testing.T) {
	c, err := stats.Step(series(t)["shift"])
	must(t, err)
	if c.At != 180 || math.Abs(c.Before-761.8155555555555) > 1e-9 || math.Abs(c.After-699.1375) > 1e-9 || c.P > 1e-6 {
		t.Errorf("%+v", c)
	}
	drift, err := stats.Drift(series(t)["shift"])
	must(t, err)
	if drift.Share >= c.Share {
		t.Errorf("a line explains %.2f of a step, the step %.2f", drift.Share, c.Share)
	}
}

// A change without any noise is certain, not a division by zero.
func TestChangesWithoutNoise(t *testing.T) {
	line, jump := make([]float64, 200), make([]float64, 200)
	for i := range line {
		line[i] = 100 + float64(i)
		jump[i] = 100
		if i >= 100 {
			jump[i] = 110
		}
	}
	d, err := stats.Drift(line)
	must(t, err)
	if math.Abs(d.Before-100) > 1e-9 || math.Abs(d.After-299) > 1e-9 || !(d.P < 1e-12) || math.IsInf(d.T, 0) || !(d.Share > 1-1e-9) {
		t.Errorf("a line: %+v", d)
	}
	s, err := stats.Step(jump)
	must(t, err)
	if s.At != 100 || s.Before != 100 || s.After != 110 || !(s.P < 1e-12) || math.IsInf(s.T, 0) {
		t.Errorf("a jump: %+v", s)
	}
}

// Neither test finds much more than its share where nothing changes, whatever
// the autocorrelation up to φ = 0.6, and both find a change of two to three
// standard deviations of an innovation. 1 % of 2,000 is 20 with a Monte Carlo error of 4.4.
func TestChangesHaveTheirNominalSize(t *testing.T) {
	const replications, n, size = 2_000, 300, 0.01
	for _, phi := range []float64{0, 0.3, 0.6} {
		t.Run(fmt.Sprintf("φ=%.1f", phi), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(41, uint64(phi*10)))
			var steps, drifts, foundStep, foundDrift int
			count := func(n *int, c stats.Change, err error) {
				must(t, err)
				if c.P <= size {
					*n++
				}
			}
			for range replications {
				x := ar1(random, n, phi)
				c, err := stats.Step(x)
				count(&steps, c, err)
				c, err = stats.Drift(x)
				count(&drifts, c, err)
				stepped, drifting := make([]float64, n), make([]float64, n)
				for i, v := range x {
					stepped[i], drifting[i] = v, v+3*float64(i)/n
					if i >= n/3 {
						stepped[i] += 2
					}
				}
				c, err = stats.Step(stepped)
				count(&foundStep, c, err)
				c, err = stats.Drift(drifting)
				count(&foundDrift, c, err)
			}
			t.Logf("steps %d, drifts %d of %d where there are none; %d and %d where there is one", steps, drifts, replications, foundStep, foundDrift)
			if steps > replications*2/100 || drifts > replications*2/100 {
				t.Errorf("%d steps and %d drifts of %d are found where there are none, want about 1 %%", steps, drifts, replications)
			}
			if foundStep < replications*8/10 || foundDrift < replications*8/10 {
				t.Errorf("only %d steps and %d drifts of %d are found", foundStep, foundDrift, replications)
			}
		})
	}
}
