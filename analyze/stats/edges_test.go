package stats_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/stats"
	"pgregory.net/rapid"
)

func TestWhatHasNoEstimateIsAnError(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	mean := func(x ...float64) func() error {
		return func() error { _, err := stats.MeanT(x, 0.95); return err }
	}
	two := func(test func(x, y []float64, level float64) (stats.Estimate, error), x, y []float64) func() error {
		return func() error { _, err := test(x, y, 0.95); return err }
	}
	quantile := func(p float64, kind stats.QuantileType, x ...float64) func() error {
		return func() error { _, err := stats.Quantile(x, p, kind); return err }
	}
	s := func(x ...float64) []float64 { return x }
	many := func(n int, x ...float64) []float64 {
		for len(x) < n {
			x = append(x, x[0])
		}
		return x
	}
	for name, c := range map[string]struct {
		run  func() error
		want error
	}{
		"no observation":               {mean(), stats.ErrTooFew},
		"one observation":              {mean(1), stats.ErrTooFew},
		"NaN":                          {mean(1, nan), stats.ErrNotFinite},
		"infinity":                     {mean(1, inf), stats.ErrNotFinite},
		"constant":                     {mean(0.1, 0.1, 0.1), stats.ErrConstant},
		"all zero":                     {mean(0, 0), stats.ErrConstant},
		"one pair":                     {two(stats.PairedT, s(1), s(2)), stats.ErrTooFew},
		"unequal pairs":                {two(stats.PairedT, s(1, 2), s(2)), stats.ErrArgument},
		"constant difference":          {two(stats.PairedT, s(0.1, 0.2, 0.3), s(0.2, 0.3, 0.4)), stats.ErrConstant},
		"NaN in second":                {two(stats.PairedT, s(1, 2), s(2, nan)), stats.ErrNotFinite},
		"one run on a side":            {two(stats.WelchT, s(1, 2), s(2)), stats.ErrTooFew},
		"both sides constant":          {two(stats.WelchT, s(1, 1), s(2, 2)), stats.ErrConstant},
		"Welch with infinity":          {two(stats.WelchT, s(1, inf), s(2, 3)), stats.ErrNotFinite},
		"short series":                 {two(stats.EWCLogRatio, s(1, 2), s(1, 2, 3)), stats.ErrTooFew},
		"constant series":              {two(stats.EWCLogRatio, s(5, 5, 5, 5), s(7, 7, 7, 7)), stats.ErrConstant},
		"mean zero":                    {two(stats.EWCLogRatio, s(0, 0, 0), s(1, 2, 3)), stats.ErrNotPositive},
		"negative mean":                {two(stats.EWCLogRatio, s(1, 2, 3), s(-1, -2, -3)), stats.ErrNotPositive},
		"EWC mean of a constant":       {func() error { _, err := stats.EWCMean(s(3, 3, 3, 3), 0.95); return err }, stats.ErrConstant},
		"EWC mean with NaN":            {func() error { _, err := stats.EWCMean(s(3, nan, 3, 3), 0.95); return err }, stats.ErrNotFinite},
		"level":                        {func() error { _, err := stats.MeanT(s(1, 2), 95); return err }, stats.ErrArgument},
		"level NaN":                    {func() error { _, err := stats.MeanT(s(1, 2), nan); return err }, stats.ErrArgument},
		"quantile of nothing":          {quantile(0.5, stats.Type7), stats.ErrTooFew},
		"quantile of NaN":              {quantile(0.5, stats.Type7, 1, nan), stats.ErrNotFinite},
		"quantile 1.5":                 {quantile(1.5, stats.Type7, 1, 2), stats.ErrArgument},
		"quantile NaN":                 {quantile(nan, stats.Type7, 1, 2), stats.ErrArgument},
		"quantile type 4":              {quantile(0.5, 4, 1, 2), stats.ErrArgument},
		"empty histogram":              {func() error { _, err := stats.HistogramQuantile(make([]uint64, 9), 0.5, stats.Type7); return err }, stats.ErrTooFew},
		"logarithm of zero":            {func() error { _, err := stats.Logs(s(1, 0)); return err }, stats.ErrNotPositive},
		"logarithm of a negative":      {func() error { _, err := stats.Logs(s(-1)); return err }, stats.ErrNotPositive},
		"logarithm of infinity":        {func() error { _, err := stats.Logs(s(inf)); return err }, stats.ErrNotFinite},
		"lag beyond the series":        {func() error { _, err := stats.Autocorrelation(s(1, 2), 1); return err }, stats.ErrTooFew},
		"negative lag":                 {func() error { _, err := stats.Autocorrelation(s(1, 2), -1); return err }, stats.ErrArgument},
		"autocorrelation, constant":    {func() error { _, err := stats.Autocorrelation(s(0.1, 0.1, 0.1), 1); return err }, stats.ErrConstant},
		"variation around zero":        {func() error { _, err := stats.Variation(s(-1, 1)); return err }, stats.ErrNotPositive},
		"variation of one":             {func() error { _, err := stats.Variation(s(1)); return err }, stats.ErrTooFew},
		"more events than trials":      {func() error { _, err := stats.ClopperPearsonUpper(2, 1, 0.95); return err }, stats.ErrArgument},
		"confidence 1":                 {func() error { _, err := stats.ClopperPearsonUpper(0, 1, 1); return err }, stats.ErrArgument},
		"step, too short":              {func() error { _, err := stats.Step(many(19, 1, 2)); return err }, stats.ErrTooFew},
		"step of a constant":           {func() error { _, err := stats.Step(many(30, 0.1)); return err }, stats.ErrConstant},
		"step with NaN":                {func() error { _, err := stats.Step(many(30, 1, nan)); return err }, stats.ErrNotFinite},
		"drift, too short":             {func() error { _, err := stats.Drift(many(19, 1, 2)); return err }, stats.ErrTooFew},
		"drift of a constant":          {func() error { _, err := stats.Drift(many(30, 0.1)); return err }, stats.ErrConstant},
		"drift with infinity":          {func() error { _, err := stats.Drift(many(30, 1, inf)); return err }, stats.ErrNotFinite},
		"drift beyond float64":         {func() error { _, err := stats.Drift(many(30, 1, math.MaxFloat64)); return err }, stats.ErrConstant},
		"MSER-5 with NaN":              {func() error { _, err := stats.MSER5(many(60, 1, nan)); return err }, stats.ErrNotFinite},
		"no pair to flip":              {func() error { _, err := stats.SignFlip(s(), s()); return err }, stats.ErrTooFew},
		"pairs of unequal length":      {func() error { _, err := stats.SignFlip(s(1, 2), s(1)); return err }, stats.ErrArgument},
		"too many pairs to flip":       {func() error { _, err := stats.SignFlip(many(25, 1), many(25, 2)); return err }, stats.ErrArgument},
		"flip with NaN":                {func() error { _, err := stats.SignFlip(s(1), s(nan)); return err }, stats.ErrNotFinite},
		"power without spread":         {func() error { _, err := stats.Power(1, 0, 3, 0.05, stats.OneTail); return err }, stats.ErrArgument},
		"power of a NaN":               {func() error { _, err := stats.Power(nan, 1, 3, 0.05, stats.OneTail); return err }, stats.ErrNotFinite},
		"detectable without freedom":   {func() error { _, err := stats.Detectable(1, 0, 0.05, 0.8); return err }, stats.ErrArgument},
		"detectable with power 1":      {func() error { _, err := stats.Detectable(1, 3, 0.05, 1); return err }, stats.ErrArgument},
		"detectable, power below size": {func() error { _, err := stats.Detectable(1, 3, 0.05, 0.01); return err }, stats.ErrArgument},
	} {
		if err := c.run(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestExpCutsWhatNoFloatHolds(t *testing.T) {
	e, err := stats.PairedT([]float64{5, 1500}, []float64{0, 0}, 0.95)
	must(t, err)
	ratio := e.Exp()
	if math.IsInf(ratio.Hi, 0) || ratio.Lo != 0 || len(ratio.Warnings) != 1 {
		t.Errorf("%+v", ratio)
	}
	if len(e.Warnings) != 0 {
		t.Errorf("Exp changed its receiver: %q", e.Warnings)
	}
}

// Whatever finite numbers come in, an estimate without an error has finite
// numbers, an interval around its value and a p-value in [0, 1].
func TestEstimatesAreFinite(t *testing.T) {
	sample := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 0, 30)
	rapid.Check(t, func(t *rapid.T) {
		x, y := sample.Draw(t, "x"), sample.Draw(t, "y")
		n := min(len(x), len(y))
		for _, estimate := range []func() (stats.Estimate, error){
			func() (stats.Estimate, error) { return stats.MeanT(x, 0.95) },
			func() (stats.Estimate, error) { return stats.PairedT(x[:n], y[:n], 0.95) },
			func() (stats.Estimate, error) { return stats.WelchT(x, y, 0.95) },
			func() (stats.Estimate, error) { return stats.EWCMean(x, 0.95) },
			func() (stats.Estimate, error) { return stats.EWCLogRatio(x, y, 0.95) },
		} {
			e, err := estimate()
			if err != nil {
				continue
			}
			p := e.P(0, stats.TwoSided)
			for _, v := range []float64{e.Value, e.Lo, e.Hi, e.SE, e.DF, p} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%+v, p = %v", e, p)
				}
			}
			if e.Lo > e.Value || e.Hi < e.Value || p < 0 || p > 1 {
				t.Fatalf("%+v, p = %v", e, p)
			}
		}
	})
}

func TestTableNamesEveryStatisticOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range stats.Table() {
		if seen[row.ID] || row.Name == "" || row.Assumes == "" || row.Source == "" || strings.HasSuffix(row.Assumes, ".") {
			t.Errorf("row %+v", row)
		}
		seen[row.ID] = true
	}
}

// The same holds for a change: its levels, statistics and probabilities are
// numbers, or it is an error.
func TestChangesAreFinite(t *testing.T) {
	value := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Float64Range(-1e300, 1e300), rapid.SampledFrom([]float64{0, 1}))
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(value, 0, 80).Draw(t, "x")
		for name, test := range map[string]func([]float64) (stats.Change, error){"step": stats.Step, "drift": stats.Drift} {
			c, err := test(x)
			if err != nil {
				continue
			}
			for _, v := range []float64{c.Before, c.After, c.T, c.DF, c.P, c.Share} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%s: %+v", name, c)
				}
			}
			if c.P < 0 || c.P > 1 || c.Share < -1e-9 || c.Share > 1+1e-9 || c.At < 0 || c.At >= len(x) {
				t.Fatalf("%s: %+v", name, c)
			}
		}
		if discard, err := stats.MSER5(x); err == nil && (discard < 0 || discard > len(x)/2+5) {
			t.Fatalf("%d of %d discarded", discard, len(x))
		}
	})
}
