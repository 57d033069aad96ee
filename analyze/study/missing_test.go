package study_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// removal takes something detectable out of run i, or out of every run of its
// mode: all of them together tip a result more easily than one.
type removal struct {
	name string
	all  bool
	from func(random *rand.Rand, d *source.Dataset, i int)
}

func removals() []removal {
	// A stretch lies behind the warm-up of 10 s.
	stretch := func(random *rand.Rand, bins []source.Second) []source.Second {
		from := 10 + random.IntN(len(bins)-10)
		return bins[from : from+1+random.IntN(len(bins)-from)]
	}
	return []removal{
		{"a window", false, func(_ *rand.Rand, d *source.Dataset, i int) { d.Runs = slices.Delete(d.Runs, i, i+1) }},
		{"a result file", false, func(_ *rand.Rand, d *source.Dataset, i int) { d.Runs[i].Requests = nil }},
		{"stretches of seconds", true, func(random *rand.Rand, d *source.Dataset, i int) {
			clear(stretch(random, d.Runs[i].Requests.Seconds))
		}},
		{"the end of the files", true, func(random *rand.Rand, d *source.Dataset, i int) {
			r := d.Runs[i].Requests
			r.Seconds = r.Seconds[:15+random.IntN(len(r.Seconds)-15)]
		}},
		{"rows that cannot be read", true, func(random *rand.Rand, d *source.Dataset, i int) {
			r := d.Runs[i].Requests
			for j := range stretch(random, r.Seconds) {
				s := &r.Seconds[len(r.Seconds)-1-j]
				good, bad := uint64(random.Int64N(int64(s.Successes+1))), uint64(random.Int64N(int64(s.Errors+1)))
				s.Successes, s.Errors = s.Successes-good, s.Errors-bad
				r.BadRows += good + bad
			}
		}},
		{"the rows of seconds with errors", true, func(_ *rand.Rand, d *source.Dataset, i int) {
			for j, s := range d.Runs[i].Requests.Seconds {
				if s.Errors > 0 {
					d.Runs[i].Requests.Seconds[j] = source.Second{}
				}
			}
		}},
	}
}

func counterRemovals() []removal {
	edit := func(series string, change func(random *rand.Rand, in []source.Interval) []source.Interval) func(*rand.Rand, *source.Dataset, int) {
		return func(random *rand.Rand, d *source.Dataset, i int) {
			s := d.Runs[i].Series[series]
			s.Intervals = change(random, slices.Clone(s.Intervals))
			d.Runs[i].Series[series] = s
		}
	}
	middle := func(random *rand.Rand, in []source.Interval) []source.Interval {
		from := 3 + random.IntN(4)
		return slices.Delete(in, from, from+1+random.IntN(7-from))
	}
	last := func(random *rand.Rand, in []source.Interval) []source.Interval { return in[:4+random.IntN(3)] }
	return []removal{
		{"a token counter", false, func(_ *rand.Rand, d *source.Dataset, i int) { delete(d.Runs[i].Series, source.EndpointRequests) }},
		{"an error counter", false, func(_ *rand.Rand, d *source.Dataset, i int) { delete(d.Runs[i].Series, source.EndpointErrors) }},
		// Of eight increments of 5 s, the first two are warm-up.
		{"tokens in the middle", true, edit(source.EndpointRequests, middle)},
		{"the last tokens", true, edit(source.EndpointRequests, last)},
		{"errors in the middle", true, edit(source.EndpointErrors, middle)},
		{"the last errors", true, edit(source.EndpointErrors, last)},
	}
}

