package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

const (
	// readyGrace is how long a scrape waits beyond the collectors' budget for
	// what ends with it.
	readyGrace = 50 * time.Millisecond
	// drainTime bounds the wait for scrapes in flight at the end.
	drainTime = longestTimeout
	// headerTime bounds a client that does not finish its request.
	headerTime = 10 * time.Second
)

// serve runs until ctx ends, then answers what is in flight.
func serve(ctx context.Context, o *options, logger *slog.Logger) error {
	if err := web.Validate(*o.web.WebConfigFile); err != nil {
		return fmt.Errorf("--web.config.file: %w", err)
	}
	set, err := newSet(ctx, o.target, logger)
	if err != nil {
		return err
	}
	var draining atomic.Bool
	handler, err := newHandler(o, set, &draining, logger)
	if err != nil {
		return errors.Join(err, set.Close())
	}
	logger.Info("starting", "version", version.Info())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTime}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return set.Run(ctx) })
	group.Go(func() error {
		if err := web.ListenAndServe(server, o.web, logger); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve on --web.listen-address: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		draining.Store(true)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if err := server.Shutdown(drain); err != nil {
			return fmt.Errorf("drain: %w", err)
		}
		return nil
	})
	err = errors.Join(group.Wait(), set.Close())
	logger.Info("stopped")
	return err
}

// newHandler returns the whole HTTP interface.
func newHandler(o *options, set *collector.Set, draining *atomic.Bool, logger *slog.Logger) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("GET "+o.telemetryPath, newMetricsHandler(set, logger))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "healthy") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if draining.Load() {
			answer(w, http.StatusServiceUnavailable, "shutting down")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	if o.pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	if o.telemetryPath != "/" {
		landing, err := newLandingPage(o)
		if err != nil {
			return nil, fmt.Errorf("build the landing page: %w", err)
		}
		mux.Handle("GET /{$}", landing)
	}
	return mux, nil
}

func newLandingPage(o *options) (http.Handler, error) {
	return web.NewLandingPage(web.LandingConfig{
		Name:        "Token Persistence Exporter",
		Description: "What OAuth2 token persistence of WSO2 API Manager does to its database",
		Version:     version.Info(),
		Profiling:   fmt.Sprint(o.pprof),
		Links: []web.LandingLinks{
			{Address: o.telemetryPath, Text: "Metrics"},
			{Address: "/-/healthy", Text: "Health", Description: "of this process, whatever the database and AWS do"},
			{Address: "/-/ready", Text: "Readiness"},
		},
	})
}

// answer writes a line; a client that is gone needs no answer.
func answer(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line+"\n")
}

// metricsHandler answers a scrape with a registry of its own, so that nothing
// of one scrape is left for another.
type metricsHandler struct {
	set     *collector.Set
	process *prometheus.Registry // of this process; reads no database
	options promhttp.HandlerOpts
}

func newMetricsHandler(set *collector.Set, logger *slog.Logger) *metricsHandler {
	process := prometheus.NewRegistry()
	process.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("token_persistence_exporter"),
	)
	return &metricsHandler{set, process, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError),
		// One inconsistent family must not cost the page all others.
		ErrorHandling: promhttp.ContinueOnError,
	}}
}

func (h *metricsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limit := budget(r.Header)
	ctx, cancel := context.WithTimeout(r.Context(), limit+readyGrace)
	defer cancel()
	scrape := prometheus.NewRegistry()
	scrape.MustRegister(snapshot{h.set.Descs(), h.set.Collect(ctx, limit)})
	promhttp.HandlerFor(prometheus.Gatherers{h.process, scrape}, h.options).ServeHTTP(w, r)
}

// snapshot shows metrics that were read before. Its descriptions make the
// registry refuse what no collector has declared.
type snapshot struct {
	descs   []*prometheus.Desc
	metrics []prometheus.Metric
}

// Describe sends the descriptions of the enabled collectors.
func (s snapshot) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.descs {
		ch <- d
	}
}

// Collect sends what was read.
func (s snapshot) Collect(ch chan<- prometheus.Metric) {
	for _, m := range s.metrics {
		ch <- m
	}
}
