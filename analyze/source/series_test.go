package source

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorded is one window of 60 s scraped every 5 s, with CloudWatch points of
// 10 s that arrive 10 s after their end, and series that must not count.
const recorded = `
start 2026-07-01T10:00:00Z step 5s
token_persistence_exporter_collector_success{collector="endpoint",instance="e",job="token-persistence"} 1x40
token_persistence_exporter_collector_success{collector="tokens",instance="e",job="token-persistence"} 1x40
wso2_token_endpoint_requests_total{code="2xx",endpoint="token",instance="e",job="token-persistence",method="POST"} 1000+500x40
wso2_token_endpoint_requests_total{code="2xx",endpoint="revoke",instance="e",job="token-persistence",method="POST"} 7+7x40
wso2_token_endpoint_requests_total{code="2xx",endpoint="token",instance="other",job="staging",method="POST"} 7+7x40
wso2_token_endpoint_requests_total{code="5xx",endpoint="token",instance="e",job="token-persistence",method="POST"} _x5 4x35
rds_cpu_utilization_ratio{db_instance="db",instance="e",job="token-persistence"} _x4 0.5x3 0.6x1 0.7x30
rds_datapoint_timestamp_seconds{db_instance="db",instance="e",job="token-persistence",metric="CPUUtilization"} _x4 1782900000x1 1782900010x1 1782900020x1 1782900030x30
rds_datapoint_timestamp_seconds{db_instance="db",instance="e",job="token-persistence",metric="TotalIOPS"} _x4 1782900000x30
rds_total_iops{db_instance="db",instance="e",job="token-persistence"} _x4 812x30
ec2_cpu_utilization_ratio{ec2_instance="i-1",instance="e",job="token-persistence",role="apim"} _x4 0.9x30
ec2_cpu_utilization_ratio{ec2_instance="i-2",instance="e",job="token-persistence",role="apim"} _x4 0.8x30
`

func recordedSpec() Spec {
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	return Spec{
		Windows:  []Window{{Grant: "password", Mode: On, Start: start, End: start.Add(time.Minute)}},
		Matchers: map[string]string{"job": "token-persistence"},
		HTTP:     config.DefaultHTTPClientConfig,
	}
}

func parse(t *testing.T, text string) []sourcetest.Series {
	t.Helper()
	series, err := sourcetest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return series
}

