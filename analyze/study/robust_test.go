package study_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
	"pgregory.net/rapid"
)

// Whatever a source hands over, there is a report, it can be written as JSON
// (no NaN, no infinity), and PASS needs four runs of each mode.
func TestAnyDatasetHasAReport(t *testing.T) {
	value := rapid.OneOf(rapid.Float64Range(0, 1000), rapid.SampledFrom([]float64{0, -1, math.NaN(), math.Inf(1), math.MaxFloat64, math.SmallestNonzeroFloat64}))
	rapid.Check(t, func(t *rapid.T) {
		var d source.Dataset
		for range rapid.IntRange(0, 12).Draw(t, "windows") {
			d.Runs = append(d.Runs, anyRun(t, value))
		}
		if rapid.Bool().Draw(t, "problem") {
			d.Problems = append(d.Problems, source.Problem{
				Window: rapid.IntRange(-1, 12).Draw(t, "window"),
				Series: rapid.SampledFrom([]string{"", source.DatabaseCPU, source.EndpointErrors}).Draw(t, "series"),
				NoData: rapid.Bool().Draw(t, "no data"), Text: "a problem",
			})
		}
		o := options()
		o.Load = rapid.SampledFrom([]string{"", study.ClosedLoad, study.RateLoad}).Draw(t, "load")
		r := study.Run(d, o)
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		if r.Verdict == report.Pass {
			for _, g := range r.Grants {
				judged := []string{"throughput"}
				if o.Load == study.RateLoad {
					judged = []string{"apim_core_ms", "database_core_ms"}
				}
				for _, metric := range judged {
					c := comparison(r, g.Grant, metric)
					if len(c.On.Runs) < 4 || len(c.Off.Runs) < 4 {
						t.Fatalf("PASS from %d and %d runs of %s", len(c.On.Runs), len(c.Off.Runs), metric)
					}
				}
			}
		}
		if len(r.Diagnostics) != len(d.Runs) {
			t.Fatalf("%d windows, %d checks", len(d.Runs), len(r.Diagnostics))
		}
	})
}

func anyRun(t *rapid.T, value *rapid.Generator[float64]) source.Run {
	seconds := rapid.IntRange(-5, 60)
	start := noon.Add(time.Duration(seconds.Draw(t, "start")) * time.Second)
	r := source.Run{
		Window: source.Window{
			Grant: rapid.SampledFrom([]string{"password", "client_credentials"}).Draw(t, "grant"),
			Mode:  rapid.SampledFrom([]source.Mode{source.On, source.Off}).Draw(t, "mode"),
			Block: rapid.IntRange(0, 3).Draw(t, "block"),
			Start: start,
			End:   start.Add(time.Duration(rapid.IntRange(-10, 90_000).Draw(t, "length")) * time.Millisecond),
		},
		Series: map[string]source.Series{},
	}
	if rapid.Bool().Draw(t, "no times") {
		r.Window.Start, r.Window.End = time.Time{}, time.Time{}
	}
	if rapid.Bool().Draw(t, "jtl") {
		q := &source.Requests{BadRows: uint64(rapid.IntRange(0, 3).Draw(t, "bad"))}
		for range max(0, seconds.Draw(t, "bins")) {
			n := rapid.IntRange(0, 9)
			q.Seconds = append(q.Seconds, source.Second{Successes: uint64(n.Draw(t, "ok")), Errors: uint64(n.Draw(t, "ko"))})
			q.ElapsedMS = append(q.ElapsedMS, uint64(n.Draw(t, "ms")))
		}
		r.Requests = q
	}
	for _, name := range []string{source.EndpointRequests, source.EndpointErrors, source.APIManagerCPU, source.DatabaseCPU, source.LoadGeneratorCPU} {
		if rapid.Bool().Draw(t, name) {
			r.Series[name] = anySeries(t, start, value)
		}
	}
	return r
}

func anySeries(t *rapid.T, start time.Time, value *rapid.Generator[float64]) source.Series {
	step := time.Duration(rapid.IntRange(0, 10).Draw(t, "step")) * time.Second
	s := source.Series{Step: step, Resets: rapid.IntRange(0, 1).Draw(t, "resets")}
	for i := range rapid.IntRange(0, 30).Draw(t, "samples") {
		at := start.Add(time.Duration(i) * step)
		s.Points = append(s.Points, source.Point{Time: at, Value: value.Draw(t, "point")})
		s.Intervals = append(s.Intervals, source.Interval{From: at, To: at.Add(step), Increase: value.Draw(t, "increase")})
	}
	return s
}
