package source

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Metric is something to be read beside the token requests of a recording: a
// counter with one series per target, or a gauge.
type Metric struct {
	Name   string // of the series in the result
	Metric string
	Labels map[string]string
	Gauge  bool // of several series the greatest counts
}

// row is how the metric is read. Its counters need no clock: they are there, as
// 0, from the first scrape on.
func (m Metric) row(matchers map[string]string) row {
	r := row{series: m.Name, kind: counted, query: selector{metric: m.Metric}}
	if m.Gauge {
		r.kind, r.busiest = scraped, true
	}
	all := maps.Clone(m.Labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, matchers)
	r.query = r.query.with(all)
	return r
}

// Recording is what was recorded in a stretch of time of which nobody has
// declared the windows. A series without samples is absent.
type Recording struct {
	Start, End time.Time
	Series     map[string]Series
	Problems   []Problem // what a series could not be used for
	Inputs     []Input
}

// ReadRecording reads the token requests, good and failed, of a whole stretch of
// time, and more metrics beside them. The windows of the spec are not looked at.
// A source that counts no requests, or that holds nothing at all from start to
// end, is a *SpecError.
func ReadRecording(ctx context.Context, spec Spec, start, end time.Time, more []Metric) (Recording, error) {
	if !end.After(start) {
		return Recording{}, &SpecError{fmt.Sprintf("the end (%s) is not after the start (%s)", end.Format(time.RFC3339), start.Format(time.RFC3339))}
	}
	all, _, err := rowsOf(spec)
	if err != nil {
		return Recording{}, err
	}
	spec.rows = slices.DeleteFunc(all, func(r row) bool { return r.series != EndpointRequests && r.series != EndpointErrors })
	if len(spec.rows) == 0 {
		return Recording{}, &SpecError{fmt.Sprintf("profile %s counts no token requests: the profile exporter does", cmp.Or(spec.Profile, "exporter"))}
	}
	for _, m := range more {
		spec.rows = append(spec.rows, m.row(spec.Matchers))
	}
	spec.Windows = []Window{{Start: start, End: end}}
	d, err := Read(ctx, spec)
	if err != nil {
		return Recording{}, err
	}
	out := Recording{Start: start, End: end, Series: d.Runs[0].Series, Inputs: d.Inputs}
	for _, p := range d.Problems {
		switch {
		case p.NoData:
			return Recording{}, &SpecError{p.Text}
		case p.Warning != "missing-data": // what is absent shows in Series
			out.Problems = append(out.Problems, p)
		}
	}
	return out, nil
}

// Over is the increase of a counter between two times, where an interval that
// lies partly in between counts by its part. It is not known (false) unless
// intervals cover all of the time.
func (s Series) Over(from, to time.Time) (increase float64, known bool) {
	i, _ := slices.BinarySearchFunc(s.Intervals, from, func(in Interval, t time.Time) int {
		if in.To.After(t) {
			return 1
		}
		return -1
	})
	at := from
	for ; i < len(s.Intervals) && at.Before(to); i++ {
		in := s.Intervals[i]
		if in.From.After(at) {
			return 0, false
		}
		end := earlier(in.To, to)
		increase += part(in, at, end)
		at = end
	}
	return increase, !at.Before(to) && to.After(from)
}
