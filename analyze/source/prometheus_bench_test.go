package source

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

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

// BenchmarkRange reads one window of 1, 6, 24 and 168 hours with a scrape every
// 15 s, as analyze windows and estimate do: from Prometheus' engine in this
// process behind the front of each kind of store, once without a limit, once with
// one of an hour for each query, and once from the folder of kept answers.
func BenchmarkRange(b *testing.B) {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	series, err := sourcetest.Parse(strings.ReplaceAll(sourcetest.Study(start, 168*240+40), "step 5s", "step 15s"))
	if err != nil {
		b.Fatal(err)
	}
	behind, err := sourcetest.NewServer(b.TempDir(), series)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := behind.Close(); err != nil {
			b.Error(err)
		}
	}()
	for _, hours := range []int{1, 6, 24, 168} {
		for _, way := range []string{"prometheus", "thanos", "victoriametrics", "mimir", "mimir longest=1h"} {
			words := strings.Fields(way)
			f, err := sourcetest.NewFront(behind, words[0], words[1:]...)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%dh/%s", hours, strings.ReplaceAll(way, " ", "/")), func(b *testing.B) { readRange(b, f, start, hours, false) })
			if way == "prometheus" {
				b.Run(fmt.Sprintf("%dh/kept", hours), func(b *testing.B) { readRange(b, f, start, hours, true) })
			}
		}
	}
}

// readRange reports what one reading takes: samples, queries, and bytes of the
// folder.
func readRange(b *testing.B, f *sourcetest.Front, start time.Time, hours int, kept bool) {
	server := httptest.NewServer(f)
	defer server.Close()
	spec := recordedSpec()
	spec.Matchers, spec.Kind, spec.URL = nil, "prometheus", server.URL
	spec.Windows = []Window{{Grant: "password", Mode: On, Start: start, End: start.Add(time.Duration(hours) * time.Hour)}}
	spec.HTTP.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{"X-Scope-OrgID": {Values: []string{"bench"}}}}
	if kept {
		spec.Cache = b.TempDir()
		if _, err := Read(b.Context(), spec); err != nil {
			b.Fatal(err)
		}
	}
	before, samples := f.Queries.Load(), 0
	for b.Loop() {
		d, err := Read(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		samples = 0
		for _, in := range d.Inputs {
			samples += in.Count
		}
	}
	b.ReportMetric(float64(samples), "samples")
	b.ReportMetric(float64(f.Queries.Load()-before)/float64(b.N), "queries")
	if files, err := filepath.Glob(filepath.Join(spec.Cache, "*.gz")); err == nil && kept {
		size := int64(0)
		for _, name := range files {
			if info, err := os.Stat(name); err == nil {
				size += info.Size()
			}
		}
		b.ReportMetric(float64(size), "kept-B")
	}
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
