package source

import (
	"context"
	"math"
	"time"
)

// rate reads how much per second was moved, from counters of an amount such as
// bytes. Where a row has two queries both have to answer: half of a sum is none.
// An interval in which a counter went back is left out: the server was restarted.
func (r *windowReader) rate(ctx context.Context, row row) (Series, error) {
	queries := []string{row.ask()}
	if row.plus.metric != "" {
		queries = append(queries, row.plus.String())
	}
	start, end := r.window.Start, r.window.End
	var all [][]Interval
	resets := 0
	for _, query := range queries {
		found, err := r.fetch(ctx, row, query, end)
		if err != nil || len(found) == 0 {
			return Series{}, err
		}
		hosts := map[string]points{}
		for _, s := range found {
			hosts[hostKey(s.labels)] = nil
			in, lost := steady(s.samples, start.UnixMilli(), end.UnixMilli())
			all = append(all, in)
			resets += lost
		}
		if text := r.ambiguous(row, hosts); text != "" {
			r.explain(row.series, "ambiguous", text)
			return Series{}, nil
		}
	}
	perSecond := inSteps(addOverlap(all), func(in Interval) float64 { return in.Increase / in.To.Sub(in.From).Seconds() })
	s := spread(perSecond, row.scale, start, end)
	s.Resets = resets
	return s, nil
}

// inSteps gives the value of every interval to the time it covers. An interval of
// several steps, where scrapes were lost, becomes several points: the counter
// knows what happened in between.
func inSteps(all []Interval, value func(Interval) float64) points {
	out := points{}
	step := medianStep(all)
	if step <= 0 {
		return out
	}
	for _, in := range all {
		length := in.To.Sub(in.From)
		pieces := max(1, int(math.Round(float64(length)/float64(step))))
		v := value(in)
		for i := range pieces {
			at := in.From.Add(length * time.Duration(i) / time.Duration(pieces))
			out[at.UnixMilli()] = v
		}
	}
	return out
}
