package source

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// TestEvaluated computes an expression over HTTP and over a directory: the same
// values, marked as evaluated, each for the step before it.
func TestEvaluated(t *testing.T) {
	series := parse(t, recorded+`
start 2026-07-01T10:00:00Z step 5s
node_cpu_seconds_total{cpu="0",mode="idle",instance="apim:9100"} 0+2x40
`)
	spec := recordedSpec()
	spec.Queries = map[string]string{
		APIManagerCPU: `1 - avg(rate(node_cpu_seconds_total{mode="idle"}[15s]))`,
		DatabaseCPU:   `scalar(rds_cpu_utilization_ratio) * 0.5`,
	}
	spec.Kind, spec.URL = "prometheus", serve(t, series)
	online, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{0.6, 0.6, 0.6, 0.6}, valuesOf(online, APIManagerCPU), closely); diff != "" {
		t.Errorf("API Manager's CPU (-want +got)\n%s", diff)
	}
	got := online.Runs[0].Series[APIManagerCPU]
	if got.Step != 15*time.Second || !got.Points[0].Time.Equal(spec.Windows[0].Start) {
		t.Errorf("step %s from %s on, want 15s from the window's start", got.Step, got.Points[0].Time)
	}
	named := false
	for _, in := range online.Inputs {
		named = named || in.Kind == "evaluated" && in.Name == "apim_cpu, every 15s" && in.Query == spec.Queries[APIManagerCPU]
	}
	if !named {
		t.Errorf("the provenance does not say what was evaluated: %+v", online.Inputs)
	}

	spec.Kind, spec.TSDB = "tsdb", t.TempDir()
	if err := sourcetest.Write(spec.TSDB, series, true); err != nil {
		t.Fatal(err)
	}
	offline, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(online.Runs, offline.Runs); diff != "" {
		t.Errorf("the directory gives something else than the server (-server +directory)\n%s", diff)
	}
	spec.Queries[APIManagerCPU] = `rate(absent_function(x)[1m])`
	if _, err := Read(t.Context(), spec); err == nil {
		t.Error("a query that is not PromQL was evaluated")
	}
}

// TestExpressionFails names the query that the directory cannot compute.
func TestExpressionFails(t *testing.T) {
	spec := recordedSpec()
	spec.Kind, spec.TSDB = "tsdb", t.TempDir()
	if err := sourcetest.Write(spec.TSDB, parse(t, recorded), false); err != nil {
		t.Fatal(err)
	}
	query := `rds_cpu_utilization_ratio * on(job) ec2_cpu_utilization_ratio`
	spec.Queries = map[string]string{APIManagerCPU: query}
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), query) {
		t.Errorf("error %v, want one with the query", err)
	}
}

// limited refuses ranges that are too long, as a server with a low
// --query.max-samples does, and passes others on.
func limited(t *testing.T, url string, longest time.Duration, body string) string {
	t.Helper()
	ranged := regexp.MustCompile(`\[(\d+)ms\]$`)
	proxy := forward(t, url)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := formOf(t, readBody(t, r))
		length := time.Duration(0)
		if found := ranged.FindStringSubmatch(form("query")); found != nil {
			n, _ := strconv.Atoi(found[1])
			length = time.Duration(n) * time.Millisecond
		} else if form("end") != "" {
			from, _ := strconv.ParseFloat(form("start"), 64)
			to, _ := strconv.ParseFloat(form("end"), 64)
			length = time.Duration((to - from) * float64(time.Second))
		}
		if length > longest {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, body)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const tooManySamples = `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`

// TestTooManySamples splits a range until the server takes it; nothing is lost
// or counted twice at the seams.
func TestTooManySamples(t *testing.T) {
	spec := recordedSpec()
	spec.Queries = map[string]string{APIManagerCPU: `avg(rate(wso2_token_endpoint_requests_total{code="2xx",job="token-persistence"}[15s])) / 1000`}
	spec.Step = 5 * time.Second
	spec.Kind, spec.URL = "prometheus", serve(t, parse(t, recorded))
	whole, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	spec.URL = limited(t, spec.URL, 17*time.Second, tooManySamples)
	split, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, split); diff != "" {
		t.Errorf("(-whole +split)\n%s", diff)
	}

	spec.URL = limited(t, spec.URL, 0, tooManySamples)
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "too many samples") {
		t.Errorf("a server that refuses every range gave %v", err)
	}
}

// TestPartialAnswer refuses what a federated server could not read completely, or
// leaves it out where that is allowed: a target that is missing from a sum would look like fewer tokens.
func TestPartialAnswer(t *testing.T) {
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", annotated(t, serve(t, parse(t, recorded)), `"warnings":["receive series from store 10.0.0.7: deadline exceeded"],`)
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "store 10.0.0.7") || !strings.Contains(err.Error(), "--prometheus.allow-partial") {
		t.Errorf("error %v, want one with the store and the flag", err)
	}
	spec.AllowPartial = true
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Runs[0].Series) > 0 {
		t.Errorf("series of partial answers: %v", d.Runs[0].Series)
	}
	if got := saysOf(d, EndpointRequests); !strings.HasPrefix(got, "partial: ") || !strings.Contains(got, "store 10.0.0.7") {
		t.Errorf("problem %q", got)
	}
	spec.URL = annotated(t, serve(t, parse(t, recorded)), `"warnings":["PromQL warning: metric might not be a gauge"],`)
	if d, err = Read(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if len(d.Runs[0].Series[EndpointRequests].Intervals) == 0 || !strings.Contains(saysOf(d, EndpointRequests), "might not be a gauge") {
		t.Errorf("a remark about the query: %q, series %v", saysOf(d, EndpointRequests), d.Runs[0].Series)
	}
}

