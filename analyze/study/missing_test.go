package study_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// removal takes something detectable out of run i.
type removal struct {
	name string
	from func(random *rand.Rand, d *source.Dataset, i int)
}

func removals() []removal {
	stretch := func(random *rand.Rand, bins []source.Second) []source.Second {
		from := 10 + random.IntN(len(bins)-10)
		return bins[from : from+1+random.IntN(len(bins)-from)]
	}
	return []removal{
		{"the window", func(_ *rand.Rand, d *source.Dataset, i int) { d.Runs = slices.Delete(d.Runs, i, i+1) }},
		{"the result file", func(_ *rand.Rand, d *source.Dataset, i int) { d.Runs[i].Requests = nil }},
		{"a stretch of seconds", func(random *rand.Rand, d *source.Dataset, i int) {
			clear(stretch(random, d.Runs[i].Requests.Seconds))
		}},
		{"the end of the file", func(random *rand.Rand, d *source.Dataset, i int) {
			r := d.Runs[i].Requests
			r.Seconds = r.Seconds[:10+random.IntN(len(r.Seconds)-10)]
		}},
		{"rows that cannot be read", func(random *rand.Rand, d *source.Dataset, i int) {
			r := d.Runs[i].Requests
			for j := range stretch(random, r.Seconds) {
				s := &r.Seconds[len(r.Seconds)-1-j]
				good, bad := uint64(random.Int64N(int64(s.Successes+1))), uint64(random.Int64N(int64(s.Errors+1)))
				s.Successes, s.Errors = s.Successes-good, s.Errors-bad
				r.BadRows += good + bad
			}
		}},
		{"the rows of seconds with errors", func(_ *rand.Rand, d *source.Dataset, i int) {
			for j, s := range d.Runs[i].Requests.Seconds {
				if s.Errors > 0 {
					d.Runs[i].Requests.Seconds[j] = source.Second{}
				}
			}
		}},
	}
}

func counterRemovals() []removal {
	return []removal{
		{"the token counter", func(_ *rand.Rand, d *source.Dataset, i int) { delete(d.Runs[i].Series, source.EndpointRequests) }},
		{"the error counter", func(_ *rand.Rand, d *source.Dataset, i int) { delete(d.Runs[i].Series, source.EndpointErrors) }},
		{"an increment", func(random *rand.Rand, d *source.Dataset, i int) {
			s := d.Runs[i].Series[source.EndpointRequests]
			j := 1 + random.IntN(len(s.Intervals)-2)
			s.Intervals = slices.Delete(slices.Clone(s.Intervals), j, j+1)
			d.Runs[i].Series[source.EndpointRequests] = s
		}},
		{"the last increments of one mode", func(random *rand.Rand, d *source.Dataset, i int) {
			mode, left := d.Runs[i].Window.Mode, 4+random.IntN(3)
			for _, r := range d.Runs {
				if s := r.Series[source.EndpointRequests]; r.Window.Mode == mode {
					s.Intervals = s.Intervals[:left]
					r.Series[source.EndpointRequests] = s
				}
			}
		}},
	}
}

// borderline draws experiments around the limits of PASS whose windows run 20 %
// faster or slower at their end and have errors here and there, so that a little
// less data could tip them.
func borderline(random *rand.Rand) source.Dataset {
	ratios := make([]float64, 4+random.IntN(3))
	centre := -0.08 + 0.12*random.Float64()
	for i := range ratios {
		ratios[i] = centre + 0.03*random.NormFloat64()
	}
	d := noisy(pairs("password", ratios...), random.Uint64())
	slope := 0.2 * float64(1-2*random.IntN(2))
	for _, r := range d.Runs {
		for i := range r.Requests.Seconds {
			s := &r.Requests.Seconds[i]
			s.Successes = uint64(float64(s.Successes) * (1 + slope*(float64(i)-25)/15))
		}
		if r.Window.Mode == source.Off && random.IntN(2) == 0 {
			for range 3 {
				r.Requests.Seconds[10+random.IntN(30)].Errors = uint64(random.IntN(1000))
			}
		}
	}
	return d
}

// Missing data never turns into PASS: whatever is taken out of an experiment
// that does not pass, it still does not pass.
func TestRemovingDataNeverMakesAPass(t *testing.T) {
	for _, kind := range []struct {
		name     string
		removals []removal
		prepare  change
	}{
		{"result files", removals(), func(d source.Dataset) source.Dataset { return d }},
		{"counters", counterRemovals(), counted},
	} {
		for _, r := range kind.removals {
			t.Run(kind.name+" without "+r.name, func(t *testing.T) {
				t.Parallel()
				random := rand.New(rand.NewPCG(17, 4))
				tried := 0
				for range 250 {
					d := kind.prepare(borderline(random))
					before := study.Run(d, options())
					if before.Verdict == report.Pass {
						continue
					}
					tried++
					i := random.IntN(len(d.Runs))
					was := fmt.Sprintf("%+v", before.Grants)
					r.from(random, &d, i)
					if after := study.Run(d, options()); after.Verdict == report.Pass {
						t.Fatalf("without %s of run %d: %s became %+v", r.name, i, was, after.Grants)
					}
				}
				if tried < 60 {
					t.Fatalf("only %d experiments did not pass before", tried)
				}
			})
		}
	}
}

// A short silence leaves a PASS that survives the worst reading of it.
func TestSilence(t *testing.T) {
	for _, c := range []struct {
		name    string
		mode    source.Mode
		seconds int
		want    report.Verdict
	}{
		{"none", source.On, 0, report.Pass},
		{"one second on", source.On, 1, report.Pass},
		{"half of an on window", source.On, 15, report.Inconclusive},
		{"one second off: its requests may have failed", source.Off, 1, report.Inconclusive},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := pairs("password", 0.10, 0.11, 0.10, 0.09, 0.10)
			i := slices.IndexFunc(d.Runs, func(r source.Run) bool { return r.Window.Mode == c.mode })
			clear(d.Runs[i].Requests.Seconds[12 : 12+c.seconds])
			r := study.Run(d, options())
			if r.Verdict != c.want {
				t.Errorf("%s, want %s: %+v", r.Verdict, c.want, r.Grants)
			}
			if got := warned(comparison(r, "password", "throughput").Warnings, "silence"); got != (c.seconds > 0) {
				t.Errorf("warned = %v: %+v", got, comparison(r, "password", "throughput").Warnings)
			}
			if got := warned(r.Diagnostics[i].Warnings, "silence"); got != (c.seconds > 0) {
				t.Errorf("the window's own warnings: %+v", r.Diagnostics[i].Warnings)
			}
		})
	}
}
