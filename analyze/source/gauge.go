package source

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// lateness is how long after a window's end a CloudWatch point of the window
// may still be on its way: a delay of 120 s and a period of 60 s fit, and so
// does the ten-minute tail of RDS points that arrive late.
const lateness = 10 * time.Minute

// points are the values of one host by the millisecond from which they stand.
type points map[int64]float64

// gauge reads a row whose values are states, not totals.
func (r *windowReader) gauge(ctx context.Context, row row) (Series, error) {
	hosts, err := r.hostPoints(ctx, row, row.ask())
	if err != nil || len(hosts) == 0 {
		return Series{}, err
	}
	if row.plus.metric != "" {
		more, err := r.hostPoints(ctx, row, row.plus.String())
		if err != nil {
			return Series{}, err
		}
		hosts = addHosts(hosts, more)
	}
	if row.kind == scraped && len(hosts) > 1 && !row.busiest {
		r.explain(row.series, "ambiguous", fmt.Sprintf("%d series match %s, each with scrapes of its own: add matchers until one is left, or write avg(…) around it", len(hosts), row.ask()))
		return Series{}, nil
	}
	if text := r.ambiguous(row, hosts); text != "" {
		r.explain(row.series, "ambiguous", text)
		return Series{}, nil
	}
	all := combine(hosts, row.busiest)
	return spread(all, row.scale, r.window.Start, r.window.End), nil
}

// hostPoints gets the series of a gauge, one per host, with the times that their
// values stand for.
func (r *windowReader) hostPoints(ctx context.Context, row row, query string) (map[string]points, error) {
	to := r.window.End
	if row.kind == stamped {
		to = to.Add(lateness)
	}
	found, err := r.fetch(ctx, row, query, to)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var stamps []rawSeries
	switch row.kind {
	case stamped:
		if stamps, err = r.fetch(ctx, row, row.stamp.String(), to); err != nil {
			return nil, err
		}
	case dated:
		if text := undated(found, query); text != "" {
			r.explain(row.series, "undated", text)
			return nil, nil
		}
	}
	out := make(map[string]points, len(found))
	for _, s := range found {
		switch row.kind {
		case stamped:
			out[hostKey(s.labels)] = restamp(s.samples, stampsOf(s, stamps, len(found)))
		case dated:
			out[hostKey(s.labels)] = shifted(s.samples, 0)
		default: // scraped and evaluated: a value stands for the time before it
			out[hostKey(s.labels)] = shifted(s.samples, stepOf(s.samples, row.step))
		}
	}
	return out, nil
}

// hostKey names a host by every label but those that tell metrics apart.
func hostKey(labels map[string]string) string {
	bare := maps.Clone(labels)
	delete(bare, "metric")
	return labelText(bare)
}

// stampsOf finds the times of a series among those of several hosts.
func stampsOf(s rawSeries, stamps []rawSeries, hosts int) []sample {
	if hosts == 1 && len(stamps) == 1 {
		return stamps[0].samples
	}
	for _, t := range stamps {
		if hostKey(t.labels) == hostKey(s.labels) {
			return t.samples
		}
	}
	return nil
}

// restamp gives each value the time that was scraped with it. Values repeat from
// scrape to scrape until CloudWatch has a newer point, so points of one time
// are one point; the last one scraped stands, since AWS revises.
func restamp(values, stamps []sample) points {
	at := map[int64]float64{}
	for _, s := range stamps {
		at[s.t] = s.v
	}
	out := points{}
	for _, v := range values {
		if sec, ok := at[v.t]; ok && !math.IsNaN(v.v) {
			out[int64(math.Round(sec*1000))] = v.v
		}
	}
	return out
}

// undated says that samples carry the time of their scrape instead of the one
// CloudWatch gave them, "" when they do not. CloudWatch periods start on whole
// minutes; the scrapes of a target start at a random fraction of a second.
func undated(series []rawSeries, query string) string {
	for _, s := range series {
		for _, p := range s.samples {
			if p.t%time.Minute.Milliseconds() != 0 {
				return fmt.Sprintf("the samples of %s carry the time of their scrape, minutes after CloudWatch's: set addCloudwatchTimestamp: true in YACE; for what is recorded already, give a query with a negative offset", query)
			}
		}
	}
	return ""
}

// shifted are samples that stand for the time from so long before them.
func shifted(samples []sample, before time.Duration) points {
	out := make(points, len(samples))
	for _, s := range samples {
		out[s.t-before.Milliseconds()] = s.v
	}
	return out
}

// stepOf is the distance of samples: the known one, else the median.
func stepOf(samples []sample, known time.Duration) time.Duration {
	if known > 0 {
		return known
	}
	steps := make([]time.Duration, 0, len(samples))
	for i := 1; i < len(samples); i++ {
		steps = append(steps, time.Duration(samples[i].t-samples[i-1].t)*time.Millisecond)
	}
	return median(steps)
}

// spread makes a series of points. A point covers [Time, Time+Step); those that
// touch [start, end) are kept.
func spread(all points, scale float64, start, end time.Time) Series {
	if scale == 0 {
		scale = 1
	}
	times := slices.Sorted(maps.Keys(all))
	steps := make([]time.Duration, 0, len(times))
	for i := 1; i < len(times); i++ {
		steps = append(steps, time.Duration(times[i]-times[i-1])*time.Millisecond)
	}
	out := Series{Step: median(steps)}
	for _, t := range times {
		p := Point{Time: ms(t), Value: all[t] * scale}
		if p.Time.Add(max(out.Step, 1)).After(start) && p.Time.Before(end) {
			out.Points = append(out.Points, p)
		}
	}
	if out.Step > 0 {
		out.Expected = int(end.Sub(start) / out.Step)
	}
	return out
}
