package source

import (
	"testing"
	"time"
)

// TestPushdownIsNotExact holds what a server computes over a window against the
// raw samples: this is why increments are computed here, see
// docs/decisions/0021-raw-samples.md. It fails if increase becomes exact.
func TestPushdownIsNotExact(t *testing.T) {
	const counter = `requests_total`
	for _, c := range []struct {
		name, samples string
		raw, pushed   float64 // tokens between the first and the last scrape, and by increase
	}{
		{"steady, scraped off the edges", "_ 100+50x10 _", 500, 600},
		{"a restart", "100 150 200 0 50 100 150 200 250 300 350 _", 450, 466.6666666666667},
		{"begun in the window", "_x6 500 550 600 650 700 _", 200, 250},
	} {
		spec := recordedSpec()
		spec.Matchers, spec.Windows[0].End = nil, spec.Windows[0].Start.Add(time.Minute)
		spec.Kind, spec.URL = "prometheus", serve(t, parse(t, "start 2026-07-01T10:00:00Z step 5s\n"+counter+`{instance="a"} `+c.samples))
		spec.Queries = map[string]string{EndpointRequests: counter, DatabaseIOPS: `increase(` + counter + `[1m])`}
		spec.Step = time.Minute
		d, err := Read(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for _, in := range d.Runs[0].Series[EndpointRequests].Intervals {
			total += in.Increase
		}
		points := d.Runs[0].Series[DatabaseIOPS].Points
		if len(points) == 0 {
			t.Fatalf("%s: %+v", c.name, d.Problems)
		}
		if pushed := points[0].Value; total != c.raw || pushed != c.pushed {
			t.Errorf("%s: %v from raw samples and %v from increase, want %v and %v", c.name, total, pushed, c.raw, c.pushed)
		}
	}
}
