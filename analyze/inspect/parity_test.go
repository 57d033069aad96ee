package inspect_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/inspect"
	"github.com/tokenpersistence/toolkit/analyze/jtl"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

type expected map[string]float64

// truth is what two other tools say of the sample.
type truth struct {
	Tolerance struct{ Abs float64 }
	Cases     []struct {
		Label    string
		Expected struct {
			Warmup      expected `json:"wso2_warmup_10s"`
			Measurement expected `json:"wso2_measurement"`
			Dashboard   expected `json:"jmeter_dashboard_all"`
		}
	}
}

func readTruth(t *testing.T) truth {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "other_tools.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all truth
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Cases) == 0 {
		t.Fatal("no cases")
	}
	return all
}

func readSample(t *testing.T) *inspect.Replay {
	t.Helper()
	f := inspect.NewReplay("sample.jtl", 10*time.Second)
	spec := source.Spec{Base: filepath.Join("..", "source", "testdata")}
	if _, err := source.ScanResults(t.Context(), spec, []string{f.Name}, func(_ int, r jtl.Row) { f.Add(r) }); err != nil {
		t.Fatal(err)
	}
	return f
}

// table is a CSV by the values of its first columns, joined, and its header.
func table(t *testing.T, text string, keys int) map[string]map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewBufferString(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, row := range rows[1:] {
		key, fields := fmt.Sprint(row[:keys]), map[string]string{}
		for i, name := range rows[0] {
			fields[name] = row[i]
		}
		out[key] = fields
	}
	return out
}

func (e expected) check(t *testing.T, where string, got map[string]string, columns map[string]string, tolerance float64) {
	t.Helper()
	for key, column := range columns {
		want, ok := e[key]
		if !ok {
			t.Errorf("%s: the truth has no %s", where, key)
			continue
		}
		v, err := strconv.ParseFloat(got[column], 64)
		if err != nil || math.Abs(v-want) > tolerance {
			t.Errorf("%s, %s: got %q, want %v", where, column, got[column], want)
		}
	}
}

func TestWSO2Summary(t *testing.T) {
	var out bytes.Buffer
	if err := inspect.WSO2Summary(&out, []*inspect.Replay{readSample(t)}); err != nil {
		t.Fatal(err)
	}
	columns := map[string]string{
		"samples": "# Samples", "errors": "Error Count", "errorPercentage": "Error %", "throughput": "Throughput (Requests/sec)",
		"min": "Minimum Response Time (ms)", "max": "Maximum Response Time (ms)", "mean": "Average Response Time (ms)",
		"stddev": "Standard Deviation of Response Time (ms)", "median": "Median of Response Time (ms)",
		"p75": "75th Percentile of Response Time (ms)", "p90": "90th Percentile of Response Time (ms)", "p95": "95th Percentile of Response Time (ms)",
		"p98": "98th Percentile of Response Time (ms)", "p99": "99th Percentile of Response Time (ms)", "p999": "99.9th Percentile of Response Time (ms)",
		"receivedKBytesRate": "Received (KB/sec)", "sentKBytesRate": "Sent (KB/sec)", "average_users_in_system_bc_scale0": "Average Users in the System",
	}
	got, all := table(t, out.String(), 3), readTruth(t)
	if len(got) != 2*len(all.Cases) {
		t.Errorf("%d rows for %d labels", len(got), len(all.Cases))
	}
	for _, c := range all.Cases {
		c.Expected.Warmup.check(t, c.Label, got[fmt.Sprint([]string{"sample.jtl", c.Label, "warmup"})], columns, all.Tolerance.Abs)
		c.Expected.Measurement.check(t, c.Label, got[fmt.Sprint([]string{"sample.jtl", c.Label, "measurement"})], columns, all.Tolerance.Abs)
	}
}

func TestJMeterDashboard(t *testing.T) {
	var out bytes.Buffer
	if err := inspect.JMeterDashboard(&out, []*inspect.Replay{readSample(t)}); err != nil {
		t.Fatal(err)
	}
	columns := map[string]string{
		"count": "#Samples", "errors": "FAIL", "error_pct": "Error %", "mean": "Average", "min": "Min", "max": "Max", "median": "Median",
		"p90": "90th pct", "p95": "95th pct", "p99": "99th pct", "throughput": "Transactions/s", "apdex_500_1500": "APDEX (500 ms, 1500 ms)",
	}
	got, all := table(t, out.String(), 2), readTruth(t)
	for _, c := range all.Cases {
		c.Expected.Dashboard.check(t, c.Label, got[fmt.Sprint([]string{"sample.jtl", c.Label})], columns, all.Tolerance.Abs)
	}
}
