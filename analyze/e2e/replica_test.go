package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// hole is a time in which a replica scraped nothing.
type hole struct{ from, to time.Time }

// replica writes the study's samples as another Prometheus would have them: each
// later by shift, and none within the hole.
func replica(t *testing.T, shift time.Duration, missing hole) (data string) {
	t.Helper()
	all := recorded(t)
	for i := range all {
		var kept []sourcetest.Sample
		for _, p := range all[i].Samples {
			p.T += shift.Milliseconds()
			if p.T < missing.from.UnixMilli() || p.T > missing.to.UnixMilli() {
				kept = append(kept, p)
			}
		}
		all[i].Samples = kept
	}
	data = filepath.Join(t.TempDir(), "data")
	if err := sourcetest.Write(data, all, true); err != nil {
		t.Fatal(err)
	}
	return data
}

// testReplicas reads two replicas that scrape at different times, each with a hole
// of five minutes where the other has none. Increments and means are those of
// other scrapes, so they are near the study's and not the same. Thanos may take a
// gauge from one replica and the times of its datapoints from the other: such a
// window has no figure, and the report says so.
func testReplicas(t *testing.T, a analyze) {
	start := time.Date(2026, 11, 23, 6, 10, 0, 0, time.UTC)
	one := hole{start, start.Add(5 * time.Minute)}
	other := hole{start.Add(20 * time.Minute), start.Add(25 * time.Minute)}
	store := newThanos(t, replica(t, 0, one), replica(t, 370*time.Millisecond, other))
	out, said, code := a.run(t, "compare", a.experiment(t, store.url, ""), "--format", "json", "--fail-on", "nodata")
	if code != 0 {
		t.Fatalf("compare: status %d\n%s", code, said)
	}
	if strings.Contains(out, "paired t on log ratios, 7 pairs") != strings.Contains(out, `"no samples of `) {
		t.Errorf("a window was lost, and the report does not say so: %s", out)
	}
	want, got := comparisons(t, []byte(published(t, "report.json"))), comparisons(t, []byte(out))
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(near, 0)); diff != "" {
		t.Errorf("on and off (-published +replicas)\n%s", diff)
	}
}

// near is how far a figure may be off when the scrapes are others.
const near = 0.05

// comparisons are the estimates of both modes by grant and metric.
func comparisons(t *testing.T, report []byte) map[string][2]float64 {
	t.Helper()
	type side struct{ Estimate float64 }
	var r struct {
		Comparisons []struct {
			Grant, Metric string
			On, Off       side
		}
	}
	if err := json.Unmarshal(report, &r); err != nil {
		t.Fatal(err)
	}
	out := map[string][2]float64{}
	for _, c := range r.Comparisons {
		out[c.Grant+" "+c.Metric] = [2]float64{c.On.Estimate, c.Off.Estimate}
	}
	if len(out) == 0 {
		t.Fatalf("no comparisons in %.200s", report)
	}
	return out
}
