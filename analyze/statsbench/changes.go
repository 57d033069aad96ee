package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
	"github.com/tokenpersistence/toolkit/analyze/windows"
)

// leastSegment is the shortest segment that analyze windows asks for.
const leastSegment = 5

// changeFigures are how often change points are found where there is none and
// where there is one, and what becomes of the windows of whole recordings.
func changeFigures() []figure {
	var out []figure
	for _, c := range []struct {
		phi float64
		n   int
		hi  float64
	}{{0, 120, 0.05}, {0.3, 120, 0.05}, {0.6, 120, 0.05}, {0.9, 120, 1}, {0, 780, 0.05}, {0.3, 780, 0.05}, {0.6, 780, 0.05}, {0.9, 780, 1}} {
		out = append(out, figure{
			name:         fmt.Sprintf("size: a change point in a steady series, n = %d, φ = %g", c.n, c.phi),
			replications: 2_000, hi: c.hi,
			trial: changePoints(c.phi, c.n, 0, func(at []int, _ int) bool { return len(at) > 0 }),
		})
	}
	for _, c := range []struct {
		phi, sd float64
		n       int
	}{{0.3, 1, 780}, {0.6, 1, 780}, {0.3, 2, 120}, {0.6, 2, 120}, {0.3, 4, 120}, {0.6, 4, 120}, {0.9, 4, 120}} {
		out = append(out, figure{
			name:         fmt.Sprintf("power: one step of %g sd is found to 3 observations, nothing else, n = %d, φ = %g", c.sd, c.n, c.phi),
			replications: 2_000, hi: 1,
			trial: changePoints(c.phi, c.n, c.sd, func(at []int, step int) bool {
				return len(at) == 1 && at[0] >= step-3 && at[0] <= step+3
			}),
		})
	}
	for _, c := range []struct {
		phi, cv float64
		lo      float64
	}{{0.3, 0.05, 0.98}, {0.6, 0.05, 0.98}, {0.6, 0.15, 0}, {0.9, 0.15, 0}} {
		out = append(out, figure{
			name:         fmt.Sprintf("windows: all 8 of a recording are found, edges to one scrape, cells vary by %g %%, φ = %g", 100*c.cv, c.phi),
			replications: 400, lo: c.lo, hi: 1,
			trial: recordedWindows(c.phi, c.cv),
		})
	}
	return out
}

// changePoints says whether what is found in a series is as wanted. It has a step
// of so many standard deviations after two fifths.
func changePoints(phi float64, n int, step float64, wanted func(at []int, step int) bool) func(*rand.Rand) (bool, error) {
	series := ar(phi)
	return func(random *rand.Rand) (bool, error) {
		x, at := series(random, n), n*2/5
		for i := at; i < n; i++ {
			x[i] -= step
		}
		s, err := stats.ChangePoints(x, leastSegment)
		return err == nil && wanted(s.At, at), err
	}
}

// The windows of a simulated recording, in scrapes of 5 s: 4 pairs of 10 minutes
// with pauses of 2 between, which begin and end anywhere between two scrapes.
const (
	scrape       = 5 * time.Second
	windowLength = 10 * time.Minute
	pauseLength  = 2 * time.Minute
	recorded     = 8
)

// recordedWindows says whether exactly the windows of a recording are proposed,
// each in its mode and with both edges off by a scrape at most.
func recordedWindows(phi, cv float64) func(*rand.Rand) (bool, error) {
	series := ar(phi)
	return func(random *rand.Rand) (bool, error) {
		var starts []time.Time
		var modes []source.Mode
		for i := range recorded {
			starts = append(starts, noon.Add(pauseLength+time.Duration(i)*(windowLength+pauseLength)+time.Duration(random.Int64N(int64(scrape)))))
			mode := source.On
			if i%2 == 0 && random.IntN(2) == 0 || i%2 == 1 && modes[i-1] == source.On {
				mode = source.Off
			}
			modes = append(modes, mode)
		}
		r := source.Recording{Start: noon, End: noon.Add(pauseLength + recorded*(windowLength+pauseLength))}
		tokens, inserts := source.Series{Step: scrape}, source.Series{Step: scrape}
		noise := series(random, int(r.End.Sub(r.Start)/scrape))
		for i, e := range noise {
			in := source.Interval{From: noon.Add(time.Duration(i) * scrape), To: noon.Add(time.Duration(i+1) * scrape)}
			rows := in
			for w, start := range starts {
				overlap := min(in.To.Sub(start), start.Add(windowLength).Sub(in.From), scrape)
				if overlap > 0 {
					in.Increase += max(0, usual*overlap.Seconds()*(1+cv*e))
					if modes[w] == source.On {
						rows.Increase = in.Increase
					}
				}
			}
			tokens.Intervals, inserts.Intervals = append(tokens.Intervals, in), append(inserts.Intervals, rows)
		}
		r.Series = map[string]source.Series{source.EndpointRequests: tokens, windows.TokenInserts: inserts}
		p, err := windows.Propose(r, windows.Options{MinLength: time.Minute, MinChange: 0.2})
		if err != nil {
			return false, err
		}
		if len(p.LeftOut) > 0 && len(p.Windows) == 0 {
			return false, errors.New("a recording without windows")
		}
		if len(p.Windows) != recorded {
			return false, nil
		}
		for i, w := range p.Windows {
			if w.Persistence != modes[i] || w.Start.Sub(starts[i]).Abs() > scrape || w.End.Sub(starts[i].Add(windowLength)).Abs() > scrape {
				return false, nil
			}
		}
		return true, nil
	}
}
