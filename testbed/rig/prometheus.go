package rig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/api"
	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
)

// job is the value of the label job of everything scraped from the exporter.
const job = "token-persistence"

// recorder is a Prometheus of our own: its scrape manager and its database.
type recorder struct {
	db      *tsdb.DB
	manager *scrape.Manager
	done    chan error
}

// target is something to scrape.
type target struct{ job, addr string }

// startRecorder scrapes the targets, each of a job of its own, every second into
// folder.
func startRecorder(folder string, targets ...target) (*recorder, error) {
	text := "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
	groups := make(map[string][]*targetgroup.Group)
	for _, t := range targets {
		text += "  - job_name: " + t.job + "\n"
		groups[t.job] = []*targetgroup.Group{{
			Source: t.job, Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(t.addr)}},
		}}
	}
	settings, err := config.Load(text, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("configure Prometheus: %w", err)
	}
	quiet := slog.New(slog.DiscardHandler)
	// A registry of our own: two recorders in one process must not meet.
	registry := prometheus.NewRegistry()
	r := &recorder{done: make(chan error, 1)}
	if r.db, err = tsdb.Open(folder, quiet, registry, tsdb.DefaultOptions(), nil); err != nil {
		return nil, fmt.Errorf("open the time series database: %w", err)
	}
	r.manager, err = scrape.NewManager(&scrape.Options{DiscoveryReloadOnStartup: true}, quiet, nil, r.db, nil, registry)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start Prometheus' scraper: %w", err), r.db.Close())
	}
	if err := r.manager.ApplyConfig(settings); err != nil {
		return nil, errors.Join(fmt.Errorf("configure Prometheus' scraper: %w", err), r.db.Close())
	}
	found := make(chan map[string][]*targetgroup.Group, 1)
	found <- groups
	go func() { r.done <- r.manager.Run(found) }()
	return r, nil
}

// stop ends scraping and closes the database, whose write-ahead log then holds
// every sample.
func (r *recorder) stop() error {
	r.manager.Stop()
	if err := errors.Join(<-r.done, r.db.Close()); err != nil {
		return fmt.Errorf("stop Prometheus: %w", err)
	}
	return nil
}

// windowsGrace is how long after the exporter's first scrape that of the test
// windows may come: both have the interval of one second that we ask for.
const windowsGrace = 3 * time.Second

// checkPrometheus waits, no longer than limit, until the user's own Prometheus
// scrapes the exporter, and says whether it scrapes the test windows too, without
// which dashboards lack their annotations and nothing else.
func checkPrometheus(ctx context.Context, url string, exporter, windows target, limit time.Duration) (bool, error) {
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		return false, fmt.Errorf("--prometheus-url: %w", err)
	}
	server := promapi.NewAPI(client)
	up, err := isScraped(ctx, server, exporter, limit)
	if err == nil && up {
		up, err = isScraped(ctx, server, windows, min(limit, windowsGrace))
		if err == nil {
			return up, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		return false, fmt.Errorf("--prometheus-url %s: %w", url, err)
	}
	return false, fmt.Errorf("--prometheus-url %s: no answer to %s: add to its configuration\nscrape_configs:\n%s"+
		"and, for annotations of the test windows\n%s", url, exporter.query(), exporter.config(), windows.config())
}

// isScraped asks until the target is up, no longer than limit.
func isScraped(ctx context.Context, server promapi.API, t target, limit time.Duration) (bool, error) {
	for deadline := time.Now().Add(limit); ; {
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		value, _, _, err := server.Query(ask, t.query(), time.Now())
		cancel()
		if err != nil {
			return false, err
		}
		if vector, ok := value.(model.Vector); ok && len(vector) == 1 {
			return true, nil
		}
		if time.Now().After(deadline) {
			return false, nil
		}
		if !sleepUntil(ctx, time.Now().Add(time.Second)) {
			return false, ctx.Err()
		}
	}
}

// query has one result when the target is scraped.
func (t target) query() string { return fmt.Sprintf("up{job=%q} == 1", t.job) }

// config is what Prometheus needs to scrape the target.
func (t target) config() string {
	return fmt.Sprintf("  - job_name: %s\n    scrape_interval: 1s\n    static_configs: [{targets: ['%s']}]\n", t.job, t.addr)
}

// tsdbFolder is the folder of the recorder's database in the output folder.
func tsdbFolder(out string) string { return filepath.Join(out, "tsdb") }
