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

// startRecorder scrapes addr every second into folder.
func startRecorder(folder, addr string) (*recorder, error) {
	settings, err := config.Load("global: {scrape_interval: 1s, scrape_timeout: 1s}\n"+
		"scrape_configs: [{job_name: "+job+"}]\n", slog.New(slog.DiscardHandler))
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
	targets := make(chan map[string][]*targetgroup.Group, 1)
	targets <- map[string][]*targetgroup.Group{job: {{
		Source: job, Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(addr)}},
	}}}
	go func() { r.done <- r.manager.Run(targets) }()
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

// checkPrometheus waits, no longer than limit, until the user's own Prometheus
// scrapes the exporter at addr.
func checkPrometheus(ctx context.Context, url, addr string, limit time.Duration) error {
	client, err := api.NewClient(api.Config{Address: url})
	if err != nil {
		return fmt.Errorf("--prometheus-url: %w", err)
	}
	server := promapi.NewAPI(client)
	query := fmt.Sprintf("up{job=%q} == 1", job)
	for deadline := time.Now().Add(limit); ; {
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		value, _, _, err := server.Query(ask, query, time.Now())
		cancel()
		if err != nil {
			return fmt.Errorf("--prometheus-url %s: %w", url, err)
		}
		if vector, ok := value.(model.Vector); ok && len(vector) == 1 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("--prometheus-url %s: no answer to %s: add to its configuration\n"+
				"scrape_configs:\n  - job_name: %s\n    scrape_interval: 1s\n    static_configs: [{targets: ['%s']}]", url, query, job, addr)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// tsdbFolder is the folder of the recorder's database in the output folder.
func tsdbFolder(out string) string { return filepath.Join(out, "tsdb") }
