package main

import (
	"net/http"
	"strconv"
	"time"
)

const (
	// timeoutHeader is how Prometheus says when it will hang up, in seconds.
	timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

	defaultTimeout = 10 * time.Second // Prometheus' own default
	longestTimeout = 2 * time.Minute
	timeoutOffset  = 250 * time.Millisecond // kept for rendering and the way back
)

// budget returns how long the collectors may take for a request. Without a
// header, or with one that makes no sense, it is bounded all the same.
func budget(header http.Header) time.Duration {
	timeout := defaultTimeout
	// NaN compares false with everything.
	if s, err := strconv.ParseFloat(header.Get(timeoutHeader), 64); err == nil && s > 0 {
		timeout = time.Duration(min(s, longestTimeout.Seconds()) * float64(time.Second))
	}
	return timeout - min(timeoutOffset, timeout/4)
}
