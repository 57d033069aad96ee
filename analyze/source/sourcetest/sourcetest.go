// Package sourcetest makes Prometheus data for tests: series written in the
// notation of promtool's unit tests become a TSDB directory, or a server that
// answers queries with Prometheus' own engine. It refuses to be used outside
// tests: nothing here is fast.
//
//	start 2026-07-01T10:00:00Z step 5s
//	requests_total{code="2xx"} 0+3820x36
package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"encoding/json"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Sample is one value at a time in milliseconds since the epoch.
type Sample struct {
	T int64
	V float64
}

// Series is one series with its samples by rising time.
type Series struct {
	Labels  labels.Labels
	Samples []Sample
}

// Parse reads series. A line "start TIME step DURATION" sets the times of the
// lines below it; _ leaves a sample out and "stale" writes a stale marker.
func Parse(text string) ([]Series, error) {
	var out []Series
	var start time.Time
	var step time.Duration
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var err error
		if len(words) == 4 && words[0] == "start" && words[2] == "step" {
			if start, err = time.Parse(time.RFC3339Nano, words[1]); err == nil {
				step, err = time.ParseDuration(words[3])
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
			continue
		}
		lset, values, err := parser.NewParser(parser.Options{}).ParseSeriesDesc(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		s := Series{Labels: lset}
		for i, v := range values {
			if !v.Omitted {
				s.Samples = append(s.Samples, Sample{start.Add(time.Duration(i) * step).UnixMilli(), v.Value})
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// open opens or creates a database without retention or background surprises.
func open(dir string) (*tsdb.DB, error) {
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = 0
	db, err := tsdb.Open(dir, slog.New(slog.DiscardHandler), nil, opts, nil)
	if err != nil {
		return nil, err
	}
	db.DisableCompactions()
	return db, nil
}

// Write appends series to the TSDB in dir. With compact, everything it holds is
// turned into a block afterwards; without, it stays in the write-ahead log.
func Write(dir string, series []Series, compact bool) (err error) {
	db, err := open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := add(db, series); err != nil {
		return err
	}
	if !compact {
		return nil
	}
	return db.CompactHead(tsdb.NewRangeHead(db.Head(), db.Head().MinTime(), db.Head().MaxTime()))
}

func add(db *tsdb.DB, series []Series) error {
	app := db.Appender(context.Background())
	// Times rise over all series: the head refuses what is too old for it.
	for i := 0; ; i++ {
		more := false
		for _, s := range series {
			if i >= len(s.Samples) {
				continue
			}
			more = true
			if _, err := app.Append(0, s.Labels, s.Samples[i].T, s.Samples[i].V); err != nil {
				return errors.Join(fmt.Errorf("append %s: %w", s.Labels, err), app.Rollback())
			}
		}
		if !more {
			return app.Commit()
		}
	}
}

// Server answers instant queries over a TSDB of its own.
type Server struct {
	db     *tsdb.DB
	engine *promql.Engine
}

// NewServer stores the series in dir and serves them. Close it in the end.
func NewServer(dir string, series []Series) (*Server, error) {
	db, err := open(dir)
	if err != nil {
		return nil, err
	}
	if err := add(db, series); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: slog.New(slog.DiscardHandler), MaxSamples: 1_000_000, Timeout: time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		Parser:                   parser.NewParser(parser.Options{}),
	})
	return &Server{db: db, engine: engine}, nil
}

// Close closes engine and database.
func (s *Server) Close() error { return errors.Join(s.engine.Close(), s.db.Close()) }

// ServeHTTP implements the part of the HTTP API that the reader needs: instant
// and range queries.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v1/query" && r.URL.Path != "/api/v1/query_range" {
		http.NotFound(w, r)
		return
	}
	result, err := s.query(r)
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"status": "error", "errorType": "bad_data", "error": err.Error()})
		return
	}
	defer result.close()
	reply(w, http.StatusOK, map[string]any{"status": "success", "data": map[string]any{"resultType": result.value.Type(), "result": result.value}})
}

type queryResult struct {
	value parser.Value
	close func()
}

func (s *Server) query(r *http.Request) (queryResult, error) {
	q, err := s.prepare(r)
	if err != nil {
		return queryResult{}, err
	}
	result := q.Exec(r.Context())
	if result.Err != nil {
		q.Close()
		return queryResult{}, result.Err
	}
	return queryResult{result.Value, q.Close}, nil
}

func (s *Server) prepare(r *http.Request) (promql.Query, error) {
	queryable, expr := storage.Queryable(s.db), r.FormValue("query")
	if r.URL.Path == "/api/v1/query" {
		at, err := seconds(r, "time")
		if err != nil {
			return nil, err
		}
		return s.engine.NewInstantQuery(r.Context(), queryable, nil, expr, time.UnixMilli(at))
	}
	start, err1 := seconds(r, "start")
	end, err2 := seconds(r, "end")
	step, err3 := seconds(r, "step")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return s.engine.NewRangeQuery(r.Context(), queryable, nil, expr, time.UnixMilli(start), time.UnixMilli(end), time.Duration(step)*time.Millisecond)
}

// seconds reads a parameter as milliseconds.
func seconds(r *http.Request, name string) (int64, error) {
	v, err := strconv.ParseFloat(r.FormValue(name), 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return int64(v*1000 + 0.5), nil
}

func reply(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that hung up is its own test's business.
	_, _ = w.Write(text)
}
