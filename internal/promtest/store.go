package promtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Series is one series with its samples by rising time.
type Series struct {
	Labels  labels.Labels
	Samples []promql.FPoint // T in milliseconds since the epoch
}

// Store is data to ask: recorded blocks, and what a test appends.
type Store struct {
	blocks []tsdb.BlockReader
	db     *tsdb.DB
	engine *promql.Engine
}

// headSpan is far more than the data of any test covers: within half of it
// samples may come in any order of series.
const headSpan = 200 * 24 * time.Hour

// New returns an empty store, which goes with the test.
func New(tb testing.TB) *Store {
	tb.Helper()
	quiet := slog.New(slog.DiscardHandler)
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = 0
	opts.WALSegmentSize = -1 // no write-ahead log: nothing of this has to last
	opts.MinBlockDuration = headSpan.Milliseconds()
	opts.MaxBlockDuration = headSpan.Milliseconds()
	db, err := tsdb.Open(tb.TempDir(), quiet, nil, opts, nil)
	if err != nil {
		tb.Fatalf("open a time series database: %v", err)
	}
	db.DisableCompactions()
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: quiet, MaxSamples: 50_000_000, Timeout: time.Minute, // as a server allows
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		Parser:                   parser.NewParser(parser.Options{}),
	})
	tb.Cleanup(func() {
		if err := errors.Join(engine.Close(), db.Close()); err != nil {
			tb.Error(err)
		}
	})
	return &Store{db: db, engine: engine}
}

// Open returns a store over the blocks in a folder of Prometheus, which is not
// written to.
func Open(tb testing.TB, folder string) *Store {
	tb.Helper()
	s := New(tb)
	if found, err := filepath.Glob(filepath.Join(folder, "*", "meta.json")); err != nil || len(found) == 0 {
		tb.Fatalf("%s: no block of a time series database in it (%v)", folder, err)
	}
	recorded, err := tsdb.OpenDBReadOnly(folder, tb.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatalf("open %s: %v", folder, err)
	}
	tb.Cleanup(func() {
		if err := recorded.Close(); err != nil {
			tb.Error(err)
		}
	})
	if s.blocks, err = recorded.Blocks(); err != nil {
		tb.Fatalf("open the blocks in %s: %v", folder, err)
	}
	return s
}

// Recorded returns the time that the blocks cover.
func (s *Store) Recorded() (from, to time.Time) {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, b := range s.blocks {
		first, last = min(first, b.Meta().MinTime), max(last, b.Meta().MaxTime)
	}
	return time.UnixMilli(first).UTC(), time.UnixMilli(last - 1).UTC()
}

// Append adds series.
func (s *Store) Append(tb testing.TB, series []Series) {
	tb.Helper()
	app := s.db.Appender(tb.Context())
	for _, one := range series {
		for _, p := range one.Samples {
			if _, err := app.Append(0, one.Labels, p.T, p.F); err != nil {
				tb.Fatalf("append %s at %d: %v", one.Labels, p.T, errors.Join(err, app.Rollback()))
			}
		}
	}
	if err := app.Commit(); err != nil {
		tb.Fatal(err)
	}
}

// Instant evaluates expr at one time, as a stat panel or a rule does. A scalar
// becomes a sample without labels.
func (s *Store) Instant(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	q, err := s.engine.NewInstantQuery(ctx, storage.QueryableFunc(s.querier), nil, expr, at)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", expr, err)
	}
	defer q.Close()
	result := q.Exec(ctx)
	if result.Err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", expr, result.Err)
	}
	switch v := result.Value.(type) {
	case promql.Vector:
		return slices.Clone(v), nil // Close takes the original back
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	default:
		return nil, fmt.Errorf("evaluate %s: it gives a %s: want a vector or a scalar", expr, result.Value.Type())
	}
}

// Range evaluates expr from one time to another, as a graph does.
func (s *Store) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Series, error) {
	q, err := s.engine.NewRangeQuery(ctx, storage.QueryableFunc(s.querier), nil, expr, from, to, step)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", expr, err)
	}
	defer q.Close()
	values, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", expr, err)
	}
	out := make([]Series, 0, len(values))
	for _, v := range values {
		out = append(out, Series{v.Metric, slices.Clone(v.Floats)}) // Close takes the original back
	}
	return out, nil
}

// LabelValues returns the values of a label in the series that a selector
// names, sorted, as a variable of a dashboard asks for them.
func (s *Store) LabelValues(ctx context.Context, label, selector string, from, to time.Time) ([]string, error) {
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("read the selector %s: %w", selector, err)
	}
	q, err := s.querier(from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, err
	}
	values, _, err := q.LabelValues(ctx, label, nil, matchers...)
	values = slices.Clone(values)
	return values, errors.Join(err, q.Close())
}

// querier is the store as the engine sees it.
func (s *Store) querier(mint, maxt int64) (storage.Querier, error) {
	head, err := s.db.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	all := []storage.Querier{head}
	for _, b := range s.blocks {
		if b.Meta().MinTime > maxt || b.Meta().MaxTime <= mint {
			continue
		}
		q, err := tsdb.NewBlockQuerier(b, mint, maxt)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return storage.NewMergeQuerier(all, nil, storage.ChainedSeriesMerge), nil
}
