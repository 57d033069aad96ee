package source

import (
	"context"
	"maps"
	"slices"
	"time"
)

// busy reads the share of a host's CPUs that had something to run, from the
// counters of their idle seconds. Several hosts weigh by their CPUs.
func (r *windowReader) busy(ctx context.Context, row row) (Series, error) {
	found, err := r.fetch(ctx, row, row.ask(), r.window.End)
	if err != nil || len(found) == 0 {
		return Series{}, err
	}
	hosts := map[string]points{}
	cpus := map[string][]rawSeries{} // by host
	for _, s := range found {
		bare := maps.Clone(s.labels)
		delete(bare, "cpu")
		delete(bare, "mode")
		key := hostKey(bare)
		cpus[key] = append(cpus[key], s)
		hosts[key] = nil
	}
	if text := r.ambiguous(row, hosts); text != "" {
		r.explain(row.series, "ambiguous", text)
		return Series{}, nil
	}
	start, end := r.window.Start, r.window.End
	var idle [][]Interval
	cores, resets := 0, 0
	for _, key := range slices.Sorted(maps.Keys(cpus)) {
		seconds, count, lost := idleSeconds(cpus[key], start, end)
		resets += lost
		if row.busiest {
			hosts[key] = busyPoints(seconds, count)
			continue
		}
		idle = append(idle, seconds)
		cores += count
	}
	all := busyPoints(addOverlap(idle), cores)
	if row.busiest {
		all = combine(hosts, true)
	}
	s := spread(all, row.scale, start, end)
	s.Resets = resets
	return s, nil
}

// idleSeconds adds the idle counters of one host's CPUs. An interval in which
// one of them went back is left out: the host was restarted.
func idleSeconds(series []rawSeries, start, end time.Time) (sum []Interval, cores, resets int) {
	seen := map[string]bool{}
	var all [][]Interval
	for _, s := range series {
		seen[s.labels["cpu"]] = true
		in, lost := steady(s.samples, start.UnixMilli(), end.UnixMilli())
		resets += lost
		all = append(all, in)
	}
	return addOverlap(all), len(seen), resets
}

// steady are the increments of a counter without those that are resets.
func steady(samples []sample, from, to int64) (out []Interval, resets int) {
	for i := 1; i < len(samples); i++ {
		in, lost := increments(samples[i-1:i+1], from, to)
		resets += lost
		if lost == 0 {
			out = append(out, in...)
		}
	}
	return out, resets
}

// busyPoints turns idle seconds of so many CPUs into busy shares.
func busyPoints(idle []Interval, cores int) points {
	if cores == 0 {
		return points{}
	}
	return inSteps(idle, func(in Interval) float64 {
		share := 1 - in.Increase/(in.To.Sub(in.From).Seconds()*float64(cores))
		return min(1, max(0, share))
	})
}
