package study_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// one analyses a pair of windows and returns the off run of a metric.
func offRun(t *testing.T, d source.Dataset, o study.Options, metric string) report.Run {
	t.Helper()
	c := comparison(study.Run(d, o), "password", metric)
	if len(c.Off.Runs) != 1 {
		t.Fatalf("%s: %+v", metric, c)
	}
	return c.Off.Runs[0]
}

// The warm-up of these windows runs at a tenth, a value that would show.
func TestWarmupIsTrimmed(t *testing.T) {
	o := options()
	got := offRun(t, pairs("password", 0), o, "throughput")
	if got.Value != 5000 || got.N != 30 {
		t.Errorf("%+v, want 5000 tokens/s over 30 s", got)
	}
	// 9.5 s end within a second: the second is left out as a whole.
	o.Warmup = 9500 * time.Millisecond
	if got := offRun(t, pairs("password", 0), o, "throughput"); got.Value != 5000 || got.N != 30 {
		t.Errorf("%+v, want 5000 tokens/s over 30 s", got)
	}
	o.Warmup = 0
	if got := offRun(t, pairs("password", 0), o, "throughput"); got.Value >= 5000 || got.N != 40 {
		t.Errorf("%+v, want less over 40 s", got)
	}
}

// A window that ends within a second leaves that second out.
func TestPartialLastSecond(t *testing.T) {
	d := pairs("password", 0)
	d.Runs[1].Window.End = d.Runs[1].Window.End.Add(-300 * time.Millisecond)
	if got := offRun(t, d, options(), "throughput"); got.Value != 5000 || got.N != 29 {
		t.Errorf("%+v, want 5000 tokens/s over 29 s", got)
	}
}

// Only increments that lie wholly in the measured part count, divided by the
// time they cover.
func TestCounterIncrementsAreNotExtrapolated(t *testing.T) {
	d := counted(pairs("password", 0))
	w := d.Runs[1].Window
	at := func(s float64) time.Time { return w.Start.Add(time.Duration(s * float64(time.Second))) }
	d.Runs[1].Series[source.EndpointRequests] = source.Series{Step: 15 * time.Second, Intervals: []source.Interval{
		{From: at(0), To: at(7), Increase: 1e6},   // warm-up
		{From: at(7), To: at(11), Increase: 1e6},  // crosses its end
		{From: at(11), To: at(26), Increase: 150}, // 10/s
		{From: at(26), To: at(38), Increase: 240}, // 20/s
		{From: at(38), To: at(41), Increase: 1e6}, // crosses the end of the window
	}}
	got := offRun(t, d, options(), "throughput")
	if want := 390.0 / 27; got.Value != want || got.N != 2 {
		t.Errorf("%+v, want %v of 2 increments", got, want)
	}
}

// A CloudWatch point covers the period after its time: those that reach out of
// the measured part are left out.
func TestPartialPeriodsAreLeftOut(t *testing.T) {
	d := pairs("password", 0)
	for _, r := range d.Runs {
		points(r, source.DatabaseCPU, 7*time.Second, 9, 9, 0.2, 0.4, 0.6, 9) // from 0, 7, 14, 21, 28 and 35 s
	}
	if got := offRun(t, d, options(), "database_cpu"); math.Abs(got.Value-0.4) > 1e-12 || got.N != 3 {
		t.Errorf("%+v, want 0.4 of 3 points", got)
	}
}

func TestLatencyAndErrors(t *testing.T) {
	d := failures(pairs("password", 0), source.Off, 1500)
	for metric, want := range map[string]float64{
		"latency_p50": 100,
		"latency_p95": 100,
		"latency_p99": 199, // 2 % take 199 ms
		"errors":      1500.0 / 151_500,
	} {
		if got := offRun(t, d, options(), metric); got.Value != want {
			t.Errorf("%s = %v, want %v", metric, got.Value, want)
		}
	}
}

// A comparison shows what belongs together: the ratio of the geometric means.
func TestRatioIsThatOfTheGeometricMeans(t *testing.T) {
	for name, d := range map[string]source.Dataset{
		"paired":   pairs("password", 0.2, -0.1, 0.3, 0.05),
		"unpaired": unpaired(pairs("password", 0.2, -0.1, 0.3, 0.05)),
	} {
		c := comparison(study.Run(d, options()), "password", "throughput")
		if got, want := *c.Ratio.Estimate, *c.Off.Estimate / *c.On.Estimate; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: ratio %v beside means that give %v", name, got, want)
		}
		if (len(c.Ratio.Pairs) == 4) != (name == "paired") {
			t.Errorf("%s: pairs %v", name, c.Ratio.Pairs)
		}
		if !(*c.On.Lo < *c.On.Estimate && *c.On.Estimate < *c.On.Hi) {
			t.Errorf("%s: on %v [%v, %v]", name, *c.On.Estimate, *c.On.Lo, *c.On.Hi)
		}
	}
}

