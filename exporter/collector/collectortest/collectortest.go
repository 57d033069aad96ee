// Package collectortest looks at what a collector emits as Prometheus would.
package collectortest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Collector is what can be looked at. It is not collector.Collector by name, so
// that the tests inside that package can use this one.
type Collector interface {
	Descs() []*prometheus.Desc
	Collect(ctx context.Context) ([]prometheus.Metric, error)
}

// Values returns the metrics by name{label values}.
func Values(t testing.TB, metrics []prometheus.Metric) map[string]float64 {
	t.Helper()
	byName := map[string]float64{}
	for _, m := range metrics {
		var v dto.Metric
		if err := m.Write(&v); err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(m.Desc().String(), `Desc{fqName: "`), `"`)
		var labels []string
		for _, l := range v.Label {
			labels = append(labels, l.GetValue())
		}
		if len(labels) > 0 {
			name += "{" + strings.Join(labels, ",") + "}"
		}
		if _, twice := byName[name]; twice {
			t.Errorf("%s is emitted twice", name)
		}
		byName[name] = v.GetCounter().GetValue() + v.GetGauge().GetValue()
	}
	return byName
}

// Exposition returns what a collector would show, as text without help and
// type, and the error beside it.
func Exposition(t *testing.T, c Collector) (string, error) {
	t.Helper()
	metrics, err := c.Collect(t.Context())
	page, gatherErr := Page(c.Descs(), metrics)
	if gatherErr != nil {
		t.Fatalf("the collector's metrics do not fit together: %v", gatherErr)
	}
	var lines []string
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ""), err
}

// Page is the text that a registry gives for metrics, help and type included, or
// its error where they do not fit their descs or each other.
func Page(descs []*prometheus.Desc, metrics []prometheus.Metric) (string, error) {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(constant{descs, metrics}); err != nil {
		return "", err
	}
	families, err := registry.Gather()
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// constant shows metrics to a registry that checks them against their descs.
type constant struct {
	descs   []*prometheus.Desc
	metrics []prometheus.Metric
}

func (c constant) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

func (c constant) Collect(ch chan<- prometheus.Metric) {
	for _, m := range c.metrics {
		ch <- m
	}
}

// Only keeps the lines that begin with one of the names.
func Only(text string, names ...string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(line, n) }) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// Lint runs Prometheus' naming rules over a collector's metrics and checks that
// every family it names was there to be looked at.
func Lint(t *testing.T, c Collector) {
	t.Helper()
	metrics, err := c.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(constant{c.Descs(), metrics})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != len(c.Descs()) {
		t.Errorf("%d families of %d descs were there", len(families), len(c.Descs()))
	}
}
