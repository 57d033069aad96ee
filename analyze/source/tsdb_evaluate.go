package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// mostSamples is what the engine may hold at a time, as a server allows.
const mostSamples = 50_000_000

// evaluate computes an expression over the directory with Prometheus' engine.
func (db *offline) evaluate(ctx context.Context, expr string, from, to time.Time, step time.Duration) (_ []rawSeries, _ []string, err error) {
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: slog.New(slog.DiscardHandler), MaxSamples: mostSamples, Timeout: queryTimeout,
		EnableAtModifier: true, EnableNegativeOffset: true,
		// What a server does whose evaluation interval nobody set.
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		Parser:                   parser.NewParser(parser.Options{}),
	})
	defer func() { err = errors.Join(err, engine.Close()) }()
	q, err := engine.NewRangeQuery(ctx, storage.QueryableFunc(db.querier), nil, expr, from, to, step)
	if err != nil {
		return nil, nil, fmt.Errorf("read the query %s: %w", expr, err)
	}
	defer q.Close()
	result := q.Exec(ctx)
	values, err := result.Matrix()
	if err != nil {
		return nil, nil, fmt.Errorf("query %s: %w", expr, err)
	}
	var out []rawSeries
	for _, series := range values {
		s := rawSeries{labels: series.Metric.Map()}
		for _, p := range series.Floats {
			s.samples = append(s.samples, sample{p.T, p.F})
		}
		if s.samples = usable(s.samples); len(s.samples) > 0 {
			out = append(out, s)
		}
	}
	warnings, _ := result.Warnings.AsStrings(expr, 0, 0) // what is merely informative, a server keeps apart too
	return out, warnings, nil
}

// querier is the directory as the engine sees it.
func (db *offline) querier(mint, maxt int64) (storage.Querier, error) {
	queriers, err := db.queriers(mint, maxt)
	if err != nil {
		return nil, err
	}
	return storage.NewMergeQuerier(queriers, nil, storage.ChainedSeriesMerge), nil
}
