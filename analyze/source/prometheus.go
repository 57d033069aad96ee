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

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// readPrometheus answers the profile's queries over the HTTP API that
// Prometheus, Thanos, Mimir and VictoriaMetrics share.
func readPrometheus(ctx context.Context, spec Spec, d Dataset) (Dataset, error) {
	db, done, err := dial(ctx, spec)
	if err != nil {
		return d, err
	}
	defer done()
	d, err = readSeries(ctx, spec, d, db)
	if _, wrong := errors.AsType[*SpecError](err); err != nil && !wrong && spec.Cache != "" {
		return d, fmt.Errorf("%w (what was read is kept in %s: the same command goes on from there)", err, spec.Cache)
	}
	return d, err
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
	name := spec.Flavor
	if name == "" || name == autoFlavor {
		name = detect(ctx, client)
	}
	if _, ok := flavors[name]; !ok {
		return online{}, nil, &SpecError{fmt.Sprintf("flavour %q of the server is unknown: %s", name, nearest.Hint(name, Flavors()))}
	}
	params := spec.queryParams(name)
	kept, err := newCache(spec, params)
	if err != nil {
		return online{}, nil, err
	}
	patience := patient{Client: client, params: params, pause: spec.pause}
	if patience.pause == nil {
		patience.pause = sleepFor(spec.Pausing)
	}
	db := newOnline(patience, kept)
	if name == "thanos" {
		if db.roll, err = newRoll(client, params); err != nil {
			return online{}, nil, err
		}
	}
	return db, web.CloseIdleConnections, nil
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
	lengths *lengths
	cache   *cache
	roll    *roll // of Thanos
}

func newOnline(client api.Client, kept *cache) online {
	return online{api: v1.NewAPI(client), lengths: &lengths{refused: map[string]time.Duration{}}, cache: kept}
}

// fetch asks for raw samples by a range selector in an instant query: what
// query_range returns is interpolated to its step.
func (o online) fetch(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	h := halves{query, time.Millisecond, o.lengths, func(ctx context.Context, from, to time.Time) ([]rawSeries, []string, error) {
		return o.kept(ctx, question{query, from, to, 0}, func() ([]rawSeries, []string, error) { return o.samples(ctx, query, from, to) })
	}}
	return h.read(ctx, from, to, 0)
}

// kept returns the answer that the cache holds, or asks for it and keeps it.
func (o online) kept(ctx context.Context, q question, ask func() ([]rawSeries, []string, error)) ([]rawSeries, []string, error) {
	if found, notes, ok := o.cache.get(q); ok {
		return found, notes, nil
	}
	found, notes, err := ask()
	if err == nil {
		if lost := o.roll.lost(ctx, q.query); lost != "" {
			notes = append(notes, lost)
		}
		err = o.cache.put(q, found, notes)
	}
	return found, notes, err
}

// samples is one query. The range is 1 ms longer than asked because Prometheus 3
// leaves its left edge out and Prometheus 2 does not; what is too early is
// dropped here.
func (o online) samples(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	ranged := fmt.Sprintf("%s[%dms]", query, to.Sub(from).Milliseconds()+1)
	result, notes, _, err := o.api.Query(ctx, ranged, to)
	if err != nil {
		return nil, nil, queryError(ranged, to, err)
	}
	found, err := matrix(ranged, result, from, to)
	return found, notes, err
}

// evaluate asks the server to compute an expression.
func (o online) evaluate(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]rawSeries, []string, error) {
	h := halves{expr, step, o.lengths, func(ctx context.Context, from, to time.Time) ([]rawSeries, []string, error) {
		return o.kept(ctx, question{expr, from, to, step}, func() ([]rawSeries, []string, error) { return o.values(ctx, expr, from, to, step) })
	}}
	return h.read(ctx, from, to, 0)
}

// values is one range query. Its values have to lie where they were asked for:
// a server that moves them gives the mean of another time.
func (o online) values(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]rawSeries, []string, error) {
	result, notes, _, err := o.api.QueryRange(ctx, expr, v1.Range{Start: from, End: to, Step: step})
	if err != nil {
		return nil, nil, queryError(expr, to, err)
	}
	if streams, ok := result.(model.Matrix); ok {
		if at, moved := offGrid(streams, from, step); moved {
			return nil, nil, fmt.Errorf("query %s: the server moved the times of its answer: a value for %s, asked from %s every %s (VictoriaMetrics does so without --prometheus.flavor victoriametrics, Mimir with align_queries_with_step)",
				expr, at.Format(time.RFC3339Nano), from.UTC().Format(time.RFC3339Nano), step)
		}
	}
	found, err := matrix(expr, result, from, to)
	return found, notes, err
}

// offGrid finds a value that does not lie on the grid of a range query, to the
// millisecond to which servers round.
func offGrid(streams model.Matrix, from time.Time, step time.Duration) (at time.Time, moved bool) {
	every := max(1, step.Milliseconds())
	for _, stream := range streams {
		if stream == nil {
			continue
		}
		for _, p := range stream.Values {
			off := (int64(p.Timestamp) - from.UnixMilli()) % every
			if off < 0 {
				off += every
			}
			if off > 1 && off < every-1 {
				return p.Timestamp.Time().UTC(), true
			}
		}
	}
	return at, false
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
	if e, ok := errors.AsType[*redirectError](err); ok {
		err = e // net/http repeats the whole address, with a password that the server may have put into it
	}
	if e, ok := errors.AsType[*v1.Error](err); ok {
		switch {
		case strings.Contains(e.Msg+e.Detail, "no org id"):
			hint = " (name the tenant: --prometheus.header X-Scope-OrgID=TENANT, or http_headers under source.prometheus.http)"
		case strings.Contains(e.Msg, "code = Unavailable"), strings.Contains(e.Msg, "vmstorage nodes"):
			hint = " (a part of the store does not reply: wait for it, ask only the parts that matter by --prometheus.param, or go on without such series by --prometheus.allow-partial)"
		case stillBusy(e):
			hint = fmt.Sprintf(" (asked %d times: the server, or a proxy in front of it, has no room; try again later)", len(waits)+1)
		case strings.Contains(e.Msg, "401"), strings.Contains(e.Msg, "403"):
			hint = " (set authorization, basic_auth or tls_config under source.prometheus.http, or in the file of --prometheus.http-config)"
		case e.Type == v1.ErrBadResponse, e.Type == v1.ErrServer, e.Type == v1.ErrClient:
			hint = " (is source.prometheus.url or --prometheus.url the root of a Prometheus API?)"
		}
	}
	if tooSlow(err) {
		hint = " (its half and parts of that took too long as well, or it is one that cannot be halved: a store behind the server may not answer)"
	}
	if strings.Contains(err.Error(), "x509: ") || strings.Contains(err.Error(), "HTTP response to HTTPS client") {
		hint = " (see tls_config under source.prometheus.http, or in the file of --prometheus.http-config, and the scheme of source.prometheus.url)"
	}
	return fmt.Errorf("query %s at %s: %w%s", query, at.UTC().Format(time.RFC3339), err, hint)
}

// stillBusy says whether patience did not help.
func stillBusy(e *v1.Error) bool {
	return strings.HasSuffix(e.Msg, ": 429") || strings.HasSuffix(e.Msg, ": 502") || strings.HasSuffix(e.Msg, ": 503") && !timeoutAnswer.MatchString(e.Detail)
}