// serve answers queries over the series until the test ends.
func serve(t *testing.T, series []sourcetest.Series) string {
	t.Helper()
	s, err := sourcetest.NewServer(t.TempDir(), series)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

// TestSourcesAgree reads the same samples over HTTP, from a write-ahead log,
// from a block, and from both: the datasets and even the hashes are equal.
func TestSourcesAgree(t *testing.T) {
	series := parse(t, recorded)
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", serve(t, series)
	online, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	checkRecorded(t, online)

	for _, c := range []struct {
		name  string
		write func(dir string) error
	}{
		{"log", func(dir string) error { return sourcetest.Write(dir, series, false) }},
		{"block", func(dir string) error { return sourcetest.Write(dir, series, true) }},
		{"block and log", func(dir string) error {
			early, late := split(series, time.Date(2026, 7, 1, 10, 0, 27, 0, time.UTC))
			if err := sourcetest.Write(dir, early, true); err != nil {
				return err
			}
			return sourcetest.Write(dir, late, false)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := c.write(dir); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			spec := recordedSpec()
			spec.Kind, spec.TSDB = "tsdb", dir
			offline, err := Read(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			for i := range offline.Inputs {
				offline.Inputs[i].Kind = "prometheus"
			}
			if diff := cmp.Diff(online, offline); diff != "" {
				t.Errorf("the TSDB directory gives something else than the server (-server +directory)\n%s", diff)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("reading changed the directory (-before +after)\n%s", diff)
			}
		})
	}
}

// checkRecorded compares with what was written above.
func checkRecorded(t *testing.T, d Dataset) {
	t.Helper()
	got := d.Runs[0].Series
	sum := func(name string) (total float64) {
		for _, in := range got[name].Intervals {
			total += in.Increase
		}
		return total
	}
	if sum(EndpointRequests) != 6000 || got[EndpointRequests].Step != 5*time.Second || got[EndpointRequests].Expected != 12 {
		t.Errorf("endpoint requests: %v in %+v, want 6000 at 5 s", sum(EndpointRequests), got[EndpointRequests])
	}
	if sum(EndpointErrors) != 4 {
		t.Errorf("endpoint errors: %v, want the 4 that brought their series into being", sum(EndpointErrors))
	}
	var cpu []float64
	for _, p := range got[DatabaseCPU].Points {
		cpu = append(cpu, p.Value)
	}
	if diff := cmp.Diff([]float64{0.5, 0.5, 0.6, 0.7}, cpu); diff != "" {
		t.Errorf("database CPU (-want +got)\n%s", diff)
	}
	if got[DatabaseCPU].Step != 10*time.Second {
		t.Errorf("database CPU has a step of %s, want 10 s", got[DatabaseCPU].Step)
	}
	if diff := cmp.Diff([]string{"ambiguous", "missing-data"}, problemIDs(d)); diff != "" {
		t.Errorf("problems (-want +got)\n%s", diff)
	}
	for _, want := range []string{"2 series match ec2_cpu_utilization_ratio", `no samples of ec2_cpu_utilization_ratio{job="token-persistence",role="jmeter"} in any window`} {
		if !slices.ContainsFunc(d.Problems, func(p Problem) bool { return strings.Contains(p.Text, want) && !p.NoData }) {
			t.Errorf("no problem says %q: %+v", want, d.Problems)
		}
	}
}

func split(all []sourcetest.Series, at time.Time) (early, late []sourcetest.Series) {
	for _, s := range all {
		e, l := s, s
		e.Samples, l.Samples = nil, nil
		for _, p := range s.Samples {
			if p.T < at.UnixMilli() {
				e.Samples = append(e.Samples, p)
			} else {
				l.Samples = append(l.Samples, p)
			}
		}
		early, late = append(early, e), append(late, l)
	}
	return early, late
}

// tree fingerprints every file below dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			out[path+"/"] = ""
			return err
		}
		text, err := os.ReadFile(path)
		out[path] = fmt.Sprintf("%x", sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNothingRecorded tells a window of which the source knows nothing from one
// without a series.
func TestNothingRecorded(t *testing.T) {
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", serve(t, parse(t, recorded))
	spec.Windows[0].Start = spec.Windows[0].Start.AddDate(0, -1, 0)
	spec.Windows[0].End = spec.Windows[0].End.AddDate(0, -1, 0)
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.Problems, func(p Problem) bool { return p.NoData && p.Window == 0 }) {
		t.Errorf("no problem makes the window NO DATA: %+v", d.Problems)
	}
	if len(d.Runs[0].Series) != 0 {
		t.Errorf("series of a window without samples: %+v", d.Runs[0].Series)
	}
}

// TestReplicas counts the copies of a highly available pair once.
func TestReplicas(t *testing.T) {
	text := "start 2026-07-01T10:00:00Z step 5s\n"
	for _, replica := range []string{"a", "b"} {
		text += `wso2_token_endpoint_requests_total{code="2xx",endpoint="token",prometheus_replica="` + replica + `"} 0+10x12` + "\n"
	}
	spec := recordedSpec()
	spec.Kind, spec.URL, spec.Matchers = "prometheus", serve(t, parse(t, text)), nil
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, in := range d.Runs[0].Series[EndpointRequests].Intervals {
		total += in.Increase
	}
	if total != 120 {
		t.Errorf("%v requests, want 120", total)
	}
}

// TestServerTrouble lists servers that cannot answer: the error names the query
// and what to look at, and never the password.
func TestServerTrouble(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"unauthorised", answer(http.StatusUnauthorized, "no"), "source.prometheus.http"},
		{"some web page", answer(http.StatusOK, "<html>"), "source.prometheus.url"},
		{"unavailable", answer(http.StatusServiceUnavailable, "busy"), "asked 6 times"},
		{"bad query", answer(http.StatusBadRequest, `{"status":"error","errorType":"bad_data","error":"parse error"}`), "parse error"},
		{"a scalar", answer(http.StatusOK, `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`), "instead of a matrix"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.h)
			defer server.Close()
			spec := recordedSpec()
			spec.Kind, spec.URL = "prometheus", server.URL
			spec.pause = func(context.Context, time.Duration) error { return nil }
			spec.HTTP.BasicAuth = &config.BasicAuth{Username: "u", Password: "canary-secret"}
			_, err := Read(t.Context(), spec)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// TestCredentials sends what the HTTP settings say.
func TestCredentials(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
	}))
	defer server.Close()
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", server.URL
	spec.HTTP.Authorization = &config.Authorization{Type: "Bearer", Credentials: "t0ken"}
	if _, err := Read(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if got != "Bearer t0ken" {
		t.Errorf("Authorization %q, want the bearer token", got)
	}
}

// TestWrongFolder refuses a folder that is no TSDB instead of finding it idle.
func TestWrongFolder(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")} {
		spec := recordedSpec()
		spec.Kind, spec.TSDB = "tsdb", dir
		if _, err := Read(t.Context(), spec); err == nil {
			t.Errorf("%s was read as a TSDB directory", dir)
		}
	}
}
