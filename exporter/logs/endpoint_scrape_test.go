package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

func TestScrapeEndsWithItsDeadline(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path)
	scrape(t, c)
	log.token(10)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	metrics, err := c.Collect(ctx)
	if collector.ClassOf(err) != collector.Timeout {
		t.Errorf("class %s of %v", collector.ClassOf(err), err)
	}
	if metrics != nil && collectortest.Values(t, metrics)["wso2_token_endpoint_log_lines_total"] != 0 {
		t.Error("lines were read after the deadline")
	}
	if got, want := scrape(t, c), (tally{10, 10, 0, 0, 1}); got != want {
		t.Errorf("the next scrape: %+v, want %+v", got, want)
	}
}

// TestScrapesSeeEverythingWritten writes, rotates and scrapes at once: a scrape
// that starts after a write must have it, and nothing is lost or counted twice.
func TestScrapesSeeEverythingWritten(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path+"*")
	scrape(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		work.Go(func() {
			var last float64
			for ctx.Err() == nil {
				metrics, err := c.Collect(ctx)
				if err != nil && !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "no file matches") {
					t.Error(err)
				}
				if metrics == nil {
					continue
				}
				n := collectortest.Values(t, metrics)["wso2_token_endpoint_log_lines_total"]
				if n < last {
					t.Errorf("the counter fell from %v to %v", last, n)
				}
				last = n
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	written := 0
	for i := range 200 {
		n := random.IntN(300)
		log.token(n)
		written += n
		if got := scrape(t, c); int(got.Tokens) != written || got.Unparsed != 0 {
			t.Fatalf("after %d lines a scrape shows %+v", written, got)
		}
		if i%10 == 9 {
			log.rename(fmt.Sprintf("%s.%d", log.path, i))
			log.token(1)
			written++
			log.open()
		}
	}
	last := scrape(t, c)
	cancel()
	work.Wait()
	if c.tail.files[0].file != nil {
		t.Error("Run left a file open")
	}
	if int(last.Tokens) != written {
		t.Errorf("%d lines were written, the last scrape shows %+v", written, last)
	}
	if got := scrape(t, c); got.Tokens != last.Tokens {
		t.Errorf("a scrape after the end shows %+v, before it %+v", got, last)
	}
}

func TestRunReadsBetweenScrapes(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	synctest.Test(t, func(t *testing.T) {
		c := newEndpoint(t, log.path)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = c.Run(ctx) }()
		synctest.Wait()
		log.token(4)
		time.Sleep(pollInterval + time.Millisecond)
		synctest.Wait()
		if c.counts.lines != 4 {
			t.Errorf("%d lines after a poll interval, want 4", c.counts.lines)
		}
		cancel()
		synctest.Wait()
	})
}

func TestOldLogsAreNotKeptOpen(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-keepOpen - time.Hour)
	for i := range 50 {
		log := newAccessLog(t, filepath.Join(dir, fmt.Sprintf("http_access_%02d.log", i)))
		log.token(1)
		if err := os.Chtimes(log.path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	today := newAccessLog(t, filepath.Join(dir, "http_access_99.log"))
	c := newEndpoint(t, filepath.Join(dir, "http_access_*.log"))
	if got, want := scrape(t, c), (tally{Files: 51}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	open := 0
	for _, f := range c.tail.files {
		if f.file != nil {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d files are open, want today's alone", open)
	}
	today.token(1)
	newAccessLog(t, filepath.Join(dir, "http_access_07.log")).token(2) // one comes back to life
	if got, want := scrape(t, c), (tally{3, 3, 0, 0, 51}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestDurations(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path)
	scrape(t, c)
	for _, ms := range []string{"5", "6", "1000", "45000", "-"} {
		log.write(`h - - [01/Jul/2026:10:00:00 +0000] "POST /oauth2/token HTTP/1.1" 200 1 ` + ms + "\n")
	}
	text, err := collectortest.Exposition(t, c)
	if err != nil {
		t.Fatal(err)
	}
	want := `wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="0.005"} 1
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="0.01"} 2
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="0.025"} 2
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="0.05"} 2
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="0.1"} 2
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="0.25"} 2
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="0.5"} 2
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="1"} 3
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="2.5"} 3
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="5"} 3
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="10"} 3
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="30"} 3
wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token",le="+Inf"} 4
wso2_token_endpoint_request_duration_seconds_sum{endpoint="token"} 46.011
wso2_token_endpoint_request_duration_seconds_count{endpoint="token"} 4
`
	if diff := cmp.Diff(want, collectortest.Only(text, `wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token"`,
		`wso2_token_endpoint_request_duration_seconds_sum{endpoint="token"`, `wso2_token_endpoint_request_duration_seconds_count{endpoint="token"`)); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{
		`wso2_token_endpoint_requests_total{code="2xx",endpoint="token",method="POST"} 5`,
		`wso2_token_endpoint_requests_total{code="3xx",endpoint="authorize",method="GET"} 0`,
		`wso2_token_endpoint_last_request_timestamp_seconds 1.7829e+09`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	collectortest.Lint(t, c)
}

func TestNoHistogramWithoutDurations(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c, err := NewEndpoint(EndpointConfig{AccessLogs: []string{log.path}, LogPattern: "combined"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.tail.close)
	text, err := collectortest.Exposition(t, c)
	if err != nil || strings.Contains(text, "duration") {
		t.Errorf("error %v and a histogram:\n%s", err, text)
	}
}

// TestNothingOfALineIsShown puts a secret wherever a client can write.
func TestNothingOfALineIsShown(t *testing.T) {
	const canary = "canary5ecret"
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c, err := NewEndpoint(EndpointConfig{AccessLogs: []string{log.path}, LogPattern: "combined"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.tail.close)
	scrape(t, c)
	log.write(strings.ReplaceAll(`X X X [01/Jul/2026:10:00:00 +0000] "X /t/X/oauth2/token?token=X X" 200 1 "X" "X"
X
X - - [01/Jul/2026:10:00:00 +0000] "POST /oauth2/X HTTP/1.1" X 1 "X" "X"
`, "X", canary))
	text, err := collectortest.Exposition(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, canary) {
		t.Errorf("a line's text is in the metrics:\n%s", text)
	}
	if !strings.Contains(text, `{code="2xx",endpoint="token",method="other"} 1`) || !strings.Contains(text, "unparsed_total 2\n") {
		t.Errorf("the lines were not read:\n%s", text)
	}
}

func TestEndpointConfig(t *testing.T) {
	for _, paths := range [][]string{nil, {""}, {"a", "[x"}} {
		if _, err := NewEndpoint(EndpointConfig{AccessLogs: paths, LogPattern: "common"}); err == nil || !strings.Contains(err.Error(), "--collector.endpoint.access-log") {
			t.Errorf("%q: error %v does not name the flag", paths, err)
		}
	}
}

// BenchmarkTail prints how many lines per second a scrape catches up with, from
// the file to the counters, and how many times faster that is than the usual way
// over the same file: a bufio.Scanner and one regular expression.
func BenchmarkTail(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.log")
	var text strings.Builder
	const lines = 100_000
	for i := range lines {
		text.WriteString(logLine(i) + "\n")
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	usual := scanByRegexp(b, path, lines)
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		c, err := NewEndpoint(EndpointConfig{AccessLogs: []string{path}, LogPattern: namedPatterns["combined"] + " %D"})
		if err != nil {
			b.Fatal(err)
		}
		c.tail.scanned = true // read it whole
		if _, err := c.Collect(b.Context()); err != nil {
			b.Fatal(err)
		}
		if c.counts.lines != lines || c.counts.unparsed != 0 {
			b.Fatalf("%d lines, %d unparsed", c.counts.lines, c.counts.unparsed)
		}
		c.tail.close()
	}
	rate := float64(b.N) * lines / b.Elapsed().Seconds()
	b.ReportMetric(rate, "lines/s")
	b.ReportMetric(rate/usual, "x-scanner-regexp")
}

// scanByRegexp returns the lines per second of the usual way.
func scanByRegexp(b *testing.B, path string, lines int) float64 {
	b.Helper()
	began := time.Now()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }() // read only
	counts, n := map[string]int{}, 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		p, ok := parseByRegexp(s.Text())
		if !ok {
			b.Fatalf("not parsed: %s", s.Text())
		}
		counts[p.Endpoint+p.Method+p.Code]++
	}
	if n != lines {
		b.Fatalf("%d lines", n)
	}
	return float64(n) / time.Since(began).Seconds()
}
