package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// queryTimeout bounds one query, so that a server that never answers ends the
// run with a message.
const queryTimeout = time.Minute

// readPrometheus answers the profile's queries over the HTTP API that
// Prometheus, Thanos, Mimir and VictoriaMetrics share.
func readPrometheus(ctx context.Context, spec Spec, d Dataset) (Dataset, error) {
	db, done, err := dial(ctx, spec)
	if err != nil {
		return d, err
	}
	defer done()
	return readSeries(ctx, spec, d, db)
}

// dial sets up the client of a spec. What it returns beside it closes its
// connections.
func dial(ctx context.Context, spec Spec) (online, func(), error) {
	rt, err := config.NewRoundTripperFromConfigWithContext(ctx, spec.HTTP, "analyze", config.WithUserAgent("token-persistence-analyze"))
	if err != nil {
		return online{}, nil, fmt.Errorf("set up the HTTP client for %s: %w", spec.URL, err)
	}
	web := &http.Client{Transport: rt, CheckRedirect: redirects(spec.HTTP.FollowRedirects)}
	client, err := api.NewClient(api.Config{Address: spec.URL, Client: web})
	if err != nil {
		return online{}, nil, &SpecError{fmt.Sprintf("source url %q: %v", spec.URL, err)}
	}
	return online{v1.NewAPI(client)}, web.CloseIdleConnections, nil
}

// redirects is the policy for them. What keeps the query is followed; a 301 or
// 302 turns the POST into a GET without it, which the server would take for an
// empty query. Another host is not followed: it would be sent the credentials.
func redirects(follow bool) func(next *http.Request, via []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		const most = 5
		first := via[0]
		switch {
		case len(via) > most:
			return &redirectError{next.URL.Redacted(), "redirects more than 5 times"}
		case next.URL.Host != first.URL.Host:
			return &redirectError{next.URL.Redacted(), "redirects to another host"}
		case next.Method != first.Method, !follow:
			return &redirectError{next.URL.Redacted(), "redirects"}
		}
		return nil
	}
}

// redirectError is a redirect that is not followed.
type redirectError struct{ to, what string }

// Error says where the server wants to be asked.
func (e *redirectError) Error() string {
	return fmt.Sprintf("the server %s, to %s: give the URL that answers as source.prometheus.url", e.what, e.to)
}

// online is the query side of the HTTP API.
type online struct {
	api interface {
		Query(ctx context.Context, query string, ts time.Time, opts ...v1.Option) (model.Value, v1.Warnings, v1.Infos, error)
		QueryRange(ctx context.Context, query string, r v1.Range, opts ...v1.Option) (model.Value, v1.Warnings, v1.Infos, error)
	}
}

// fetch asks for raw samples by a range selector in an instant query: what
// query_range returns is interpolated to its step.
func (o online) fetch(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	return halved(from, to, time.Millisecond, func(from, to time.Time) ([]rawSeries, []string, error) {
		return o.samples(ctx, query, from, to)
	})
}

// samples is one query. The range is 1 ms longer than asked because Prometheus 3
// leaves its left edge out and Prometheus 2 does not; what is too early is
// dropped here.
func (o online) samples(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	ranged := fmt.Sprintf("%s[%dms]", query, to.Sub(from).Milliseconds()+1)
	var result model.Value
	var notes v1.Warnings
	err := patiently(ctx, func() (err error) {
		result, notes, _, err = o.api.Query(ctx, ranged, to)
		return err
	})
	if err != nil {
		return nil, nil, queryError(ranged, to, err)
	}
	found, err := matrix(ranged, result, from, to)
	return found, notes, err
}

// evaluate asks the server to compute an expression.
func (o online) evaluate(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]rawSeries, []string, error) {
	return halved(from, to, step, func(from, to time.Time) ([]rawSeries, []string, error) {
		ctx, cancel := context.WithTimeout(ctx, queryTimeout)
		defer cancel()
		var result model.Value
		var notes v1.Warnings
		err := patiently(ctx, func() (err error) {
			result, notes, _, err = o.api.QueryRange(ctx, expr, v1.Range{Start: from, End: to, Step: step})
			return err
		})
		if err != nil {
			return nil, nil, queryError(expr, to, err)
		}
		found, err := matrix(expr, result, from, to)
		return found, notes, err
	})
}

// matrix takes the series out of an answer.
func matrix(query string, result model.Value, from, to time.Time) ([]rawSeries, error) {
	streams, ok := result.(model.Matrix)
	if !ok {
		kind := "nothing"
		if result != nil {
			kind = "a " + result.Type().String()
		}
		return nil, fmt.Errorf("query %s: the server answered with %s instead of a matrix", query, kind)
	}
	var out []rawSeries
	for _, stream := range streams {
		if stream == nil {
			continue
		}
		s := rawSeries{labels: map[string]string{}}
		for name, value := range stream.Metric {
			s.labels[string(name)] = string(value)
		}
		for _, p := range stream.Values {
			if t := int64(p.Timestamp); t >= from.UnixMilli() && t <= to.UnixMilli() {
				s.samples = append(s.samples, sample{t, float64(p.Value)})
			}
		}
		if !rising(s.samples) {
			return nil, fmt.Errorf("query %s: the samples of {%s} are not in the order of their times", query, labelText(s.labels))
		}
		if s.samples = usable(s.samples); len(s.samples) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// queryError names the query and what to look at.
func queryError(query string, at time.Time, err error) error {
	hint := ""
	if e, ok := errors.AsType[*v1.Error](err); ok {
		switch {
		case strings.Contains(e.Msg, "401"), strings.Contains(e.Msg, "403"):
			hint = " (set authorization, basic_auth or tls_config under source.prometheus.http, or in the file of --prometheus.http-config)"
		case e.Type == v1.ErrBadResponse, e.Type == v1.ErrServer, e.Type == v1.ErrClient:
			hint = " (is source.prometheus.url or --prometheus.url the root of a Prometheus API?)"
		}
	}
	if strings.Contains(err.Error(), "x509: ") || strings.Contains(err.Error(), "HTTP response to HTTPS client") {
		hint = " (see tls_config under source.prometheus.http, or in the file of --prometheus.http-config, and the scheme of source.prometheus.url)"
	}
	return fmt.Errorf("query %s at %s: %w%s", query, at.UTC().Format(time.RFC3339), err, hint)
}
