package source

import (
	"context"
	"errors"
	"fmt"
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
	rt, err := config.NewRoundTripperFromConfigWithContext(ctx, spec.HTTP, "analyze", config.WithUserAgent("token-persistence-analyze"))
	if err != nil {
		return d, fmt.Errorf("set up the HTTP client for %s: %w", spec.URL, err)
	}
	client, err := api.NewClient(api.Config{Address: spec.URL, RoundTripper: rt})
	if err != nil {
		return d, &SpecError{fmt.Sprintf("source url %q: %v", spec.URL, err)}
	}
	defer client.(api.CloseIdler).CloseIdleConnections()
	return readSeries(ctx, spec, d, online{v1.NewAPI(client)}.fetch)
}

// online is the query side of the HTTP API.
type online struct {
	api interface {
		Query(ctx context.Context, query string, ts time.Time, opts ...v1.Option) (model.Value, v1.Warnings, v1.Infos, error)
	}
}

// fetch asks for raw samples by a range selector in an instant query: what
// query_range returns is interpolated to its step. The range is 1 ms longer
// than asked because Prometheus 3 leaves its left edge out and Prometheus 2
// does not; what is too early is dropped here.
func (o online) fetch(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	ranged := fmt.Sprintf("%s[%dms]", query, to.Sub(from).Milliseconds()+1)
	result, notes, _, err := o.api.Query(ctx, ranged, to)
	if err != nil {
		return nil, nil, queryError(ranged, to, err)
	}
	matrix, ok := result.(model.Matrix)
	if !ok {
		return nil, nil, fmt.Errorf("query %s: the server answered with a %s instead of a matrix", ranged, result.Type())
	}
	var out []rawSeries
	for _, stream := range matrix {
		s := rawSeries{labels: map[string]string{}}
		for name, value := range stream.Metric {
			s.labels[string(name)] = string(value)
		}
		for _, p := range stream.Values {
			if t := int64(p.Timestamp); t >= from.UnixMilli() && t <= to.UnixMilli() {
				s.samples = append(s.samples, sample{t, float64(p.Value)})
			}
		}
		if s.samples = usable(s.samples); len(s.samples) > 0 {
			out = append(out, s)
		}
	}
	return out, notes, nil
}

func queryError(query string, at time.Time, err error) error {
	hint := ""
	if e, ok := errors.AsType[*v1.Error](err); ok {
		switch {
		case strings.Contains(e.Msg, "401"), strings.Contains(e.Msg, "403"):
			hint = " (set authorization, basic_auth or tls_config under source.prometheus.http)"
		case e.Type == v1.ErrBadResponse, e.Type == v1.ErrServer:
			hint = " (is source.prometheus.url the root of a Prometheus API?)"
		}
	}
	return fmt.Errorf("query %s at %s: %w%s", query, at.UTC().Format(time.RFC3339), err, hint)
}
