package source

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// contract is what the exporter promises to expose.
const contract = "../../exporter/testdata/metrics.prom"

// notExposed are labels that a Prometheus server adds.
var notExposed = map[string]bool{"job": true, "instance": true}

// freeValues are labels whose values the user of the exporter chooses.
var freeValues = map[string]bool{"role": true}

// TestDefaultQueriesMeetContract parses every default query and the exporter's
// contract: a renamed metric or label fails here and names the query.
func TestDefaultQueriesMeetContract(t *testing.T) {
	f, err := os.Open(contract)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the contract %s is not there: go test ./exporter -update writes it", contract)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(f)
	if err != nil {
		t.Fatalf("read the contract: %v", err)
	}
	for _, row := range exporterRows {
		for _, s := range []selector{row.query, row.plus, row.clock, row.stamp} {
			if s.metric != "" {
				checkQuery(t, row.series, s.with(map[string]string{"job": "x"}).String(), families)
			}
		}
	}
}

func checkQuery(t *testing.T, where, query string, families map[string]*dto.MetricFamily) {
	t.Helper()
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(query)
	if err != nil {
		t.Errorf("%s: %s: %v", where, query, err)
		return
	}
	var family *dto.MetricFamily
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel {
			if family = families[m.Value]; family == nil {
				t.Errorf("%s: the exporter exposes no %s", where, m.Value)
				return
			}
		}
	}
	for _, m := range matchers {
		if m.Name != model.MetricNameLabel && !notExposed[m.Name] && !anyMatches(family, m) {
			t.Errorf("%s: no series of %s has %s", where, family.GetName(), m)
		}
	}
}

// anyMatches tells whether a series of the family has the label with a value
// that the matcher takes.
func anyMatches(family *dto.MetricFamily, m *labels.Matcher) bool {
	for _, series := range family.Metric {
		for _, l := range series.Label {
			if l.GetName() == m.Name && (freeValues[m.Name] || m.Matches(l.GetValue())) {
				return true
			}
		}
	}
	return false
}
