package source

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/api"
)

// queryTimeout bounds one query, so that a server that never answers ends the
// run with a message.
const queryTimeout = time.Minute

// waits are the pauses before a busy server is asked again, unless it asks for
// longer ones.
var waits = []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second}

// longestWait is the longest pause that a server may ask for.
const longestWait = 2 * time.Minute

// patient is the client of a server that may be busy: it adds the parameters of
// its flavour to every query, bounds each attempt and asks again after 429, 502
// and 503.
type patient struct {
	api.Client
	params url.Values
	pause  func(context.Context, time.Duration) error
}

// Do sends a query until there is an answer that another attempt would not
// change.
func (p patient) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	for attempt := 0; ; attempt++ {
		resp, body, err := p.once(ctx, req)
		if err != nil || !busy(resp, body) || attempt == len(waits) {
			return resp, partialNoted(resp, body), err
		}
		wait := max(waits[attempt], retryAfter(resp.Header, time.Now()))
		if wait > longestWait {
			return resp, body, &busyError{resp.StatusCode, wait}
		}
		if err := p.pause(ctx, wait); err != nil {
			return resp, body, err
		}
	}
}

// once sends a query once.
func (p patient) once(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	req = req.Clone(ctx)
	if req.GetBody != nil {
		var err error
		if req.Body, err = req.GetBody(); err != nil {
			return nil, nil, err
		}
	}
	if len(p.params) > 0 {
		all := req.URL.Query()
		maps.Copy(all, p.params)
		req.URL.RawQuery = all.Encode()
	}
	return p.Client.Do(ctx, req)
}

// sleepFor waits, and tells tell about pauses that somebody would notice.
func sleepFor(tell func(time.Duration)) func(context.Context, time.Duration) error {
	return func(ctx context.Context, wait time.Duration) error {
		if tell != nil && wait >= time.Second {
			tell(wait)
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// busyError is a server that does not want to be asked for longer than we wait.
type busyError struct {
	status int
	wait   time.Duration
}

// Error says when to come back.
func (e *busyError) Error() string {
	return fmt.Sprintf("the server is busy (status %d) and asks to wait %s: run the command again after that; with --prometheus.cache DIR it goes on where it was", e.status, e.wait.Round(time.Second))
}

// timeoutAnswer is how Prometheus says, with status 503, that a query took too
// long: asked again it would take as long.
var timeoutAnswer = regexp.MustCompile(`"errorType"\s*:\s*"timeout"`)

// busy says whether an answer asks for patience: a limit on requests, or a proxy
// in front of a server that restarts.
func busy(resp *http.Response, body []byte) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway:
		return true
	case http.StatusServiceUnavailable:
		return !timeoutAnswer.Match(body)
	}
	return false
}

// retryAfter is the pause that a server asks for in seconds or as a date, 0 when
// it asks for none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// partialAnswer is how a cluster of VictoriaMetrics says that an answer lacks
// the data of some of its nodes. Quotes in labels are escaped, so only a key of
// the answer looks like this.
var partialAnswer = regexp.MustCompile(`"isPartial"\s*:\s*true`)

// partialNoted says in the words of the Prometheus API what VictoriaMetrics says
// in its own, which the client library does not know.
func partialNoted(resp *http.Response, body []byte) []byte {
	if resp == nil || resp.StatusCode/100 != 2 || !partialAnswer.Match(body) {
		return body
	}
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(body), []byte("{"))
	if !ok {
		return body
	}
	return append([]byte(`{"warnings":["the answer is marked isPartial: some storage nodes did not reply"],`), rest...)
}
