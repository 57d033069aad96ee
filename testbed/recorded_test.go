package main

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/testwindow"
	"github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// recorded holds the series of a run against its experiment file: what
// dashboards draw is there.
func (b *bench) recorded(t *testing.T, out string) {
	t.Helper()
	db, err := tsdb.OpenDBReadOnly(filepath.Join(out, "tsdb"), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	q, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	recordedWindows(t, q, filepath.Join(out, "experiment.yaml"))
	names := []string{"rds_freeable_memory_bytes", "rds_swap_usage_bytes", "rds_free_storage_bytes"}
	if err := cloudwatch.CheckDisk(b.tmp); err == nil {
		names = append(names, "rds_read_latency_seconds", "rds_write_latency_seconds", "rds_disk_queue_depth")
	}
	for _, name := range names {
		n, high := 0, 0.0
		for _, s := range samples(t, q, name, "job", "token-persistence", "db_instance", "testbed-db") {
			for _, p := range s.points {
				if !value.IsStaleNaN(p.value) {
					n, high = n+1, max(high, p.value)
				}
			}
		}
		t.Logf("%s: %d samples, at most %v", name, n, high)
		if n == 0 {
			t.Errorf("no sample of %s", name)
		}
	}
}

// edge is how far a sample's timestamp, which is that of the scrape's beginning,
// may be from the moment at which the rig looked at the clock.
const edge = 500 * time.Millisecond

// recordedWindows wants both series of each window, and no others: only while it
// lasts, with the planned times as values, and marked as gone after it.
func recordedWindows(t *testing.T, q storage.Querier, experiment string) {
	t.Helper()
	text, err := os.ReadFile(experiment)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Warmup  time.Duration
		Windows []struct {
			Grant, Persistence string
			Block              int
			Start, End         time.Time
		}
	}
	if err := yaml.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	windows := map[string]testwindow.Window{}
	for _, w := range e.Windows {
		window := testwindow.Window{Grant: w.Grant, Persistence: w.Persistence, Block: w.Block, Start: w.Start.Add(e.Warmup), End: w.End}
		windows[fmt.Sprint(window.LabelValues())] = window
	}
	for _, f := range testwindow.Families() {
		want, got := map[string]float64{}, map[string]float64{}
		for key, w := range windows {
			want[key] = testwindow.Seconds(f.Value(w))
		}
		for _, s := range samples(t, q, f.Name, "job", "testbed") {
			var values []string
			for _, name := range testwindow.LabelNames() {
				values = append(values, s.labels.Get(name))
			}
			key := fmt.Sprint(values)
			got[key] = s.points[0].value
			w := windows[key]
			for _, p := range s.points {
				if value.IsStaleNaN(p.value) {
					continue
				}
				if p.value != got[key] || p.at.Before(w.Start.Add(-edge)) || p.at.After(w.End.Add(edge)) {
					t.Errorf("%s of %s is %v at %s, the window is from %s to %s", f.Name, key, p.value, p.at, w.Start, w.End)
				}
			}
			if last := s.points[len(s.points)-1]; !value.IsStaleNaN(last.value) || last.at.Before(w.End.Add(-edge)) {
				t.Errorf("%s of %s is not marked as gone after %s", f.Name, key, last.at)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s (-experiment +recorded):\n%s", f.Name, diff)
		}
	}
}

type sample struct {
	at    time.Time
	value float64
}

type series struct {
	labels labels.Labels
	points []sample // at least one
}

// samples reads the series of a metric with the given labels.
func samples(t *testing.T, q storage.Querier, name string, with ...string) (out []series) {
	t.Helper()
	matchers := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", name)}
	for i := 0; i < len(with); i += 2 {
		matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, with[i], with[i+1]))
	}
	set := q.Select(t.Context(), true, nil, matchers...)
	for set.Next() {
		s := series{labels: set.At().Labels()}
		it := set.At().Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			s.points = append(s.points, sample{time.UnixMilli(at), v})
		}
		if it.Err() != nil || len(s.points) == 0 {
			t.Fatalf("%s: %d samples, %v", s.labels, len(s.points), it.Err())
		}
		out = append(out, s)
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
