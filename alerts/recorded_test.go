package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/tokenpersistence/toolkit/internal/promtest"
)

// step is how often rules are evaluated here.
const step = 15 * time.Second

// onTheRig are the alerts that fire in the recorded run: none. Its windows take
// 70 s each and change the mode, so that nothing holds for long.
var onTheRig = []string{}

// pendingOnTheRig are those whose expression holds for a while, as it should.
var pendingOnTheRig = []string{
	"TokenPersistenceAPIManagerIsBottleneck", // the key manager uses 99 % of its core with persistence off
	"TokenPersistenceCloudWatchCost",         // the rig's CloudWatch is asked every few seconds, and costs nothing
	"TokenPersistenceDatabaseIsBottleneck",   // for half a minute of refreshing with persistence on
	"TokenPersistenceDatabaseSaturated",      // for two minutes: it waits for five
	"TokenPersistenceTokenTableLarge",        // the study begins with a million tokens; the alert waits for an hour
}

// TestRecordedRun evaluates every rule over a recorded run of the testbed, in
// which nothing was wrong: an alert that fires there and is not expected cries
// wolf.
func TestRecordedRun(t *testing.T) {
	folder := filepath.Join("..", "docs", "case-study", "data", "tsdb")
	if _, err := os.Stat(folder); err != nil {
		t.Fatal(err)
	}
	store := promtest.Open(t, folder)
	rules := promtest.ReadRules(t, "rules")
	from, to := store.Recorded()
	store.Record(t, rules, from, to, step)
	fired, pending := firing(t, store, from, to)
	if diff := cmp.Diff(onTheRig, fired); diff != "" {
		t.Errorf("alerts (-expected +fired):\n%s", diff)
	}
	if diff := cmp.Diff(pendingOnTheRig, pending); diff != "" {
		t.Errorf("alerts (-expected +pending):\n%s", diff)
	}
}

// firing returns the alerts whose expression holds for as long as they wait, and
// those whose expression holds for less.
func firing(t *testing.T, store *promtest.Store, from, to time.Time) (fired, pending []string) {
	t.Helper()
	fired, pending = []string{}, []string{}
	for _, a := range all() {
		r, err := a.rule(defaults())
		if err != nil {
			t.Fatal(err)
		}
		wait, err := model.ParseDuration(a.wait)
		if err != nil {
			t.Fatal(err)
		}
		series, err := store.Range(t.Context(), r.Expr, from, to, step)
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
		if slices.ContainsFunc(series, func(s promtest.Series) bool { return holds(s, time.Duration(wait)) }) {
			fired = append(fired, a.name)
		} else if len(series) > 0 {
			pending = append(pending, a.name)
		}
	}
	slices.Sort(fired)
	slices.Sort(pending)
	return fired, pending
}

// holds tells whether a series has values without a gap for as long as wait.
func holds(s promtest.Series, wait time.Duration) bool {
	since := 0
	for i, p := range s.Samples {
		if i > 0 && p.T-s.Samples[i-1].T > step.Milliseconds() {
			since = i
		}
		if p.T-s.Samples[since].T >= wait.Milliseconds() {
			return true
		}
	}
	return false
}