// Off without any I/O has no log ratio: the arithmetic means stand alone.
func TestZeroHasNoLogarithm(t *testing.T) {
	d := pairs("password", 0.2, 0.1, 0.3, 0.2)
	for i, r := range d.Runs {
		v := 100.0 + float64(i)
		if r.Window.Mode == source.Off {
			v = 0
		}
		points(r, source.DatabaseIOPS, 5*time.Second, v, v, v, v, v, v, v, v)
	}
	r := study.Run(d, options())
	c := comparison(r, "password", "database_iops")
	if c.Ratio.Estimate == nil || *c.Ratio.Estimate != 0 || c.Ratio.Lo != nil || c.Method != "estimate alone" || !warned(c.Warnings, "zero") {
		t.Errorf("%+v", c)
	}
	if r.Verdict != report.Pass {
		t.Errorf("%s: a secondary metric changed the verdict", r.Verdict)
	}
}

func TestOneWindowOnEachSide(t *testing.T) {
	c := comparison(study.Run(noisy(pairs("password", 0.2), 1), options()), "password", "throughput")
	if c.Method != "EWC-t within this window only" || c.Status != "provisional" || c.Ratio.Lo == nil || c.On.Lo == nil {
		t.Errorf("%+v", c)
	}
	if c.PDifference != nil || c.PNonInferior != nil || c.PLoss != nil || c.DetectableLoss != nil {
		t.Errorf("a single window has p-values: %+v", c)
	}
	if !warned(c.Warnings, "one-run") {
		t.Errorf("%+v", c.Warnings)
	}
	o := options()
	o.Warmup = 25 * time.Second // leaves 15 s
	c = comparison(study.Run(noisy(pairs("password", 0.2), 1), o), "password", "throughput")
	if c.Method != "estimate alone" || c.Ratio.Lo != nil || c.Ratio.Estimate == nil {
		t.Errorf("15 s: %+v", c)
	}
}

// Two runs of one mode in a block are one observation.
func TestSeveralRunsInABlock(t *testing.T) {
	d := pairs("password", 0.2, 0.22, 0.18, 0.21)
	for _, r := range pairs("password", 0.1, 0.12, 0.08, 0.11).Runs {
		if r.Window.Mode == source.Off {
			r.Window.Start = r.Window.Start.Add(time.Hour)
			r.Window.End = r.Window.End.Add(time.Hour)
			d.Runs = append(d.Runs, r)
		}
	}
	c := comparison(study.Run(d, options()), "password", "throughput")
	if len(c.Off.Runs) != 4 || c.Status != "confirmatory" {
		t.Fatalf("%+v", c)
	}
	if got := math.Log(*c.Ratio.Estimate); math.Abs(got-0.1525) > 1e-4 {
		t.Errorf("log ratio %v, want the mean 0.1525", got)
	}
}

func TestFigures(t *testing.T) {
	d := pairs("password", 0.2, 0.1)
	for i, r := range d.Runs {
		points(r, source.DatabaseCPU, 10*time.Second, 0.1, 0.2, 0.3, 0.4)
		if i == 0 {
			points(r, source.APIManagerCPU, 10*time.Second, 0.5)
		}
	}
	figures := study.Run(d, options()).Figures
	var got []string
	for _, f := range figures {
		got = append(got, f.Metric)
	}
	if diff := cmp.Diff([]string{"throughput", "apim_cpu", "database_cpu"}, got); diff != "" {
		t.Fatal(diff)
	}
	if f := figures[0]; len(f.Lines) != 4 || len(f.Lines[0].Seconds) != 40 || f.Lines[0].Seconds[0] != 0.5 || f.Warmup != 10 {
		t.Errorf("%+v", f)
	}
	want := report.Line{Persistence: "on", Block: 1, Seconds: []float64{5, 15, 25, 35}, Values: []float64{0.1, 0.2, 0.3, 0.4}}
	if diff := cmp.Diff(want, figures[2].Lines[0]); diff != "" {
		t.Error(diff)
	}
}

// A quarter of an hour has too many seconds to draw: they are averaged.
func TestLongWindowsAreDrawnInMeans(t *testing.T) {
	d := pairs("password", 0)
	for i := range d.Runs {
		r := &d.Runs[i]
		r.Window.End = r.Window.Start.Add(15 * time.Minute)
		r.Requests.Seconds = make([]source.Second, 900)
		for j := range r.Requests.Seconds {
			r.Requests.Seconds[j].Successes = uint64(j % 4)
		}
	}
	f := study.Run(d, options()).Figures[0]
	if f.Label != "Throughput, means over 4 s" || len(f.Lines[0].Seconds) != 225 {
		t.Fatalf("%s with %d points", f.Label, len(f.Lines[0].Seconds))
	}
	if diff := cmp.Diff([]float64{2, 6}, f.Lines[0].Seconds[:2]); diff != "" || f.Lines[0].Values[7] != 1.5 {
		t.Errorf("%s, %v", diff, f.Lines[0].Values[7])
	}
}

// The report must not change what it was made from, nor depend on its order.
func TestRunLeavesTheDatasetAlone(t *testing.T) {
	build := func() source.Dataset {
		return join(pairs("password", 0.2, 0.1, 0.15, 0.12), pairs("client_credentials", 0.1, 0.2, 0.12, 0.11))
	}
	d := build()
	first := study.Run(d, options())
	if diff := cmp.Diff(build(), d, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	turned := build()
	for i, j := 0, len(turned.Runs)-1; i < j; i, j = i+1, j-1 {
		turned.Runs[i], turned.Runs[j] = turned.Runs[j], turned.Runs[i]
	}
	if diff := cmp.Diff(first, study.Run(turned, options())); diff != "" {
		t.Error(diff)
	}
}