// borderline draws experiments around the limits of PASS whose windows run 20 %
// faster or slower at their end, in both modes alike or in one only, and have
// errors here and there, so that a little less data could tip them.
func borderline(random *rand.Rand) source.Dataset {
	ratios := make([]float64, 4+random.IntN(3))
	centre := -0.08 + 0.12*random.Float64()
	for i := range ratios {
		ratios[i] = centre + 0.03*random.NormFloat64()
	}
	d := noisy(pairs("password", ratios...), random.Uint64())
	slope := 0.2 * float64(1-2*random.IntN(2))
	slopes := map[source.Mode]float64{source.On: slope, source.Off: slope}
	if random.IntN(3) == 0 {
		slopes[[]source.Mode{source.On, source.Off}[random.IntN(2)]] = 0
	}
	for _, r := range d.Runs {
		for i := range r.Requests.Seconds {
			s := &r.Requests.Seconds[i]
			s.Successes = uint64(float64(s.Successes) * (1 + slopes[r.Window.Mode]*(float64(i)-25)/15))
		}
		if r.Window.Mode == source.Off && random.IntN(2) == 0 {
			for range 3 {
				r.Requests.Seconds[10+random.IntN(30)].Errors = uint64(random.IntN(1000))
			}
		}
	}
	return d
}

// seriesRemovals take CPU away, of which a verdict at a given rate makes use.
func seriesRemovals() []removal {
	edit := func(change func(random *rand.Rand, in []source.Point) []source.Point) func(*rand.Rand, *source.Dataset, int) {
		return func(random *rand.Rand, d *source.Dataset, i int) {
			for _, name := range []string{source.APIManagerCPU, source.DatabaseCPU} {
				s := d.Runs[i].Series[name]
				s.Points = change(random, slices.Clone(s.Points))
				d.Runs[i].Series[name] = s
			}
		}
	}
	return []removal{
		{"the API Manager's CPU", false, func(_ *rand.Rand, d *source.Dataset, i int) { delete(d.Runs[i].Series, source.APIManagerCPU) }},
		{"the database's CPU", true, func(_ *rand.Rand, d *source.Dataset, i int) { delete(d.Runs[i].Series, source.DatabaseCPU) }},
		// Of eight points of 5 s, the first two are warm-up.
		{"points in the middle", true, edit(func(random *rand.Rand, in []source.Point) []source.Point {
			from := 3 + random.IntN(4)
			return slices.Delete(in, from, from+1+random.IntN(7-from))
		})},
		{"the first points", true, edit(func(random *rand.Rand, in []source.Point) []source.Point { return in[3+random.IntN(5):] })},
		{"the last points", true, edit(func(random *rand.Rand, in []source.Point) []source.Point { return in[:3+random.IntN(5)] })},
		{"one of the points", true, edit(func(random *rand.Rand, in []source.Point) []source.Point {
			i := 2 + random.IntN(6)
			return slices.Delete(in, i, i+1)
		})},
	}
}

// borderlineRate draws experiments at a given rate around the limits of PASS:
// the hosts grow busier or idler towards the end of a window, some windows have
// errors, and the rates of the two modes differ by up to 2 %.
func borderlineRate(random *rand.Rand) source.Dataset {
	rates := make([]float64, 4+random.IntN(3))
	for i := range rates {
		rates[i] = 0.02 * max(0, 1-2*random.Float64())
	}
	d := pairs("password", rates...)
	centre, slope := 0.03+0.03*random.Float64(), 0.2*float64(1-2*random.IntN(2))
	for _, r := range d.Runs {
		apim, db := 0.4, 0.5
		if r.Window.Mode == source.Off {
			apim *= math.Exp(centre + 0.01*random.NormFloat64())
			db *= math.Exp(centre - 0.02 + 0.01*random.NormFloat64())
			if random.IntN(3) == 0 {
				r.Requests.Seconds[10+random.IntN(30)].Errors = uint64(random.IntN(500))
			}
		}
		var a, b []float64
		for i := range 8 {
			along := 1 + slope*float64(i-4)/4
			a, b = append(a, apim*along), append(b, db*along)
		}
		points(r, source.APIManagerCPU, 5*time.Second, a...)
		points(r, source.DatabaseCPU, 5*time.Second, b...)
	}
	return d
}

