package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// BenchmarkCompare18 is a whole comparison from a Prometheus server: 18 windows
// of 15 minutes with a scrape every 5 s, written in every format and with all plots as SVG and PNG.
func BenchmarkCompare18(b *testing.B) {
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	series, err := sourcetest.Parse(sourcetest.Study(start, 18*20*12+240))
	if err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "environment: {apim: {vcpus: 4}, database: {vcpus: 8}, users: 100}\nsource: {prometheus: {url: %q}}\nwindows:\n", sourcetest.Prometheus(b, series))
	for i := range 18 {
		from := start.Add(time.Duration(i) * 20 * time.Minute)
		fmt.Fprintf(&text, "  - {grant: %s, persistence: %s, block: %d, start: %s, end: %s}\n", []string{"client_credentials", "password", "refresh_token"}[i/6],
			[]string{"on", "off"}[i%2], i%6/2+1, from.Format(time.RFC3339), from.Add(15*time.Minute).Format(time.RFC3339))
	}
	dir := b.TempDir()
	path := filepath.Join(dir, "e.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var stdout, stderr strings.Builder
		if code := run(b.Context(), []string{"compare", path, "--format", strings.Join(report.Formats(), ","), "--plots", strings.Join(report.PictureFormats(), ","), "--output", dir}, &stdout, &stderr); code != 11 {
			b.Fatalf("exit status %d\n%s%s", code, stdout.String(), stderr.String())
		}
	}
}
