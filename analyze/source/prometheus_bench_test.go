package source

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// BenchmarkPrometheus18 reads a whole study over HTTP: 18 windows of 15 minutes
// with a scrape every 5 s, all series of the exporter's profile; from the engine
// in this process, and from a Prometheus server where one is installed.
func BenchmarkPrometheus18(b *testing.B) {
	spec := recordedSpec()
	spec.Matchers = nil
	start := spec.Windows[0].Start
	spec.Windows = nil
	for i := range 18 {
		from := start.Add(time.Duration(i) * 20 * time.Minute)
		spec.Windows = append(spec.Windows, Window{Grant: "password", Mode: []Mode{On, Off}[i%2], Block: i/2 + 1, Start: from, End: from.Add(15 * time.Minute)})
	}
	series, err := sourcetest.Parse(sourcetest.Study(start, 18*20*12+240))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("engine", func(b *testing.B) {
		s, err := sourcetest.NewServer(b.TempDir(), series)
		if err != nil {
			b.Fatal(err)
		}
		server := httptest.NewServer(s)
		defer func() {
			server.Close()
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		}()
		readStudy(b, spec, server.URL)
	})
	b.Run("server", func(b *testing.B) { readStudy(b, spec, sourcetest.Prometheus(b, series)) })
}

func readStudy(b *testing.B, spec Spec, url string) {
	spec.Kind, spec.URL = "prometheus", url
	samples := 0
	for b.Loop() {
		d, err := Read(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		samples = 0
		for _, in := range d.Inputs {
			samples += in.Count
		}
		for _, run := range d.Runs {
			if len(run.Series) != len(seriesNames) {
				b.Fatalf("%d series, want %d: %+v", len(run.Series), len(seriesNames), d.Problems)
			}
		}
	}
	b.ReportMetric(float64(samples), "samples")
	b.ReportMetric(float64(samples)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}
