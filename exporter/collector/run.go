package collector

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// run is one pass over all collectors, shared by the scrapes that wait for it.
type run struct {
	outcomes []*outcome
	done     chan struct{} // closed when nothing of the run goes on any more
}

// outcome is what one collector brought; its fields are set before ready is
// closed and never change after.
type outcome struct {
	name    string
	ready   chan struct{}
	metrics []prometheus.Metric
	err     error
	took    time.Duration
}

// settle publishes the outcome; record sees it before any scrape does.
func (o *outcome) settle(metrics []prometheus.Metric, err error, took time.Duration, record func(*outcome)) {
	o.metrics, o.err, o.took = metrics, err, took
	record(o)
	close(o.ready)
}

func newRun(sql []SQLCollector, others []Collector) *run {
	r := &run{done: make(chan struct{})}
	add := func(name string) {
		r.outcomes = append(r.outcomes, &outcome{name: name, ready: make(chan struct{})})
	}
	for _, c := range sql {
		add(c.Name())
	}
	for _, c := range others {
		add(c.Name())
	}
	return r
}

// abandon ends a run that never started.
func (r *run) abandon(err error) {
	for _, o := range r.outcomes {
		o.settle(nil, err, 0, func(*outcome) {})
	}
	close(r.done)
}

// do runs the collectors and returns when the last one has ended.
func (r *run) do(ctx context.Context, link *Link, sql []SQLCollector, others []Collector, record func(*outcome)) {
	var group sync.WaitGroup
	for i, c := range others {
		group.Go(func() {
			o := r.outcomes[len(sql)+i]
			start := time.Now()
			metrics, err := c.Collect(ctx)
			o.settle(metrics, err, time.Since(start), record)
		})
	}
	r.doSQL(ctx, link, sql, record)
	group.Wait()
}

// doSQL runs the SQL collectors in sequence. Each may use half of the time that
// is left and the last one all of it, so that one that hangs leaves something
// to those behind it. A connection lost on the way is replaced once.
func (r *run) doSQL(ctx context.Context, link *Link, sql []SQLCollector, record func(*outcome)) {
	var session *Session
	var lost error
	tries := 2
	for i, c := range sql {
		start := time.Now()
		ctx, cancel := share(ctx, i == len(sql)-1)
		if session == nil && tries > 0 {
			tries--
			if session, lost = link.Session(ctx); lost != nil {
				tries = 0
			}
		}
		metrics, err := []prometheus.Metric(nil), lost
		if session != nil {
			metrics, err = c.Collect(ctx, session)
		}
		if session != nil && err != nil {
			err = overdue(ctx, err)
			if !link.Alive() {
				link.Drop()
				session, lost = nil, err
			}
		}
		cancel()
		r.outcomes[i].settle(metrics, err, time.Since(start), record)
	}
}

// share returns the part of ctx's time that one collector may use.
func share(ctx context.Context, last bool) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || last {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}

// overdue names the cause of a connection that we cut ourselves.
func overdue(ctx context.Context, err error) error {
	if ctx.Err() != nil && ClassOf(err) == Connection {
		return &Failure{Timeout, err}
	}
	return err
}
