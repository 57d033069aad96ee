package logs

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// pollInterval is how often logs are read between scrapes: a writer's burst and
// the loss by a truncation are bounded by it.
const pollInterval = 250 * time.Millisecond

// logReader follows the logs of one collector, between scrapes and once more in
// each of them, one reader at a time.
type logReader struct {
	busy   chan struct{} // holds a token while somebody reads; guards tail and what its lines change
	tail   tail
	closed bool
}

// newLogReader checks the patterns, which flag gave. The first reading decides
// which files were there at the start.
func newLogReader(flag, what string, patterns []string, line func(pattern int, line []byte)) (logReader, error) {
	if len(patterns) == 0 {
		return logReader{}, fmt.Errorf("no %s to follow: give %s", what, flag)
	}
	for _, pattern := range patterns {
		if _, err := filepath.Match(pattern, ""); err != nil || pattern == "" {
			return logReader{}, fmt.Errorf("%s=%s is no path or glob", flag, pattern)
		}
	}
	return logReader{
		busy: make(chan struct{}, 1),
		tail: tail{flag: flag, what: what, patterns: patterns, line: line, now: time.Now},
	}, nil
}

// run reads the logs between scrapes until ctx ends, then closes them.
func (r *logReader) run(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.busy <- struct{}{}
			defer func() { <-r.busy }()
			r.tail.close()
			r.closed = true
			return
		case r.busy <- struct{}{}:
			round, cancel := context.WithTimeout(ctx, pollInterval) // a scrape may be waiting
			_ = r.tail.round(round)                                 // the next scrape meets the same error and reports it
			cancel()
			<-r.busy
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// collect reads what was written before the scrape and returns what metrics
// makes of it. That is true beside an error as well: a file that cannot be read
// takes nothing back from what has been counted.
func (r *logReader) collect(ctx context.Context, metrics func() []prometheus.Metric) ([]prometheus.Metric, error) {
	select {
	case r.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, &collector.Failure{Class: collector.Timeout, Err: fmt.Errorf("wait for the reader of the %s: %w", r.tail.what, ctx.Err())}
	}
	defer func() { <-r.busy }()
	var err error
	if !r.closed {
		read, cancel := collector.WithMargin(ctx)
		defer cancel()
		err = r.tail.round(read)
	}
	return metrics(), err
}
