package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/faultproxy"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// busy is what a test allows a machine that does other things: the figure for
// the deadline overrun is the benchmark's.
const busy = time.Second

// TestFaults: in every fault each scrape is answered in time, says which
// collectors failed and why, leaves no statement behind, and all is well soon
// after the repair, without a restart.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := newStage(t, mysqltest.Config{})
	r := start(t, s.flags()...)
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			r.green(t)
			before, _ := r.scrape(t).value("token_persistence_exporter_collector_failures_total", "collector", "tokens", "class", f.class)
			repair := f.inject(t, s)
			for range 2 {
				overrun, p := r.overrun(t, "1")
				if overrun > busy {
					t.Errorf("answered %v after the deadline", overrun)
				}
				failing := p.failing()
				if !slices.Contains(failing, "tokens") || slices.Contains(failing, "mysql") == f.only {
					t.Errorf("failing: %v", failing)
				}
			}
			after, _ := r.scrapeWithin(t, "1").value("token_persistence_exporter_collector_failures_total", "collector", "tokens", "class", f.class)
			if after < before+2 {
				t.Errorf("%v failures of class %s before and %v after\n%s", before, f.class, after, r.logs)
			}
			if !f.hidden {
				s.nothingLeft(t)
			}
			repair()
			r.green(t)
			if left := s.leftovers(t, 2); left != "" {
				t.Errorf("left behind after the repair:\n%s", left)
			}
		})
	}
}

// nothingLeft looks, one second after a scrape, for statements that began with
// it. The server shows whole seconds: what has run for one of them now may be a
// background pass, what goes on to two is ours to blame.
func (s *stage) nothingLeft(t *testing.T) {
	t.Helper()
	time.Sleep(time.Second)
	for s.leftovers(t, 1) != "" {
		if left := s.leftovers(t, 2); left != "" {
			t.Errorf("left behind:\n%s", left)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestFaultsWithoutTheHeader: a client that names no timeout is answered within
// the default.
func TestFaultsWithoutTheHeader(t *testing.T) {
	t.Parallel()
	s := newStage(t, mysqltest.Config{})
	frozen, slow := *s, *s
	frozen.proxy, slow.proxy = faultproxy.Run(t, s.server.Addr), faultproxy.Run(t, s.server.Addr)
	exporters := map[string]*running{}
	for name, s := range map[string]*stage{"locked": s, "frozen": &frozen, "slow": &slow} {
		exporters[name] = start(t, s.flags()...)
		exporters[name].green(t)
	}
	frozen.proxy.Freeze()
	slow.proxy.Trickle(500)
	unlock := lockTable(t, s)
	var scrapes sync.WaitGroup
	for name, r := range exporters {
		scrapes.Go(func() {
			overrun, p := r.overrun(t, "")
			if overrun > busy || !slices.Contains(p.failing(), "tokens") {
				t.Errorf("%s: answered %v after the deadline, failing %v", name, overrun, p.failing())
			}
		})
	}
	scrapes.Wait()
	s.nothingLeft(t)
	unlock()
	frozen.proxy.Thaw()
	slow.proxy.Trickle(0)
	for _, r := range exporters {
		r.green(t)
	}
}

// TestFrozenWithinAScrape freezes the server and the network at moments within
// a scrape rather than between two.
func TestFrozenWithinAScrape(t *testing.T) {
	t.Parallel()
	s := newStage(t, mysqltest.Config{})
	r := start(t, s.flags()...)
	for i := range 10 {
		r.green(t)
		at := time.Duration(i) * 500 * time.Microsecond
		time.AfterFunc(at, s.proxy.Freeze)
		if overrun, _ := r.overrun(t, "0.5"); overrun > busy {
			t.Errorf("frozen after %v: answered %v after the deadline", at, overrun)
		}
		s.proxy.Thaw()
	}
	for i := range 5 {
		r.green(t)
		paused := make(chan error, 1)
		time.AfterFunc(time.Duration(i)*time.Millisecond, func() { paused <- s.server.Pause() })
		overrun, _ := r.overrun(t, "0.5")
		try(t, <-paused)
		try(t, s.server.Resume())
		if overrun > busy {
			t.Errorf("frozen after %d ms: answered %v after the deadline", i, overrun)
		}
	}
	s.nothingLeft(t)
	r.green(t)
	if names := fmt.Sprint(r.scrape(t).failing()); names != "[]" {
		t.Error(names)
	}
}
