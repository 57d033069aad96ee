package plan_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// offered is a report of load: rate: throughputs that do not differ, and the log
// ratios of what a token costs API Manager and the database.
func offered(apim, database []float64) report.Report {
	r := pilot("password", 0, 0.001, -0.001)
	r.Hypothesis.Load = "rate"
	for _, host := range []struct {
		metric, label string
		ratios        []float64
	}{{report.MetricAPIManagerCoreMS, "API Manager CPU per token", apim}, {report.MetricDatabaseCoreMS, "Database CPU per token", database}} {
		c := pilot("password", host.ratios...).Comparisons[0]
		c.Metric, c.Label = host.metric, host.label
		r.Comparisons = append(r.Comparisons, c)
	}
	return r
}

// At a given rate the throughputs are alike whatever persistence does. The plan is
// that of the host whose costs differ most from pair to pair, and the same as if
// they had been throughputs.
func TestPlanAtARate(t *testing.T) {
	calm, wild := []float64{0.10, 0.11, 0.09, 0.10, 0.12}, []float64{0.02, 0.07, 0.12, -0.03, -0.08}
	for _, c := range []struct {
		apim, database []float64
		metric, note   string
	}{
		{calm, wild, report.MetricDatabaseCoreMS, "planned from Database CPU per token"},
		{wild, calm, report.MetricAPIManagerCoreMS, "planned from API Manager CPU per token"},
	} {
		p := run(t, offered(c.apim, c.database), usual)
		g := p.Grants[0]
		if g.Metric != c.metric || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], c.note) {
			t.Errorf("planned from %s: %q", g.Metric, p.Notes)
		}
		want := run(t, pilot("password", wild...), usual)
		if p.Pairs != want.Pairs || math.Abs(*g.SD-*want.Grants[0].SD) > 1e-12 || g.Pairs != want.Grants[0].Pairs {
			t.Errorf("%d pairs of %+v, want %d of %+v", p.Pairs, g, want.Pairs, want.Grants[0])
		}
		if diff := cmp.Diff(want.Schedule, p.Schedule); diff != "" {
			t.Errorf("another schedule:\n%s", diff)
		}
		if !strings.Contains(strings.Join(p.Checklist, " "), "same grant, tokens/s, users") {
			t.Errorf("the checklist forgets the rate: %q", p.Checklist)
		}
	}
}

// A host whose runs differ beyond all measuring decides, whatever the other does.
func TestPlanAtARateHopeless(t *testing.T) {
	p := run(t, offered([]float64{0.10, 0.11, 0.09}, []float64{-1, 1, 0.3}), usual)
	if p.Pairs != 0 || len(p.Schedule) != 0 || p.Grants[0].Metric != report.MetricDatabaseCoreMS {
		t.Errorf("%d pairs, %d blocks, planned from %s", p.Pairs, len(p.Schedule), p.Grants[0].Metric)
	}
}
