package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
)

const (
	probePath = "/probe"

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
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	group, ctx := errgroup.WithContext(ctx)
	fleet := newFleet(group, logger)
	reloader := &reloader{logger: logger, load: func(ctx context.Context) error {
		targets, err := o.targets()
		if err != nil {
			return err
		}
		return fleet.apply(ctx, targets)
	}}
	if err := reloader.reload(ctx); err != nil {
		return err
	}
	var draining atomic.Bool
	server := &http.Server{Handler: newHandler(ctx, o, fleet, reloader, &draining, logger), ReadHeaderTimeout: headerTime, ConnState: tidy}
	logger.Info("starting", "version", version.Info())
	group.Go(func() error { return reloader.onSignal(ctx, hangup) })
	group.Go(func() error { return fleet.letGoIdle(ctx) })
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
	err := group.Wait()
	fleet.close()
	logger.Info("stopped")
	return err
}

// tidy collects the garbage of a scrape when its answer has gone and gives the
// memory back, so that resident memory stays small and no collection falls
// into a scrape, where it would compete with the database for the processor.
// It costs two milliseconds or so of CPU. Half the GOGC instead made scrapes
// slower by half on two busy cores; a memory limit would never let the
// collector rest once past it.
func tidy(_ net.Conn, state http.ConnState) {
	if state == http.StateIdle {
		debug.FreeOSMemory()
	}
}

// newHandler returns the whole HTTP interface. Work that a reload starts goes
// on until ctx ends.
func newHandler(ctx context.Context, o *options, f *fleet, r *reloader, draining *atomic.Bool, logger *slog.Logger) http.Handler {
	process := prometheus.NewRegistry()
	process.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector("token_persistence_exporter"),
		r,
	)
	scraper := newScraper(f, process, logger)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+o.telemetryPath, scraper.metrics)
	mux.HandleFunc("GET "+probePath, scraper.probe)
	mux.HandleFunc("POST /-/reload", r.handler(ctx))
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
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
			landing, err := newLandingPage(o, f.names()) // a reload may have changed them
			if err != nil {
				logger.Error("build the landing page", "err", err)
				answer(w, http.StatusInternalServerError, "the landing page could not be built")
				return
			}
			landing.ServeHTTP(w, r)
		})
	}
	return mux
}

func newLandingPage(o *options, targets []string) (http.Handler, error) {
	links := []web.LandingLinks{
		{Address: o.telemetryPath, Text: "Metrics"},
		{Address: "/-/healthy", Text: "Health", Description: "of this process, whatever the database and AWS do"},
		{Address: "/-/ready", Text: "Readiness"},
	}
	for _, name := range targets {
		links = append(links, web.LandingLinks{Address: probePath + "?target=" + name, Text: name, Description: "a target of --config.file"})
	}
	return web.NewLandingPage(web.LandingConfig{
		Name:        "Token Persistence Exporter",
		Description: "What OAuth2 token persistence of WSO2 API Manager does to its database",
		Version:     version.Info(),
		Profiling:   fmt.Sprint(o.pprof),
		Links:       links,
	})
}

// answer writes a line; a client that is gone needs no answer.
func answer(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff") // it may repeat a part of the request
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line+"\n")
}
