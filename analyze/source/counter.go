package source

import (
	"maps"
	"slices"
	"time"
)

// sample is one raw value of a series.
type sample struct {
	t int64 // milliseconds since the epoch
	v float64
}

// rawSeries is a series as a source holds it, samples by rising time.
type rawSeries struct {
	labels  map[string]string
	samples []sample
}

// increments are the rises between successive raw samples, as far as they lie
// in [from, to]. After a reset the new value counts in full: it is what the
// counter is known to have gained, a lower bound. Nothing is extrapolated.
func increments(samples []sample, from, to int64) (out []Interval, resets int) {
	for i := 1; i < len(samples); i++ {
		a, b := samples[i-1], samples[i]
		if a.t < from || b.t > to {
			continue
		}
		rise := b.v - a.v
		if rise < 0 {
			rise = b.v
			resets++
		}
		out = append(out, Interval{From: ms(a.t), To: ms(b.t), Increase: rise})
	}
	return out, resets
}

func ms(t int64) time.Time { return time.UnixMilli(t).UTC() }

// sumCounters adds the increments of all series. Series of one target are
// brought to the scrapes of that target: where the clock ticked and a series
// is absent, its counter stood at 0. Targets are then added over the time that
// all of them cover, because a sum with one of them missing is not the total.
func sumCounters(series, clock []rawSeries, from, to int64) Series {
	targets := map[string][]rawSeries{}
	for _, s := range series {
		k := targetKey(s.labels)
		targets[k] = append(targets[k], s)
	}
	ticks := map[string][]int64{}
	for _, c := range clock {
		k := targetKey(c.labels)
		if _, ok := targets[k]; !ok {
			targets[k] = nil
		}
		for _, p := range c.samples {
			if p.v == 1 {
				ticks[k] = append(ticks[k], p.t)
			}
		}
	}
	var out Series
	var perTarget [][]Interval
	for _, k := range slices.Sorted(maps.Keys(targets)) {
		var all [][]Interval
		if len(ticks[k]) > 0 {
			zeros, _ := increments(onGrid(nil, ticks[k]), from, to)
			all = append(all, zeros)
		}
		for _, s := range targets[k] {
			in, resets := increments(onGrid(s.samples, ticks[k]), from, to)
			all = append(all, in)
			out.Resets += resets
		}
		if sum := addOverlap(all); len(sum) > 0 {
			perTarget = append(perTarget, sum)
		}
	}
	out.Intervals = addOverlap(perTarget)
	out.Step = medianStep(out.Intervals)
	if out.Step > 0 {
		out.Expected = int(ms(to).Sub(ms(from)) / out.Step)
	}
	return out
}

// targetKey identifies the scraped process: every label that the families of
// one scrape share.
func targetKey(labels map[string]string) string {
	own := map[string]bool{"__name__": true, "endpoint": true, "method": true, "code": true, "collector": true}
	key := ""
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if !own[name] {
			key += name + "\x00" + labels[name] + "\x00"
		}
	}
	return key
}

// onGrid completes samples with a 0 at every tick before the first of them,
// and holds the last value at every tick after the last: a counter that is
// absent after a restart has gained nothing yet.
func onGrid(samples []sample, ticks []int64) []sample {
	if len(ticks) == 0 {
		return samples
	}
	if len(samples) == 0 {
		out := make([]sample, len(ticks))
		for i, t := range ticks {
			out[i] = sample{t: t}
		}
		return out
	}
	var out []sample
	first, last := samples[0].t, samples[len(samples)-1]
	for _, t := range ticks {
		if t < first {
			out = append(out, sample{t: t})
		}
	}
	out = append(out, samples...)
	for _, t := range ticks {
		if t > last.t {
			out = append(out, sample{t: t, v: last.v})
		}
	}
	return out
}

// addOverlap adds interval series over the time that every one of them covers.
// Where boundaries differ, an increase is spread evenly over its interval.
func addOverlap(all [][]Interval) []Interval {
	if len(all) == 0 {
		return nil
	}
	sum := all[0]
	for _, other := range all[1:] {
		sum = addTwo(sum, other)
	}
	return sum
}

func addTwo(a, b []Interval) []Interval {
	var out []Interval
	for i, j := 0, 0; i < len(a) && j < len(b); {
		from, to := later(a[i].From, b[j].From), earlier(a[i].To, b[j].To)
		if from.Before(to) {
			out = append(out, Interval{From: from, To: to, Increase: part(a[i], from, to) + part(b[j], from, to)})
		}
		if a[i].To.After(b[j].To) {
			j++
		} else if b[j].To.After(a[i].To) {
			i++
		} else {
			i++
			j++
		}
	}
	return out
}

func part(in Interval, from, to time.Time) float64 {
	whole, piece := in.To.Sub(in.From), to.Sub(from)
	if whole == piece {
		return in.Increase
	}
	return in.Increase * float64(piece) / float64(whole)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func medianStep(in []Interval) time.Duration {
	steps := make([]time.Duration, len(in))
	for i, v := range in {
		steps[i] = v.To.Sub(v.From)
	}
	return median(steps)
}

// median is the lower middle of the sorted values, 0 of none.
func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[(len(d)-1)/2]
}
