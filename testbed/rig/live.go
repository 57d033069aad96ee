package rig

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// windowsJob is the value of the label job of the test windows. It is not the
// exporter's: dashboards take everything of that job for exporters.
const windowsJob = "testbed"

// liveWindow is the test window under way, as a metric that is there while the
// measured part lasts. The clock decides that, so that a scrape during the last
// requests, which end after the window, finds it gone.
type liveWindow struct {
	planned atomic.Pointer[testwindow.Window]
	descs   []*prometheus.Desc // of testwindow.Families
}

func newLiveWindow() *liveWindow {
	l := &liveWindow{}
	for _, f := range testwindow.Families() {
		l.descs = append(l.descs, prometheus.NewDesc(f.Name, f.Help, testwindow.LabelNames(), nil))
	}
	return l
}

// plan announces a window and returns what takes it back.
func (l *liveWindow) plan(w testwindow.Window) func() {
	l.planned.Store(&w)
	return func() { l.planned.Store(nil) }
}

// Describe implements prometheus.Collector.
func (l *liveWindow) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range l.descs {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (l *liveWindow) Collect(out chan<- prometheus.Metric) {
	w := l.planned.Load()
	if w == nil || !w.Lasts(time.Now()) {
		return
	}
	for i, f := range testwindow.Families() {
		out <- prometheus.MustNewConstMetric(l.descs[i], prometheus.GaugeValue, testwindow.Seconds(f.Value(*w)), w.LabelValues()...)
	}
}

// exposeWindows serves the test window under way.
func (s *stand) exposeWindows(ctx context.Context, end *closers) error {
	s.window = newLiveWindow()
	registry := prometheus.NewRegistry()
	if err := registry.Register(s.window); err != nil {
		return err
	}
	var network net.ListenConfig
	listener, err := network.Listen(ctx, "tcp", cmp.Or(s.options.WindowsListen, "127.0.0.1:0"))
	if err != nil {
		return fmt.Errorf("--windows-listen: %w", err)
	}
	s.windowsAddr = listener.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(listener) }) // it ends by Close; without it a run lacks annotations and nothing else
	end.add(func() error {
		defer done.Wait()
		return server.Close()
	})
	s.say("windows       %s", s.windowsURL())
	return nil
}

// windowsURL is the address of the test window's metrics.
func (s *stand) windowsURL() string { return "http://" + s.windowsAddr + "/metrics" }
