package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	soakTime = flag.Duration("soak", 10*time.Second, "how long TestSoak breaks things; make soak sets an hour")
	soakSeed = flag.Uint64("soak.seed", 0, "seed of TestSoak, to repeat what it did; 0: another one each time")
)

// TestSoak breaks the database, the network, CloudWatch, the logs and the
// exporter's process in random order while two scrapers watch that every answer
// comes in time and is true. Then everything is repaired, and the exporter, the
// same process, must be green with every row and every request counted.
//
// Three streams of faults run beside each other, so that faults meet; the seed
// fixes the order within each stream, not how the streams interleave.
func TestSoak(t *testing.T) {
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	w := newSoakWorld(t, seed)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: go test ./exporter -run TestSoak -soak %v -soak.seed %d", *soakTime, seed)
		}
	}()

	ctx, stop := context.WithTimeout(t.Context(), *soakTime)
	defer stop()
	work, rest := context.WithCancel(t.Context())
	defer rest()
	var workers, streams sync.WaitGroup
	for _, worker := range []func(context.Context){w.writeTokens, w.writeLogs, w.publish} {
		workers.Go(func() { worker(work) })
	}
	for i := range 2 {
		workers.Go(func() { w.scrapeOn(work, fmt.Sprint("scraper ", i+1), rand.New(rand.NewPCG(seed, uint64(100+i)))) })
	}
	for i, stream := range [][]soakFault{w.networkFaults(), w.serverFaults(), w.otherFaults()} {
		streams.Go(func() { w.breakOn(ctx, rand.New(rand.NewPCG(seed, uint64(i))), stream) })
	}
	streams.Wait()
	w.note("everything is repaired")
	w.proxy.Repair()
	w.recovers()
	rest()
	workers.Wait()
	w.settles()
	w.ends()
	t.Logf("soak: seed %d, %v: %d faults, %d scrapes, slowest answer %v before its deadline, %d rows, %d requests, %d datapoints, violations %d",
		seed, *soakTime, w.faults.Load(), w.scrapes.Load(), time.Duration(w.reserve.Load()).Round(time.Millisecond), w.must.Load(), w.requests.Load(), w.datapoints.Load(), w.violations.Load())
}

// soakFault is one thing that goes wrong.
type soakFault struct {
	name   string
	outage bool // no statement can succeed until the repair
	// inject returns what repairs it. Both report their own trouble.
	inject func(ctx context.Context, random *rand.Rand) (repair func())
}

// breakOn breaks things until ctx ends, one after the other.
func (w *soakWorld) breakOn(ctx context.Context, random *rand.Rand, faults []soakFault) {
	for pause(ctx, 200*time.Millisecond, 2*time.Second, random) {
		f := faults[random.IntN(len(faults))]
		w.faults.Add(1)
		w.note("break: " + f.name)
		repair := f.inject(ctx, random)
		if f.outage {
			w.outage(1)
		}
		pause(ctx, 500*time.Millisecond, 5*time.Second, random)
		if f.outage {
			w.outage(-1)
		}
		if repair != nil {
			repair()
		}
		w.note("repaired: " + f.name)
	}
}

// pause sleeps for a random time and reports whether ctx goes on.
func pause(ctx context.Context, least, most time.Duration, random *rand.Rand) bool {
	timer := time.NewTimer(least + time.Duration(random.Int64N(int64(most-least))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// note adds to the history that a violation prints.
func (w *soakWorld) note(event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, fmt.Sprintf("%9.3f s  %s", time.Since(w.begin).Seconds(), event))
}

// violate reports that an invariant does not hold.
func (w *soakWorld) violate(format string, args ...any) {
	w.t.Helper()
	if w.violations.Add(1) > 20 {
		return // enough to work on
	}
	w.mu.Lock()
	history := strings.Join(w.history[max(0, len(w.history)-15):], "\n")
	w.mu.Unlock()
	w.t.Errorf("seed %d after %.3f s: %s\nwhat happened before:\n%s", w.seed, time.Since(w.begin).Seconds(), fmt.Sprintf(format, args...), history)
}

// outage takes note that nothing can be read from the database from now on, or
// that it can again.
func (w *soakWorld) outage(change int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outages == 0 {
		w.outSince = time.Now()
	}
	w.outages += change
}

// outFor returns for how long nothing could be read, 0 when something can.
func (w *soakWorld) outFor() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outages == 0 {
		return 0
	}
	return time.Since(w.outSince)
}

// recovers waits until every collector succeeds.
func (w *soakWorld) recovers() {
	begin := time.Now()
	eventually(w.t, "every collector succeeds", func() error {
		success := w.r.scrape(w.t).everySuccess()
		for name, ok := range success {
			if !ok {
				return fmt.Errorf("%s fails: %v\n%s", name, success, w.lastLog())
			}
		}
		return nil
	})
	// Refused credentials are tried again after a pause that may have grown.
	if took := time.Since(begin); took > 40*time.Second {
		w.violate("green only %v after the repair", took)
	}
}

// lastLog returns the end of the exporter's log.
func (w *soakWorld) lastLog() string {
	log := w.r.logs.String()
	return log[max(0, len(log)-4000):]
}

// settles waits until every row and every request is counted.
func (w *soakWorld) settles() {
	eventually(w.t, "every row and every request is counted", func() error {
		p := w.r.scrape(w.t)
		if rows := rowsIn(p); rows < float64(w.must.Load()) {
			return fmt.Errorf("%v rows of at least %d", rows, w.must.Load())
		}
		if requests, _ := p.value("wso2_token_endpoint_requests_total", "endpoint", "token"); requests != float64(w.requests.Load()) {
			return fmt.Errorf("%v requests of %d", requests, w.requests.Load())
		}
		return nil
	})
	time.Sleep(soakLateness + time.Second) // what is counted twice would show now
	if rows := rowsIn(w.r.scrape(w.t)); rows < float64(w.must.Load()) || rows > float64(w.attempted.Load()) {
		w.violate("%v rows counted in the end; %d were committed in time, %d attempted", rows, w.must.Load(), w.attempted.Load())
	}
}

// ends looks at what is left of the storm.
func (w *soakWorld) ends() {
	eventually(w.t, "two connections and nothing else", func() error {
		var n int
		if err := w.db.QueryRowContext(w.t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'exporter'").Scan(&n); err != nil {
			return err
		}
		if n > 2 {
			return fmt.Errorf("%d connections", n)
		}
		return nil
	})
	http := w.client
	http.CloseIdleConnections()
	var goroutines, fds float64
	eventually(w.t, "goroutines and descriptors are back", func() error {
		p := w.r.scrape(w.t)
		goroutines, _ = p.value("go_goroutines")
		fds, _ = p.value("process_open_fds")
		if goroutines > w.goroutines+5 || fds > w.fds+5 {
			return fmt.Errorf("%v goroutines, %v at the start; %v descriptors, %v at the start", goroutines, w.goroutines, fds, w.fds)
		}
		return nil
	})
	w.silent("the log", w.r.logs.String())
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", w.exporter.PID()))
	try(w.t, err)
	w.silent("the process title", string(title))
}

// rowsIn returns the rows counted so far, of all grants.
func rowsIn(p page) (sum float64) {
	for _, m := range p["wso2_token_rows_observed_total"].GetMetric() {
		sum += m.GetCounter().GetValue()
	}
	return sum
}
