package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// scraper answers scrapes, each with a registry of its own, so that nothing of
// one scrape is left for another.
type scraper struct {
	fleet   *fleet
	process prometheus.Gatherer // of this process; reads no database
	options promhttp.HandlerOpts
}

func newScraper(f *fleet, process prometheus.Gatherer, logger *slog.Logger) *scraper {
	return &scraper{f, process, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError),
		// One inconsistent family must not cost the page all others.
		ErrorHandling: promhttp.ContinueOnError,
	}}
}

// metrics answers for this process and for the target of the flags, if they
// describe one.
func (s *scraper) metrics(w http.ResponseWriter, r *http.Request) {
	target, err := s.scrape(r, "")
	switch {
	case err == nil:
		s.write(w, r, prometheus.Gatherers{s.process, target})
	case errors.Is(err, errUnknown):
		s.write(w, r, s.process)
	default:
		answer(w, http.StatusServiceUnavailable, err.Error())
	}
}

// probe answers for a target of the configuration file.
func (s *scraper) probe(w http.ResponseWriter, r *http.Request) {
	names := s.fleet.names()
	asked := r.URL.Query()["target"]
	switch {
	case len(names) == 0:
		answer(w, http.StatusNotFound, "there are no targets: give --config.file")
		return
	case len(asked) != 1 || asked[0] == "":
		answer(w, http.StatusBadRequest, "which target? /probe?target=NAME with one of "+strings.Join(names, ", "))
		return
	}
	target, err := s.scrape(r, asked[0])
	switch {
	case err == nil:
		s.write(w, r, target)
	case errors.Is(err, errUnknown):
		answer(w, http.StatusNotFound, fmt.Sprintf("--config.file has no target %.64q: %s", asked[0], nearest.Hint(asked[0], names)))
	default:
		answer(w, http.StatusServiceUnavailable, err.Error())
	}
}

// scrape reads a target within the request's budget.
func (s *scraper) scrape(r *http.Request, name string) (*prometheus.Registry, error) {
	limit := budget(r.Header)
	ctx, cancel := context.WithTimeout(r.Context(), limit+readyGrace)
	defer cancel()
	registry := prometheus.NewRegistry()
	err := s.fleet.use(ctx, name, func(set *collector.Set) {
		registry.MustRegister(snapshot{set.Descs(), set.Collect(ctx, limit)})
	})
	return registry, err
}

func (s *scraper) write(w http.ResponseWriter, r *http.Request, g prometheus.Gatherer) {
	promhttp.HandlerFor(g, s.options).ServeHTTP(w, r)
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
