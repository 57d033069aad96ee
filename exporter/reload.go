package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// How the last reload ended. The start counts as the first one.
var (
	reloadSuccessDesc = prometheus.NewDesc("token_persistence_exporter_config_last_reload_successful",
		"Whether the last reading of the configuration succeeded: 1, or 0 while an older configuration is in force.", nil, nil)
	reloadTimeDesc = prometheus.NewDesc("token_persistence_exporter_config_last_reload_success_timestamp_seconds",
		"When the configuration in force was read, Unix time.", nil, nil)
)

// reloader reads the configuration again when it is asked to, and knows how
// that ended.
type reloader struct {
	load   func(context.Context) error // nothing has changed when it fails
	logger *slog.Logger

	mu      sync.Mutex
	failed  bool
	success time.Time
}

// reload reads the configuration and keeps the old one on an error.
func (r *reloader) reload(ctx context.Context) error {
	err := r.load(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err != nil
	if err == nil {
		r.success = time.Now()
	}
	return err
}

// onSignal reloads with each signal until ctx ends.
func (r *reloader) onSignal(ctx context.Context, signals <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			if err := r.reload(ctx); err != nil {
				r.logger.Error("reload failed, the old configuration stays in force", "err", err)
				continue
			}
			r.logger.Info("configuration reloaded")
		}
	}
}

// handler reloads on request and answers how it went.
func (r *reloader) handler(ctx context.Context) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := r.reload(ctx); err != nil {
			answer(w, http.StatusInternalServerError, "reload failed, the old configuration stays in force: "+err.Error())
			return
		}
		r.logger.Info("configuration reloaded")
		answer(w, http.StatusOK, "reloaded")
	}
}

// Describe sends both gauges.
func (r *reloader) Describe(ch chan<- *prometheus.Desc) {
	ch <- reloadSuccessDesc
	ch <- reloadTimeDesc
}

// Collect sends how the last reload ended.
func (r *reloader) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	success := 1.0
	if r.failed {
		success = 0
	}
	ch <- prometheus.MustNewConstMetric(reloadSuccessDesc, prometheus.GaugeValue, success)
	ch <- prometheus.MustNewConstMetric(reloadTimeDesc, prometheus.GaugeValue, float64(r.success.UnixNano())/1e9)
}