// Missing data never turns into PASS: whatever is taken out of an experiment
// that does not pass, it still does not pass.
func TestRemovingDataNeverMakesAPass(t *testing.T) {
	asIs := func(d source.Dataset) source.Dataset { return d }
	for _, kind := range []struct {
		name     string
		removals []removal
		draw     func(*rand.Rand) source.Dataset
		prepare  change
		options  study.Options
	}{
		{"result files", removals(), borderline, asIs, options()},
		{"counters", counterRemovals(), borderline, counted, options()},
		{"a given rate, result files", slices.Concat(removals(), seriesRemovals()), borderlineRate, asIs, atRate()},
		{"a given rate, counters", slices.Concat(counterRemovals(), seriesRemovals()), borderlineRate, counted, atRate()},
	} {
		for _, r := range kind.removals {
			t.Run(kind.name+" without "+r.name, func(t *testing.T) {
				t.Parallel()
				random := rand.New(rand.NewPCG(17, 4))
				tried := 0
				for range 100 {
					d := kind.prepare(kind.draw(random))
					before := study.Run(d, kind.options)
					if before.Verdict == report.Pass {
						continue
					}
					tried++
					was := fmt.Sprintf("%+v", before.Grants)
					first := random.IntN(len(d.Runs))
					mode := d.Runs[first].Window.Mode
					if !r.all {
						r.from(random, &d, first)
					}
					for i := range d.Runs {
						if r.all && d.Runs[i].Window.Mode == mode {
							r.from(random, &d, i)
						}
					}
					if after := study.Run(d, kind.options); after.Verdict == report.Pass {
						t.Fatalf("without %s, persistence %s: %s became %+v", r.name, mode, was, after.Grants)
					}
				}
				if tried < 25 || tried == 100 {
					t.Fatalf("%d of 100 experiments did not pass before", tried)
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

// Each case is a loss or a rise of errors that its own missing data would hide.
func TestWhatIsMissingIsHeldAgainstSwitchingOff(t *testing.T) {
	loss := []float64{-0.061, -0.060, -0.059, -0.060, -0.062}
	gain := []float64{0.21, 0.20, 0.19, 0.20, 0.22}
	for _, c := range []struct {
		name    string
		ratios  []float64
		mode    source.Mode
		prepare change
		hide    func(r source.Run)
		why     string
	}{
		{"a twentieth of the rows with persistence on is unreadable", loss, source.On, nil, func(r source.Run) {
			for i := range r.Requests.Seconds {
				s := &r.Requests.Seconds[i]
				gone := s.Successes / 20
				s.Successes -= gone
				r.Requests.BadRows += gone
			}
		}, "unreadable rows"},
		{"the failed rows without persistence are unreadable", gain, source.Off, nil, func(r source.Run) { r.Requests.BadRows = 2500 }, "unreadable rows"},
		{"a second with persistence on is gone", loss, source.On, nil, func(r source.Run) { clear(r.Requests.Seconds[20:21]) }, "without a row"},
		{"only a slow start with persistence on is left", loss, source.On, nil, func(r source.Run) {
			for i := range r.Requests.Seconds {
				r.Requests.Seconds[i].Successes /= 10
			}
			clear(r.Requests.Seconds[15:])
		}, "25 of 30 s have no row"},
		{"the fast increments with persistence on are gone", loss, source.On, counted, func(r source.Run) {
			s := r.Series[source.EndpointRequests]
			s.Intervals[4].Increase *= 2
			s.Intervals = slices.Delete(s.Intervals, 4, 5)
			s.Intervals[2].Increase *= 0.7
			r.Series[source.EndpointRequests] = s
		}, "covers 25 of 30 s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := pairs("password", c.ratios...)
			if c.prepare != nil {
				d = c.prepare(d)
			}
			for _, r := range d.Runs {
				if r.Window.Mode == c.mode {
					c.hide(r)
				}
			}
			g := study.Run(d, options()).Grants[0]
			if g.Verdict != report.Inconclusive || !strings.Contains(g.Why, c.why) {
				t.Errorf("%+v, want INCONCLUSIVE with %q", g, c.why)
			}
		})
	}
}
