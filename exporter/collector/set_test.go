package collector

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

// scripted is a collector that does what a test says.
type scripted struct {
	name    string
	collect func(context.Context) ([]prometheus.Metric, error)
	calls   atomic.Int64
}

// Name is the test's.
func (c *scripted) Name() string { return c.name }

// Descs has none.
func (c *scripted) Descs() []*prometheus.Desc { return nil }

// Collect does what the test says.
func (c *scripted) Collect(ctx context.Context) ([]prometheus.Metric, error) {
	c.calls.Add(1)
	return c.collect(ctx)
}

func succeed(context.Context) ([]prometheus.Metric, error) { return nil, nil }

func hang(ctx context.Context) ([]prometheus.Metric, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func newScriptedSet(collectors ...*scripted) (*Set, *bytes.Buffer) {
	var log bytes.Buffer
	others := make([]Collector, len(collectors))
	for i, c := range collectors {
		others[i] = c
	}
	return NewSet(nil, nil, nil, others, slog.New(slog.NewTextHandler(&log, nil))), &log
}

const (
	success  = "token_persistence_exporter_collector_success"
	duration = "token_persistence_exporter_collector_duration_seconds"
	failures = "token_persistence_exporter_collector_failures_total"
)

func TestSetCountsFailuresAndLogsChanges(t *testing.T) {
	for _, tc := range []struct {
		err   error
		class string
	}{
		{errors.New("odd"), "other"},
		{&Failure{Throttled, errors.New("slow down")}, "throttled"},
		{context.DeadlineExceeded, "timeout"},
	} {
		err := tc.err
		c := &scripted{name: "c", collect: func(context.Context) ([]prometheus.Metric, error) { return nil, err }}
		set, log := newScriptedSet(c)
		for range 3 { // one after the other: none may share another's run
			set.Collect(t.Context(), time.Minute)
		}
		err = nil
		got := collectortest.Values(t, set.Collect(t.Context(), time.Minute))
		delete(got, duration+"{c}")
		if diff := cmp.Diff(map[string]float64{success + "{c}": 1, failures + "{" + tc.class + ",c}": 3}, got); diff != "" {
			t.Error(diff)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("%d lines for two changes of state:\n%s", lines, log)
		}
	}
}

func TestSetKeepsMetricsBesideAnError(t *testing.T) {
	desc := prometheus.NewDesc("kept", "help", nil, nil)
	c := &scripted{name: "c", collect: func(context.Context) ([]prometheus.Metric, error) {
		return []prometheus.Metric{prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 4)}, errors.New("half")
	}}
	set, _ := newScriptedSet(c)
	if got := collectortest.Values(t, set.Collect(t.Context(), time.Minute)); got["kept"] != 4 || got[success+"{c}"] != 0 {
		t.Errorf("got %v", got)
	}
}

// TestSetAnswersInTime: one collector hangs, the other's result is there, and
// the scrape ends with its own deadline although the run goes on.
func TestSetAnswersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := &scripted{name: "slow", collect: hang}, &scripted{name: "quick", collect: succeed}
		set, _ := newScriptedSet(slow, quick)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := collectortest.Values(t, set.Collect(ctx, 10*time.Second))
		if took := time.Since(begin); took != time.Second {
			t.Errorf("answered after %v", took)
		}
		want := map[string]float64{success + "{slow}": 0, duration + "{slow}": 1, success + "{quick}": 1, duration + "{quick}": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		// A scrape that comes now joins the run and sees it end.
		got = collectortest.Values(t, set.Collect(t.Context(), 10*time.Second))
		if took := time.Since(begin); took != 10*time.Second || got[failures+"{timeout,slow}"] != 1 {
			t.Errorf("after %v: %v", took, got)
		}
		if n := slow.calls.Load(); n != 1 {
			t.Errorf("%d runs beside each other", n)
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestSetRunsOncePerMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beside, most atomic.Int64
		c := &scripted{name: "c", collect: func(context.Context) ([]prometheus.Metric, error) {
			most.Store(max(most.Load(), beside.Add(1)))
			time.Sleep(time.Second)
			beside.Add(-1)
			return nil, nil
		}}
		set, _ := newScriptedSet(c)
		var scrapers sync.WaitGroup
		for range 50 {
			scrapers.Go(func() {
				for range 3 {
					if v := collectortest.Values(t, set.Collect(t.Context(), time.Minute)); v[success+"{c}"] != 1 {
						t.Errorf("got %v", v)
					}
				}
			})
		}
		scrapers.Wait()
		if most.Load() != 1 {
			t.Errorf("%d runs at the same time", most.Load())
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
		if v := collectortest.Values(t, set.Collect(t.Context(), time.Minute)); v[success+"{c}"] != 0 {
			t.Errorf("after the end: %v", v)
		}
	})
}

// TestSetOutlivesItsScraper: a scraper that goes away takes nothing with it.
func TestSetOutlivesItsScraper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := make(chan error, 1)
		c := &scripted{name: "c", collect: func(ctx context.Context) ([]prometheus.Metric, error) {
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
			}
			cut <- ctx.Err()
			return nil, nil
		}}
		set, _ := newScriptedSet(c)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		set.Collect(ctx, 10*time.Second)
		if err := <-cut; err != nil {
			t.Errorf("the run was cut: %v", err)
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestSetEndsItsRunners(t *testing.T) {
	stopped := errors.New("stopped")
	set := NewSet(nil, nil, nil, []Collector{runner{&scripted{name: "r", collect: succeed}, stopped}}, slog.New(slog.DiscardHandler))
	if err := set.Run(t.Context()); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}

type runner struct {
	*scripted
	err error
}

// Run ends with the test's error.
func (r runner) Run(context.Context) error { return r.err }
