package promtest_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tokenpersistence/toolkit/internal/promtest"
)

var (
	begin = time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	end   = begin.Add(time.Hour)
)

const step = 15 * time.Second

func TestCheck(t *testing.T) {
	contract := promtest.ReadContract(t)
	contract.Add("token_persistence:job:mode")
	contract.AddSeries("ours_seconds", "grant")
	for expr, want := range map[string]string{ // empty: nothing is wrong
		`sum by (job) (rate(wso2_token_endpoint_requests_total{endpoint="token",code="2xx",job=~".*"}[5m]))`:                      "",
		`rate(wso2_token_endpoint_request_total[5m])`:                                                                             "did you mean wso2_token_endpoint_requests_total?",
		`wso2_token_tax_ratio{resource="cpu_time",bound="lower"}`:                                                                 "",
		`wso2_token_tax_ratio{resource="statement_tim"}`:                                                                          "no series of the contract matches",
		`wso2_token_tax_ratio{resorce="statement_time"}`:                                                                          "no series of the contract matches",
		`wso2_token_endpoint_requests_total{endpoint="authorize",method="PATCH"}`:                                                 "no series of the contract matches",
		`rds_cpu_utilization_ratio{db_instance="anything"}`:                                                                       "",
		`sum by (tabel) (wso2_token_table_data_bytes)`:                                                                            "did you mean table?",
		`wso2_token_table_data_bytes + on (tbl) wso2_token_table_index_bytes`:                                                     "no series in",
		`sum by (part) (label_replace(wso2_token_table_data_bytes,"part","x","",""))`:                                             "",
		`rate(rds_total_iops[5m])`:                                                                                                "which is a gauge",
		`histogram_quantile(0.95, sum by (le) (rate(wso2_token_endpoint_request_duration_seconds_bucket{endpoint="token"}[5m])))`: "",
		`token_persistence:job:mode == 1`:                                                                                         "",
		`token_persistence:job:mod == 1`:                                                                                          "did you mean token_persistence:job:mode?",
		`ours_seconds{grant="x"}`:                                                                                                 "",
		`ours_seconds{grnt="x"}`:                                                                                                  "has no label grnt",
		`count(ALERTS{alertstate="firing"})`:                                                                                      "",
		`count({__name__=~"token_persistence:job:.+"})`:                                                                           "",
		`count({__name__=~"token_persist_:.+"})`:                                                                                  "nothing exposes or records a name",
		`up{job="x"`:                                                                                                              "parse error",
	} {
		got := contract.Check(expr)
		if want == "" && len(got) > 0 || want != "" && !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%s\n got %q\nwant %q", expr, got, want)
		}
	}
}

func TestMovingIsWhole(t *testing.T) {
	contract := promtest.ReadContract(t)
	series := contract.Moving(begin, end, step)
	store := promtest.New(t)
	store.Append(t, series)
	for _, name := range contract.Names() {
		got, err := store.Instant(t.Context(), name, end)
		if err != nil || len(got) == 0 {
			t.Errorf("%s: %d series, %v", name, len(got), err)
		}
		for _, v := range got {
			if math.IsNaN(v.F) || math.IsInf(v.F, 0) {
				t.Errorf("%s is %v", v.Metric, v.F)
			}
		}
	}
	for expr, want := range map[string]float64{
		`sum(increase(wso2_token_rows_observed_total[20m])) > bool 0`:                                                   0,
		`sum(increase(wso2_token_rows_observed_total[20m] offset 35m)) > bool 0`:                                        1,
		`sum(rate(mysql_statement_seconds_total[5m])) > bool sum(rate(wso2_token_statement_seconds_total[5m]))`:         1,
		`histogram_quantile(0.5, sum by (le) (rate(wso2_token_endpoint_request_duration_seconds_bucket[5m]))) > bool 0`: 1,
	} {
		got, err := store.Instant(t.Context(), expr, end)
		if err != nil || len(got) != 1 || got[0].F != want {
			t.Errorf("%s is %v, %v: want %v", expr, got, err, want)
		}
	}
}

func TestRecord(t *testing.T) {
	store := promtest.New(t)
	// A counter that moves by 2 per second and then is gone.
	var points []promql.FPoint
	for i := range 60 {
		points = append(points, promql.FPoint{T: begin.Add(time.Duration(i) * step).UnixMilli(), F: float64(i) * 30})
	}
	store.Append(t, []promtest.Series{{Labels: labels.FromStrings("__name__", "moved_total", "job", "a"), Samples: points}})
	rules := []promtest.Rule{
		{Record: "job:twice", Expr: `2 * job:moved:rate1m`, Labels: map[string]string{"made": "here"}},
		{Alert: "Ignored", Expr: `nothing`},
		{Record: "job:moved:rate1m", Expr: `sum by (job) (rate(moved_total[1m]))`},
	}
	if got := promtest.Recorded(rules); !slices.Equal(got, []string{"job:moved:rate1m", "job:twice"}) {
		t.Errorf("recorded names are %v", got)
	}
	rules = append(rules, promtest.Rule{Record: "job:not:needed", Expr: `nothing`})
	if got := promtest.Recorded(promtest.Needed(t, rules, `1 - job:twice`)); !slices.Equal(got, []string{"job:moved:rate1m", "job:twice"}) {
		t.Errorf("needed are %v", got)
	}
	store.Record(t, rules, begin, end, step)
	got, err := store.Instant(t.Context(), `job:twice`, begin.Add(10*time.Minute))
	if err != nil || len(got) != 1 || math.Abs(got[0].F-4) > 1e-9 || got[0].Metric.Get("made") != "here" || got[0].Metric.Get("job") != "a" {
		t.Errorf("got %v, %v: want 4 with the rule's label", got, err)
	}
	// The counter ends at 14:45 and the rate a minute later; five minutes of
	// looking back must not keep it.
	if got, err := store.Instant(t.Context(), `job:twice`, begin.Add(17*time.Minute)); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v after the end", got, err)
	}
	series, err := store.Range(t.Context(), `job:moved:rate1m`, begin.Add(5*time.Minute), begin.Add(6*time.Minute), step)
	if err != nil || len(series) != 1 || len(series[0].Samples) != 5 {
		t.Errorf("got %v, %v: want five values", series, err)
	}
	values, err := store.LabelValues(t.Context(), "job", `{__name__=~"job:.*"}`, begin, end)
	if err != nil || fmt.Sprint(values) != "[a]" {
		t.Errorf("got %v, %v", values, err)
	}
}

func TestRoot(t *testing.T) {
	if root := promtest.Root(t); strings.HasSuffix(root, "promtest") {
		t.Errorf("root is %s", root)
	}
}
