package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/value"
)

// fetch returns the raw samples of a selector in [from, to] without stale
// markers, and what the source had to say about them.
type fetch func(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error)

// readSeries fills the series of every window from a profile's queries.
func readSeries(ctx context.Context, spec Spec, d Dataset, get fetch) (Dataset, error) {
	name := spec.Profile
	if name == "" {
		name = "exporter"
	}
	rows, ok := profiles[name]
	if !ok {
		return d, &SpecError{fmt.Sprintf("source profile %q is unknown: use one of %v", name, Profiles())}
	}
	missing := make(map[string][]int) // series to the windows without it
	read := 0
	for i := range d.Runs {
		w := d.Runs[i].Window
		if !w.End.After(w.Start) {
			continue // its result files hold nothing, which is a Problem already
		}
		read++
		r := windowReader{spec: spec, window: w, index: i, get: get, seen: map[string][]rawSeries{}}
		for _, row := range rows {
			s, err := r.read(ctx, row)
			if err != nil {
				return d, err
			}
			switch {
			case len(s.Points)+len(s.Intervals) > 0:
				d.Runs[i].Series[row.series] = s
			case !r.explained[row.series]:
				missing[row.series] = append(missing[row.series], i)
			}
		}
		d.Inputs = append(d.Inputs, r.inputs...)
		d.Problems = append(d.Problems, r.problems...)
	}
	d.Problems = append(d.Problems, missingProblems(d, rows, spec.Matchers, missing, read)...)
	return d, nil
}

// windowReader reads the rows of a profile for one window, each query once.
type windowReader struct {
	spec      Spec
	window    Window
	index     int
	get       fetch
	seen      map[string][]rawSeries
	inputs    []Input
	problems  []Problem
	explained map[string]bool // series whose absence has a Problem of its own
}

func (r *windowReader) read(ctx context.Context, row row) (Series, error) {
	start, end := r.window.Start, r.window.End
	if row.counter {
		clock, err := r.fetch(ctx, row, row.clock, start, end)
		if err != nil {
			return Series{}, err
		}
		found, err := r.fetch(ctx, row, row.query, start, end)
		if err != nil {
			return Series{}, err
		}
		return sumCounters(found, clock, start.UnixMilli(), end.UnixMilli()), nil
	}
	values, err := r.one(ctx, row, row.query, end.Add(lateness))
	if err != nil {
		return Series{}, err
	}
	stamps, err := r.one(ctx, row, row.stamp, end.Add(lateness))
	if err != nil {
		return Series{}, err
	}
	return retime(values.samples, stamps.samples, start, end), nil
}

// one fetches a gauge, which has to be a single series. More than one is a
// Problem, none is left to missingProblems.
func (r *windowReader) one(ctx context.Context, row row, sel selector, to time.Time) (rawSeries, error) {
	found, err := r.fetch(ctx, row, sel, r.window.Start, to)
	if err != nil || len(found) == 0 {
		return rawSeries{}, err
	}
	s, err := oneSeries(found, sel.with(r.spec.Matchers).String())
	if err != nil && !r.explained[row.series] {
		r.explain(row.series, "ambiguous", err.Error())
	}
	return s, nil
}

func (r *windowReader) explain(series, id, text string) {
	if r.explained == nil {
		r.explained = map[string]bool{}
	}
	r.explained[series] = true
	r.problems = append(r.problems, Problem{Window: r.index, Series: series, Text: text, Warning: id})
}

// fetch gets a selector once and notes query, range and a hash of the samples.
func (r *windowReader) fetch(ctx context.Context, row row, sel selector, from, to time.Time) ([]rawSeries, error) {
	query := sel.with(r.spec.Matchers).String()
	key := query + rangeText(from, to)
	if found, ok := r.seen[key]; ok {
		return found, nil
	}
	found, notes, err := r.get(ctx, query, from, to)
	if err != nil {
		return nil, err
	}
	found, note := dropReplicas(found)
	if note != "" {
		notes = append(notes, note)
	}
	for _, n := range notes {
		r.problems = append(r.problems, Problem{Window: r.index, Series: row.series, Text: query + ": " + n, Warning: "source"})
	}
	r.seen[key] = found
	sum, n := hashSamples(found)
	r.inputs = append(r.inputs, Input{Kind: r.spec.Kind, Name: row.series, Query: query, SHA256: sum, Range: rangeText(from, to), Count: n})
	return found, nil
}

// hashSamples fingerprints samples in a form that does not depend on the
// source: labels sorted, one line per sample.
func hashSamples(series []rawSeries) (sum string, samples int) {
	h := sha256.New()
	sorted := slices.SortedFunc(slices.Values(series), func(a, b rawSeries) int {
		return slices.Compare([]string{labelText(a.labels)}, []string{labelText(b.labels)})
	})
	for _, s := range sorted {
		fmt.Fprintf(h, "%s{%s}\n", s.labels["__name__"], labelText(s.labels))
		for _, p := range s.samples {
			fmt.Fprintf(h, "%d %s\n", p.t, strconv.FormatFloat(p.v, 'g', -1, 64))
		}
		samples += len(s.samples)
	}
	return hex.EncodeToString(h.Sum(nil)), samples
}

// replicaLabels are those by which highly available Prometheus pairs tell their
// copies of one series apart.
var replicaLabels = []string{"__replica__", "prometheus_replica", "replica"}

// dropReplicas keeps the fullest of several copies of a series; adding them
// would count every token twice.
func dropReplicas(series []rawSeries) (kept []rawSeries, note string) {
	best := map[string]int{}
	for _, s := range series {
		bare := maps.Clone(s.labels)
		for _, l := range replicaLabels {
			delete(bare, l)
		}
		k := labelText(bare)
		i, ok := best[k]
		switch {
		case !ok:
			best[k] = len(kept)
			kept = append(kept, s)
		case len(s.samples) > len(kept[i].samples):
			kept[i] = s
		}
	}
	if dropped := len(series) - len(kept); dropped > 0 {
		note = fmt.Sprintf("%d series are replicas of others and were left out", dropped)
	}
	return kept, note
}

// usable drops stale markers and values that are not numbers from a series.
func usable(samples []sample) []sample {
	return slices.DeleteFunc(samples, func(s sample) bool { return value.IsStaleNaN(s.v) || math.IsNaN(s.v) })
}

// missingProblems reports absent series: once for all when no window has one.
// A window of which the source knows nothing at all has no data.
func missingProblems(d Dataset, rows []row, matchers map[string]string, missing map[string][]int, read int) []Problem {
	var out []Problem
	empty := map[int]int{}
	for _, row := range rows {
		windows := missing[row.series]
		for _, i := range windows {
			empty[i]++
		}
		query := row.query.with(matchers).String()
		if len(windows) == read && read > 0 {
			out = append(out, Problem{Window: -1, Series: row.series, Warning: "missing-data",
				Text: fmt.Sprintf("no samples of %s in any window: is the collector on, and do the matchers fit?", query)})
			continue
		}
		for _, i := range windows {
			out = append(out, Problem{Window: i, Series: row.series, Warning: "missing-data",
				Text: fmt.Sprintf("no samples of %s in this window", query)})
		}
	}
	for i, n := range empty {
		if n == len(rows) {
			w := d.Runs[i].Window
			out = append(out, Problem{Window: i, NoData: true, Warning: "no-samples",
				Text: fmt.Sprintf("the source holds no sample of any series in %s: check the time zone of start and end, the retention and the matchers", rangeText(w.Start, w.End))})
		}
	}
	slices.SortStableFunc(out, func(a, b Problem) int { return a.Window - b.Window })
	return out
}
