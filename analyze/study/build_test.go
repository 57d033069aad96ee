package study_test

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// noon is the start of the first window of every test.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

const (
	warmup = 10 * time.Second
	length = 40 * time.Second // of a window, warm-up included
)

func options() study.Options {
	o := study.Defaults()
	o.Warmup = warmup
	o.Environment = report.Environment{Users: 100, Applications: 10, APIManager: report.Host{VCPUs: 4}, Database: report.Host{VCPUs: 8}}
	return o
}

// steady is a window with n tokens in all its measured seconds together, spread
// evenly, and errors failed requests in its last second. Its warm-up runs at
// a tenth, so that a test notices when it is not trimmed.
func steady(grant string, mode source.Mode, block int, start time.Time, tokens, errors uint64) source.Run {
	bins := make([]source.Second, int(length/time.Second))
	first := int(warmup / time.Second)
	n := uint64(len(bins) - first)
	for i := range bins {
		if i < first {
			bins[i].Successes = tokens / n / 10
			continue
		}
		k := uint64(i - first)
		bins[i].Successes = tokens*(k+1)/n - tokens*k/n
	}
	bins[len(bins)-1].Errors = errors
	elapsed := make([]uint64, 200)
	elapsed[100], elapsed[199] = tokens-tokens/50, tokens/50
	return source.Run{
		Window: source.Window{Grant: grant, Mode: mode, Block: block, Start: start, End: start.Add(length), JTL: []string{"run.jtl"}},
		Requests: &source.Requests{
			First: start, Last: start.Add(length), Seconds: bins, ElapsedMS: elapsed, Measured: start.Add(warmup),
			Rows: tokens + errors, Counted: tokens + errors,
		},
		Series: map[string]source.Series{},
	}
}

// pairs builds one block per log ratio: persistence on around 5000 tokens/s with
// a common drift, off as the log ratio says. The mode that starts alternates.
func pairs(grant string, logRatios ...float64) source.Dataset {
	var d source.Dataset
	for i, theta := range logRatios {
		on := 150_000 * (1 + 0.02*float64(i))
		first := noon.Add(time.Duration(i) * 2 * time.Minute)
		onStart, offStart := first, first.Add(time.Minute)
		if i%2 == 1 {
			onStart, offStart = offStart, onStart
		}
		d.Runs = append(d.Runs,
			steady(grant, source.On, i+1, onStart, uint64(on), 0),
			steady(grant, source.Off, i+1, offStart, uint64(on*math.Exp(theta)), 0))
	}
	return d
}

// unpaired takes the blocks away.
func unpaired(d source.Dataset) source.Dataset {
	for i := range d.Runs {
		d.Runs[i].Window.Block = 0
	}
	return d
}

// failures gives the first k runs of a mode failed requests.
func failures(d source.Dataset, mode source.Mode, perRun ...uint64) source.Dataset {
	i := 0
	for _, r := range d.Runs {
		if r.Window.Mode == mode && i < len(perRun) {
			r.Requests.Seconds[len(r.Requests.Seconds)-1].Errors = perRun[i]
			i++
		}
	}
	return d
}

// points fills a series of a run with values of one period each.
func points(r source.Run, series string, period time.Duration, values ...float64) {
	s := source.Series{Step: period}
	for i, v := range values {
		s.Points = append(s.Points, source.Point{Time: r.Window.Start.Add(time.Duration(i) * period), Value: v})
	}
	r.Series[series] = s
}

// counted replaces a run's result file by endpoint counters of the same counts,
// scraped every 5 s.
func counted(d source.Dataset) source.Dataset {
	for i := range d.Runs {
		r := &d.Runs[i]
		good, bad := source.Series{Step: 5 * time.Second}, source.Series{Step: 5 * time.Second}
		for s := 0; s+5 <= len(r.Requests.Seconds); s += 5 {
			from := r.Window.Start.Add(time.Duration(s) * time.Second)
			a := source.Interval{From: from, To: from.Add(5 * time.Second)}
			b := a
			for _, bin := range r.Requests.Seconds[s : s+5] {
				a.Increase += float64(bin.Successes)
				b.Increase += float64(bin.Errors)
			}
			good.Intervals, bad.Intervals = append(good.Intervals, a), append(bad.Intervals, b)
		}
		r.Requests, r.Window.JTL = nil, nil
		r.Series[source.EndpointRequests], r.Series[source.EndpointErrors] = good, bad
	}
	return d
}

// noisy jitters every second of a run by up to 2 %, so that a series within a
// window has spread.
func noisy(d source.Dataset, seed uint64) source.Dataset {
	random := rand.New(rand.NewPCG(seed, 7))
	for _, r := range d.Runs {
		for i := range r.Requests.Seconds {
			s := &r.Requests.Seconds[i]
			s.Successes = uint64(float64(s.Successes) * (0.98 + 0.04*random.Float64()))
		}
	}
	return d
}

func join(sets ...source.Dataset) source.Dataset {
	var all source.Dataset
	for _, d := range sets {
		all.Runs = append(all.Runs, d.Runs...)
		all.Problems = append(all.Problems, d.Problems...)
	}
	return all
}

func comparison(r report.Report, grant, metric string) report.Comparison {
	for _, c := range r.Comparisons {
		if c.Grant == grant && c.Metric == metric {
			return c
		}
	}
	return report.Comparison{}
}

func warned(warnings []report.Warning, id string) bool {
	for _, w := range warnings {
		if w.ID == id {
			return true
		}
	}
	return false
}

// busy gives every window the CPU series of its mode, API Manager's and the
// database's, a little apart from block to block. A negative utilisation leaves
// the series out.
func busy(d source.Dataset, on, off [2]float64) source.Dataset {
	for _, r := range d.Runs {
		u := on
		if r.Window.Mode == source.Off {
			u = off
		}
		for i, series := range []string{source.APIManagerCPU, source.DatabaseCPU} {
			if u[i] >= 0 {
				v := u[i] * (1 + 0.001*float64(r.Window.Block%2))
				points(r, series, 5*time.Second, v, v, v, v, v, v, v, v)
			}
		}
	}
	return d
}

// offered is an experiment in which both modes issue the same tokens per second:
// one block per log ratio off/on of what a token costs the API Manager, while
// the database's cost changes by the factor given, give or take 1 %.
func offered(database float64, costs ...float64) source.Dataset {
	d := pairs("password", make([]float64, len(costs))...)
	for _, r := range d.Runs {
		apim, db := 0.4, 0.5
		if i := r.Window.Block - 1; r.Window.Mode == source.Off {
			apim *= math.Exp(costs[i])
			db *= database * (1 + 0.01*float64(i%3-1))
		}
		points(r, source.APIManagerCPU, 5*time.Second, apim, apim, apim, apim, apim, apim, apim, apim)
		points(r, source.DatabaseCPU, 5*time.Second, db, db, db, db, db, db, db, db)
	}
	return d
}

// atRate are the options of such an experiment.
func atRate() study.Options {
	o := options()
	o.Load = study.RateLoad
	return o
}
