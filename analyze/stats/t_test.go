package stats_test

import (
	"math"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

func TestTTestsEqualR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		Cases     []struct {
			ID, Test, Alternative, X, Y string
			Level                       float64 `json:"conf_level"`
			Expected                    struct {
				Statistic, DF number
				P             number `json:"p_value"`
				Lo            number `json:"conf_lo"`
				Hi            number `json:"conf_hi"`
			}
		}
	}
	truth(t, "t_tests", &file)
	data := series(t)
	tails := map[string]stats.Tail{"two.sided": stats.TwoSided, "less": stats.Less, "greater": stats.Greater}
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			test := stats.WelchT
			if c.Test == "paired_t" {
				test = stats.PairedT
			}
			e, err := test(data[c.X], data[c.Y], c.Level)
			must(t, err)
			near(t, "t", e.Value/e.SE, c.Expected.Statistic, file.Tolerance)
			near(t, "df", e.DF, c.Expected.DF, file.Tolerance)
			near(t, "p", e.P(0, tails[c.Alternative]), c.Expected.P, file.Tolerance)
			lo, hi := e.Lo, e.Hi
			switch c.Alternative {
			case "less":
				lo = math.Inf(-1)
				hi, err = e.UpperBound(c.Level)
			case "greater":
				hi = math.Inf(1)
				lo, err = e.LowerBound(c.Level)
			}
			must(t, err)
			if !math.IsInf(lo, 0) {
				near(t, "lo", lo, c.Expected.Lo, file.Tolerance)
			}
			if !math.IsInf(hi, 0) {
				near(t, "hi", hi, c.Expected.Hi, file.Tolerance)
			}
		})
	}
}

// A one-sample t test of differences is the paired test.
func TestMeanTIsThePairedTestOfDifferences(t *testing.T) {
	data := series(t)
	x, y := data["sleep_1"], data["sleep_2"]
	differences := make([]float64, len(x))
	for i := range x {
		differences[i] = x[i] - y[i]
	}
	mean, err := stats.MeanT(differences, 0.95)
	must(t, err)
	near(t, "lo", mean.Lo, -2.4598857632769824, 1e-9)
	near(t, "hi", mean.Hi, -0.7001142367230175, 1e-9)
	near(t, "p", mean.P(0, stats.TwoSided), 0.00283289019738427, 1e-9)
}

// gonum's tails are good enough for our p-values, and stay so.
func TestDistributionsEqualR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		T         []struct{ P, DF, Expected number }
		Tail      []struct{ T, DF, Expected number }      `json:"pt_tail"`
		Nct       []struct{ T, DF, NCP, Expected number } `json:"pnct"`
	}
	truth(t, "distributions", &file)
	for _, c := range file.T {
		near(t, "qt", distuv.StudentsT{Sigma: 1, Nu: float64(c.DF)}.Quantile(float64(c.P)), c.Expected, file.Tolerance)
	}
	for _, c := range file.Tail {
		e := stats.Estimate{Value: float64(c.T), SE: 1, DF: float64(c.DF)}
		near(t, "pt", e.P(0, stats.Less), c.Expected, file.Tolerance)
		e.Value = -e.Value
		near(t, "pt, upper", e.P(0, stats.Greater), c.Expected, file.Tolerance)
	}
	for _, c := range file.Nct {
		near(t, "pnct", distuv.NoncentralT{Nu: float64(c.DF), Mu: float64(c.NCP)}.CDF(float64(c.T)), c.Expected, file.Tolerance)
	}
}

func TestPowerEqualsR(t *testing.T) {
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		Cases     []struct {
			Solve, Type             string
			N                       float64 `json:"n_per_group"`
			Delta, SD, Power, Alpha float64
			Expected                struct {
				OneTail *number `json:"power_one_tail_approx"`
				Strict  *number `json:"power_strict_two_sided"`
				Delta   *number
			}
		}
	}
	truth(t, "power", &file)
	checked := 0
	for _, c := range file.Cases {
		se, df := c.SD/math.Sqrt(c.N), c.N-1
		if c.Type == "two.sample" {
			se, df = c.SD*math.Sqrt(2/c.N), 2*(c.N-1)
		}
		for rule, want := range map[stats.PowerRule]*number{stats.OneTail: c.Expected.OneTail, stats.Strict: c.Expected.Strict} {
			if want != nil {
				got, err := stats.Power(c.Delta, se, df, c.Alpha, rule)
				must(t, err)
				near(t, "power", got, *want, file.Tolerance)
				checked++
			}
		}
		if c.Expected.Delta != nil {
			got, err := stats.Detectable(se, df, c.Alpha, c.Power)
			must(t, err)
			near(t, "delta", got, *c.Expected.Delta, file.Tolerance)
			checked++
		}
	}
	if checked != 12 {
		t.Errorf("%d answers were checked, the file holds 12", checked)
	}
}
