package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"golang.org/x/sync/errgroup"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// TestIdleTargets: what nobody scrapes for an hour holds no connection; the next
// scrape finds it as after a start. A target of the flags is never let go.
func TestIdleTargets(t *testing.T) {
	server, db := database(t, mysqltest.Config{})
	t.Setenv(passwordVariable, canary)
	config := newConfigFile(t, yamlTarget(t, "asked", server, ""), yamlTarget(t, "idle", server, ""))
	o, err := parse(append(databaseFlags(server), "--config.file="+config.path), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := o.targets()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(ctx)
	f := newFleet(group, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		cancel()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		f.close()
	})
	if err := f.apply(ctx, targets); err != nil {
		t.Fatal(err)
	}
	rows := func(name string) (n float64) {
		t.Helper()
		if err := f.use(ctx, name, func(set *collector.Set) {
			for _, m := range set.Collect(ctx, 10*time.Second) {
				var out dto.Metric
				if strings.Contains(m.Desc().String(), `"wso2_token_rows_observed_total"`) && m.Write(&out) == nil {
					n += out.GetCounter().GetValue()
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	all := []string{"", "asked", "idle"}
	scrapeAll := func(want map[string]float64) {
		t.Helper()
		for _, name := range all {
			eventually(t, fmt.Sprintf("%v rows of %q", want[name], name), func() error {
				if n := rows(name); n != want[name] {
					return fmt.Errorf("%v rows", n)
				}
				return nil
			})
		}
	}
	scrapeAll(map[string]float64{})
	insert(t, db, 5)
	scrapeAll(map[string]float64{"": 5, "asked": 5, "idle": 5})

	f.letGo(ctx, time.Now().Add(idleLimit/2))
	scrapeAll(map[string]float64{"": 5, "asked": 5, "idle": 5})
	f.watches["idle"].used = time.Now().Add(-idleLimit - time.Minute)
	f.watches[""].used = f.watches["idle"].used
	f.letGo(ctx, time.Now())
	f.letGo(ctx, time.Now().Add(2*idlePass)) // it is not let go twice
	eventually(t, "the idle target's sessions are closed", func() error {
		if n := connections(t, server); n != 4 {
			return fmt.Errorf("%d connections, want 2 of each of 2 targets", n)
		}
		return nil
	})
	if err := f.apply(ctx, targets); err != nil { // a reload that changes nothing wakes nobody
		t.Fatal(err)
	}
	if n := connections(t, server); n != 4 {
		t.Errorf("%d connections after a reload", n)
	}
	insert(t, db, 2) // what comes meanwhile is not counted for it
	var wakers sync.WaitGroup
	for range 3 {
		wakers.Go(func() { rows("idle") })
	}
	wakers.Wait()
	scrapeAll(map[string]float64{"": 7, "asked": 7, "idle": 0})
	insert(t, db, 3)
	scrapeAll(map[string]float64{"": 10, "asked": 10, "idle": 3})

	f.watches["asked"].used = time.Time{}
	f.letGo(ctx, time.Now())
	if err := f.apply(ctx, targets[:1]); err != nil { // those that are let go may leave the file
		t.Fatal(err)
	}
}
