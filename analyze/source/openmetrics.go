package source

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// readOpenMetrics answers the profile's queries from OpenMetrics text with
// timestamps, as promtool tsdb dump-openmetrics writes it, plain, gzip or zstd.
func readOpenMetrics(ctx context.Context, spec Spec, d Dataset) (Dataset, error) {
	held, room := memory{}, maxHeldSamples
	for _, name := range spec.Files {
		input, err := held.read(ctx, name, spec.path(name), room)
		if err != nil {
			return d, err
		}
		room -= input.Count
		d.Inputs = append(d.Inputs, input)
	}
	if err := held.sort(); err != nil {
		return d, err
	}
	return readSeries(ctx, spec, d, held)
}

// read adds one file with at most room samples.
func (m memory) read(ctx context.Context, name, path string, room int) (Input, error) {
	in, err := jtl.Open(name, path, nil)
	if err != nil {
		return Input{}, err
	}
	defer in.Close() //nolint:errcheck // read only: nothing to lose
	count, err := m.add(ctx, name, in, room)
	if err != nil {
		return Input{}, err
	}
	sum, err := in.Hash()
	return Input{Kind: "openmetrics", Name: name, SHA256: sum, Count: count}, err
}

// memory holds series by their full name. It is filled, sorted, and then only
// read.
type memory map[string]*heldSeries

type heldSeries struct {
	labels  labels.Labels
	samples []sample
	file    string // the first one with a sample of the series
}

// sort orders samples by time. The same sample may stand in two files that
// overlap; two different values of one time are an error.
func (m memory) sort() error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		s := m[key]
		slices.SortStableFunc(s.samples, func(a, b sample) int { return cmp.Compare(a.t, b.t) })
		var kept []sample
		for _, p := range s.samples {
			if len(kept) == 0 || p.t != kept[len(kept)-1].t {
				kept = append(kept, p)
				continue
			}
			if last := kept[len(kept)-1]; math.Float64bits(p.v) != math.Float64bits(last.v) {
				return &SpecError{fmt.Sprintf("%s: %s has two values, %g and %g, at %s: keep one", s.file, key, last.v, p.v, ms(p.t).Format(time.RFC3339Nano))}
			}
		}
		s.samples = usable(kept)
	}
	return nil
}

// fetch selects raw samples.
func (m memory) fetch(_ context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(query)
	if err != nil {
		return nil, nil, fmt.Errorf("read the query %s: %w", query, err)
	}
	var out []rawSeries
	for _, s := range m {
		if !matchesAll(s.labels, matchers) {
			continue
		}
		first, _ := slices.BinarySearchFunc(s.samples, from.UnixMilli(), atTime)
		last, _ := slices.BinarySearchFunc(s.samples, to.UnixMilli()+1, atTime)
		if first < last {
			out = append(out, rawSeries{labels: s.labels.Map(), samples: slices.Clone(s.samples[first:last])})
		}
	}
	slices.SortFunc(out, func(a, b rawSeries) int { return strings.Compare(fullName(a.labels), fullName(b.labels)) })
	return out, nil, nil
}

// evaluate refuses: files are small enough to be computed by whoever wrote them.
func (m memory) evaluate(_ context.Context, expr string, _, _ time.Time, _ time.Duration) ([]rawSeries, []string, error) {
	return nil, nil, &SpecError{fmt.Sprintf("%s: %v", expr, errNotEvaluated)}
}

func atTime(s sample, t int64) int { return cmp.Compare(s.t, t) }

func matchesAll(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}