// annotated adds members to every answer of a server.
func annotated(t *testing.T, url, members string) string {
	t.Helper()
	proxy := forward(t, url)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "{"+members+strings.TrimPrefix(answer.Body.String(), "{"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestRedirects follows what keeps the query and explains the rest; credentials
// stay with the host they are meant for.
func TestRedirects(t *testing.T) {
	target := forward(t, serve(t, parse(t, recorded)))
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer elsewhere.Close()
	for _, c := range []struct {
		name   string
		status int
		to     string
		follow bool
		want   string
	}{
		{"kept", http.StatusPermanentRedirect, "/behind", true, ""},
		{"turned into a GET", http.StatusMovedPermanently, "/behind", true, "give the URL that answers as source.prometheus.url"},
		{"another host", http.StatusTemporaryRedirect, elsewhere.URL, true, "redirects to another host"},
		{"another host, with a password", http.StatusTemporaryRedirect, "https://u:canary@elsewhere.example", true, "to https://u:xxxxx@elsewhere.example"},
		{"for ever", http.StatusTemporaryRedirect, "", true, "redirects more than 5 times"},
		{"not to be followed", http.StatusTemporaryRedirect, "/behind", false, "the server redirects"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if path, behind := strings.CutPrefix(r.URL.Path, "/behind"); behind {
					r.URL.Path = path
					target.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Location", c.to+r.URL.Path)
				w.WriteHeader(c.status)
			}))
			defer server.Close()
			spec := recordedSpec()
			spec.Kind, spec.URL, spec.HTTP.FollowRedirects = "prometheus", server.URL, c.follow
			spec.HTTP.BasicAuth = &config.BasicAuth{Username: "u", Password: "canary-secret"}
			d, err := Read(t.Context(), spec)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkRecorded(t, d)
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestTLS trusts the authority that the settings name, and says what to set
// when it is another one.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(forward(t, serve(t, parse(t, recorded))))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshakes that fail
	server.StartTLS()
	defer server.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", server.URL
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "tls_config under source.prometheus.http") {
		t.Errorf("an unknown authority gave %v", err)
	}
	spec.HTTP.TLSConfig.CAFile = authority
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	checkRecorded(t, d)
	spec.URL = strings.Replace(server.URL, "https://", "http://", 1)
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "source.prometheus.url") {
		t.Errorf("plain HTTP to a TLS port gave %v", err)
	}
}

// TestBasicAuthentication sends user and password.
func TestBasicAuthentication(t *testing.T) {
	target := forward(t, serve(t, parse(t, recorded)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "u" || password != "p" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization")
		target.ServeHTTP(w, r)
	}))
	defer server.Close()
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", server.URL
	spec.HTTP.BasicAuth = &config.BasicAuth{Username: "u", Password: "p"}
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	checkRecorded(t, d)
}

// TestWindowsInOrder reads more windows than are read at a time: each gets its
// own samples, and what is said about them keeps their order.
func TestWindowsInOrder(t *testing.T) {
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", serve(t, parse(t, recorded))
	first := spec.Windows[0]
	spec.Windows = nil
	for i := range 12 {
		w := first
		w.Start = first.Start.Add(time.Duration(i) * 5 * time.Second)
		w.End = w.Start.Add(30 * time.Second)
		spec.Windows = append(spec.Windows, w)
	}
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, again); diff != "" {
		t.Errorf("read twice (-first +second)\n%s", diff)
	}
	for i, run := range d.Runs {
		in := run.Series[EndpointRequests].Intervals
		if len(in) != 6 || !in[0].From.Equal(spec.Windows[i].Start) {
			t.Errorf("window %d has %d intervals from %v on, want 6 from %s", i, len(in), in, spec.Windows[i].Start)
		}
	}
}

// forward hands requests on to a server.
func forward(t *testing.T, to string) http.Handler {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

// readBody reads the body of a request and leaves it to be read again.
func readBody(t *testing.T, r *http.Request) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(text)))
	return string(text)
}

// formOf parses the body of a query.
func formOf(t *testing.T, body string) func(string) string {
	t.Helper()
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Error(err)
	}
	return form.Get
}

// TestBusyServer asks again where a proxy limits requests.
func TestBusyServer(t *testing.T) {
	target := forward(t, serve(t, parse(t, recorded)))
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v1/query") && asked.Add(1) == 1 {
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return
		}
		target.ServeHTTP(w, r)
	}))
	defer server.Close()
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", server.URL
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	checkRecorded(t, d)
}
