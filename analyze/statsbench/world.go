package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// world is how simulated experiments come about. noise and effect are needed.
type world struct {
	name    string
	noise   noise                    // of the seconds of a window
	effect  func(*rand.Rand) float64 // of a run, on the log scale
	between float64                  // drift of the log level from one window to the next
	ceiling float64                  // most throughput, as a log ratio to that with persistence; 0 for none
	// bend changes the expected tokens of a window's seconds.
	bend func(random *rand.Rand, rate []float64)
	// lose takes data away after the fact.
	lose func(random *rand.Rand, r *source.Run)
	// rough worlds have runs that vary by more than runCV.
	rough bool
	// unpaired windows have no block.
	unpaired bool
}

const (
	runCV      = 0.03 // of the throughput of equal runs
	secondsCV  = 0.05 // of the seconds of a run
	usual      = 400  // tokens/s with persistence
	warmup     = 20 * time.Second
	windowSize = 120 // seconds, warm-up included
)

// noon starts every experiment.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// experiment draws one: blocks of both modes in random order for each grant. theta
// is the true log ratio of throughput without to throughput with persistence.
func (w world) experiment(random *rand.Rand, grants, blocks int, theta float64) source.Dataset {
	var d source.Dataset
	for g := range grants {
		for i := range 2 * blocks {
			mode := source.On
			if i%2 == 0 && random.IntN(2) == 0 || i%2 == 1 && d.Runs[len(d.Runs)-1].Window.Mode == source.On {
				mode = source.Off
			}
			log := w.between*float64(i) + w.effect(random)
			if mode == source.Off {
				log += theta
			}
			if w.ceiling != 0 {
				log = min(log, w.ceiling)
			}
			r := w.window(random, usual*math.Exp(log))
			r.Window.Grant, r.Window.Mode, r.Window.Block = fmt.Sprintf("grant_%d", g), mode, i/2+1
			if w.unpaired {
				r.Window.Block = 0
			}
			r.Window.Start = noon.Add(time.Duration(g*2*blocks+i) * 2 * windowSize * time.Second)
			r.Window.End = r.Window.Start.Add(windowSize * time.Second)
			if w.lose != nil {
				w.lose(random, &r)
			}
			d.Runs = append(d.Runs, r)
		}
	}
	return d
}

// window is one run at a level of tokens per second, without its declaration.
func (w world) window(random *rand.Rand, level float64) source.Run {
	rate := make([]float64, windowSize)
	for i := range rate {
		rate[i] = level
	}
	if w.bend != nil {
		w.bend(random, rate)
	}
	bins := make([]source.Second, windowSize)
	for i, e := range w.noise(random, windowSize) {
		bins[i].Successes = uint64(math.Round(max(rate[i]*(1+secondsCV*e), 0)))
	}
	return source.Run{Requests: &source.Requests{Seconds: bins}, Series: map[string]source.Series{}}
}

// truth is the log ratio that intervals should cover: theta, unless a ceiling
// bends the log level of runs that vary normally.
func (w world) truth(theta float64) float64 {
	if w.ceiling == 0 {
		return theta
	}
	return underCeiling(theta, runCV, w.ceiling) - underCeiling(0, runCV, w.ceiling)
}

// underCeiling is the mean of min(X, c) for X normal with a mean and an sd.
func underCeiling(mean, sd, c float64) float64 {
	z := (c - mean) / sd
	below := 0.5 * math.Erfc(-z/math.Sqrt2)
	return mean*below - sd*math.Exp(-z*z/2)/math.Sqrt(2*math.Pi) + c*(1-below)
}

// counters turns the result file of a run into endpoint counters scraped every
// 5 s, of which resets lose increments.
func counters(resets float64) func(*rand.Rand, *source.Run) {
	const step = 5
	return func(random *rand.Rand, r *source.Run) {
		good, bad := source.Series{Step: step * time.Second}, source.Series{Step: step * time.Second}
		lost := -1
		if random.Float64() < resets {
			lost = random.IntN(windowSize / step)
			good.Resets, bad.Resets = 1, 1
		}
		for i := range windowSize / step {
			from := r.Window.Start.Add(time.Duration(i) * step * time.Second)
			in := source.Interval{From: from, To: from.Add(step * time.Second)}
			if i == lost {
				continue
			}
			bad.Intervals = append(bad.Intervals, in)
			for _, s := range r.Requests.Seconds[i*step : (i+1)*step] {
				in.Increase += float64(s.Successes)
			}
			good.Intervals = append(good.Intervals, in)
		}
		r.Requests = nil
		r.Series[source.EndpointRequests], r.Series[source.EndpointErrors] = good, bad
	}
}
