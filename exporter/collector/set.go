package collector

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Ours: what the exporter says about each of its collectors.
var (
	successDesc = prometheus.NewDesc("token_persistence_exporter_collector_success",
		"Whether the collector read everything it meant to in this scrape: 1 or 0.", []string{"collector"}, nil)
	durationDesc = prometheus.NewDesc("token_persistence_exporter_collector_duration_seconds",
		"Seconds the collector took in this scrape, waiting included.", []string{"collector"}, nil)
	failuresDesc = prometheus.NewDesc("token_persistence_exporter_collector_failures_total",
		"Failed runs of the collector by reason (connection, auth, permission, timeout, throttled, schema, partial, guard, other). A reason appears with its first failure.",
		[]string{"collector", "class"}, nil)
)

// Set runs the enabled collectors: those of the database one after the other on
// one connection, the others beside them. There is one run at a time; scrapes
// that arrive during a run share its result.
type Set struct {
	link       *Link
	background *Background
	sql        []SQLCollector
	others     []Collector
	logger     *slog.Logger

	mu       sync.Mutex
	running  *run
	closed   bool
	failures map[failureKey]float64
	last     map[string]Class // class of a collector's last run, empty after a success
	warned   map[warning]bool // what was told already
}

type failureKey struct {
	collector string
	class     Class
}

// NewSet takes over the link of the scrapes and the background, both nil
// without a database, and the enabled collectors. The last SQL collector should
// be the one that may need most time.
func NewSet(link *Link, background *Background, sql []SQLCollector, others []Collector, logger *slog.Logger) *Set {
	return &Set{
		link: link, background: background, sql: sql, others: others, logger: logger,
		failures: map[failureKey]float64{}, last: map[string]Class{}, warned: map[warning]bool{},
	}
}

// Descs lists every family that Collect can return.
func (s *Set) Descs() []*prometheus.Desc {
	descs := []*prometheus.Desc{successDesc, durationDesc, failuresDesc}
	if s.link != nil {
		descs = append(descs, costDescs()...)
	}
	for _, c := range s.sql {
		descs = append(descs, c.Descs()...)
	}
	for _, c := range s.others {
		descs = append(descs, c.Descs()...)
	}
	return descs
}

// Collect returns the metrics of one run, with success and duration of every
// collector, when the run or ctx ends. What is not ready by then has failed
// for this scrape; the run itself goes on until its own deadline, which is
// budget after its start, so that no statement is left without an owner.
func (s *Set) Collect(ctx context.Context, budget time.Duration) []prometheus.Metric {
	start := time.Now()
	r := s.join(budget)
	select {
	case <-r.done: // so that a scrape after this one cannot find the same run
	case <-ctx.Done():
	}
	var metrics []prometheus.Metric
	for _, o := range r.outcomes {
		success, took := 0.0, time.Since(start)
		select {
		case <-o.ready:
			took = o.took
			metrics = append(metrics, o.metrics...)
			if o.err == nil {
				success = 1
			}
		default: // not in time
		}
		metrics = append(metrics,
			prometheus.MustNewConstMetric(successDesc, prometheus.GaugeValue, success, o.name),
			prometheus.MustNewConstMetric(durationDesc, prometheus.GaugeValue, took.Seconds(), o.name))
	}
	if s.link != nil {
		metrics = append(metrics, s.link.cost.metrics("scrape")...)
		metrics = append(metrics, s.background.link.cost.metrics("background")...)
	}
	return append(metrics, s.failureMetrics()...)
}

func (s *Set) failureMetrics() []prometheus.Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	metrics := make([]prometheus.Metric, 0, len(s.failures))
	for key, n := range s.failures {
		metrics = append(metrics, prometheus.MustNewConstMetric(failuresDesc, prometheus.CounterValue, n, key.collector, string(key.class)))
	}
	return metrics
}

// join returns the run in flight or starts one.
func (s *Set) join(budget time.Duration) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return s.running
	}
	r := newRun(s.sql, s.others)
	if s.closed {
		r.abandon(errors.New("the exporter is shutting down"))
		return r
	}
	s.running = r
	// The run outlives a scraper that goes away: a statement cut short on this
	// side would go on in the server beside the next one.
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	go func() {
		defer cancel()
		r.do(ctx, s.link, s.sql, s.others, s.record)
		s.warn()
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		close(r.done)
	}()
	return r
}

// record counts a failure and logs a change of a collector's state.
func (s *Set) record(o *outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.last[o.name]
	if o.err == nil {
		s.last[o.name] = ""
		if known && before != "" {
			s.logger.Info("collector works again", "collector", o.name)
		}
		return
	}
	class := ClassOf(o.err)
	s.failures[failureKey{o.name, class}]++
	s.last[o.name] = class
	if before != class {
		s.logger.Warn("collector fails", "collector", o.name, "class", class, "err", o.err)
	}
}

// Run does the collectors' work between scrapes until ctx ends.
func (s *Set) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	start := func(c any) {
		if r, ok := c.(Runner); ok {
			group.Go(func() error { return r.Run(ctx) })
		}
	}
	for _, c := range s.sql {
		start(c)
	}
	for _, c := range s.others {
		start(c)
	}
	return group.Wait()
}

// Close waits for the run in flight, which its deadline bounds, and closes the
// connections. It is called when Run has returned; later scrapes find every
// collector failed.
func (s *Set) Close() error {
	s.mu.Lock()
	s.closed = true
	r := s.running
	s.mu.Unlock()
	if r != nil {
		<-r.done
	}
	if s.link == nil {
		return nil
	}
	return errors.Join(s.link.Close(), s.background.Close())
}
