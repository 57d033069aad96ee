package source

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/common/config"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// front serves the recorded series as another kind of store does.
func front(t *testing.T, kind string, faults ...string) (*sourcetest.Front, Spec) {
	t.Helper()
	behind, err := sourcetest.NewServer(t.TempDir(), parse(t, recorded))
	if err != nil {
		t.Fatal(err)
	}
	f, err := sourcetest.NewFront(behind, kind, faults...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(f)
	t.Cleanup(func() {
		server.Close()
		if err := behind.Close(); err != nil {
			t.Error(err)
		}
	})
	spec := recordedSpec()
	spec.Queries = map[string]string{APIManagerCPU: `avg(ec2_cpu_utilization_ratio{role="apim"}) - 0`}
	spec.Step = 1100 * time.Millisecond // no multiple of it is the window's start
	spec.Kind, spec.URL = "prometheus", server.URL
	spec.pause = func(context.Context, time.Duration) error { return nil }
	if kind == "mimir" {
		spec.HTTP.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{"X-Scope-OrgID": {Values: []string{"load-test"}}}}
	}
	return f, spec
}

var kinds = []string{"prometheus", "thanos", "victoriametrics", "mimir"}

// TestStoresAgree reads the same samples from every kind of store, whole and in
// halves from a busy one: the datasets and even the hashes are equal.
func TestStoresAgree(t *testing.T) {
	_, spec := front(t, "prometheus")
	want, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Runs[0].Series[APIManagerCPU].Points) == 0 {
		t.Fatal("the expression gave nothing")
	}
	for _, kind := range kinds {
		for _, faults := range [][]string{nil, {"longest=17s", "busy=3"}} {
			t.Run(strings.Join(append([]string{kind}, faults...), " "), func(t *testing.T) {
				_, spec := front(t, kind, faults...)
				got, err := Read(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-prometheus +%s)\n%s", kind, diff)
				}
			})
		}
	}
}

// TestIncompleteStore ends with an error that says what to do; where that is
// allowed it leaves the series out, and says so.
func TestIncompleteStore(t *testing.T) {
	for _, kind := range []string{"prometheus", "thanos", "victoriametrics", "mimir"} {
		t.Run(kind, func(t *testing.T) {
			_, spec := front(t, kind, "down")
			_, err := Read(t.Context(), spec)
			if err == nil || !strings.Contains(err.Error(), "10.0.0.7") {
				t.Fatalf("error %v, want one with the address of the part that is down", err)
			}
			for _, flavor := range []string{kind, "prometheus"} { // the second sends none of the parameters
				spec.AllowPartial, spec.Flavor = true, flavor
				d, err := Read(t.Context(), spec)
				if flavor == "prometheus" && kind == "victoriametrics" && err != nil {
					continue // times that were moved
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(d.Runs[0].Series) > 0 {
					t.Errorf("flavour %s: series of partial answers: %v", flavor, d.Runs[0].Series)
				}
				if got := saysOf(d, EndpointRequests); !strings.HasPrefix(got, "partial: ") {
					t.Errorf("flavour %s: problem %q", flavor, got)
				}
			}
		})
	}
}

// TestUndetectedPartial finds what a store says of itself even where it was taken
// for a Prometheus, so that nothing was asked of it.
func TestUndetectedPartial(t *testing.T) {
	for _, kind := range []string{"thanos", "victoriametrics"} {
		_, spec := front(t, kind, "down")
		spec.Flavor = "prometheus"
		if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "calls its answer incomplete") || !strings.Contains(err.Error(), "--prometheus.allow-partial") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
}

// TestStoreMatch reads completely from the stores that matter while another is
// down.
func TestStoreMatch(t *testing.T) {
	_, spec := front(t, "thanos", "down")
	spec.Params = map[string][]string{"storeMatch[]": {`{__address__="10.0.0.8:10901"}`}}
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Runs[0].Series[EndpointRequests].Intervals) != 12 {
		t.Errorf("%d intervals, want 12", len(d.Runs[0].Series[EndpointRequests].Intervals))
	}
}

// TestRoll knows the stores of an answer by addresses and external labels, as
// Thanos does, and remembers those that are off its list.
func TestRoll(t *testing.T) {
	list := `{"data":{"sidecar":[{"name":"a:1","lastError":null,"labelSets":[{"cluster":"x","replica":"1"}]},{"name":"b:1","lastError":"gone","labelSets":[{"cluster":"y"}]}]}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(list)) }))
	defer server.Close()
	client, err := api.NewClient(api.Config{Address: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRoll(client, nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(r *roll, query, want string) {
		t.Helper()
		if got := r.lost(t.Context(), query); got == "" != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	check(r, `up`, "b:1 {cluster=y}")
	check(r, `up{cluster="x"}`, "")
	check(r, `up{cluster="x"} / up{cluster=~"x|y"}`, "b:1")
	check(r, `up{job="x"}`, "b:1") // no external label: every store may have it
	list = `{"data":{"sidecar":[{"name":"b:1","lastError":null}]}}`
	check(r, `up`, "a:1 {cluster=x,replica=1} is not on the server's list any more")
	check(r, `up{cluster="y"}`, "")
	list = `{"data":{}}`
	check(r, `up{cluster="y"}`, "b:1 {cluster=y} is not on")
	only, err := newRoll(client, map[string][]string{"storeMatch[]": {`{__address__=~"a:.*"}`}})
	if err != nil {
		t.Fatal(err)
	}
	list = `{"data":{"store":[{"name":"b:1","lastError":"gone"}]}}`
	check(only, `up`, "")
	list = `<html>`
	check(r, `up`, "") // a proxy without a list
	check(nil, `up`, "")
}

// TestMovedTimes refuses values that are about another time than the one asked
// for.
func TestMovedTimes(t *testing.T) {
	_, spec := front(t, "victoriametrics")
	spec.Flavor = "prometheus"
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "moved the times") {
		t.Errorf("error %v", err)
	}
}

// TestTenant names the header that Mimir wants, and an unknown flavour.
func TestTenant(t *testing.T) {
	_, spec := front(t, "mimir")
	spec.HTTP.HTTPHeaders = nil
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "--prometheus.header X-Scope-OrgID=TENANT") {
		t.Errorf("error %v", err)
	}
	spec.Flavor = "thonas"
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "did you mean thanos?") {
		t.Errorf("error %v", err)
	}
}

// TestRetryAfter waits as long as it is asked to, and not for ever.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "Wed, 01 Jul 2026 10:00:09 GMT": 9 * time.Second, "Wed, 01 Jul 2026 09:00:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	_, spec := front(t, "mimir", "busy=2")
	var waited []time.Duration
	spec.pause = func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	if _, err := Read(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{time.Second, time.Second}, waited); diff != "" {
		t.Errorf("pauses (-want +got)\n%s", diff)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	spec.URL = server.URL
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "asks to wait 1h0m0s") {
		t.Errorf("error %v", err)
	}
}

// TestSlowServer halves a range that takes too long, and gives up in the end.
func TestSlowServer(t *testing.T) {
	target := forward(t, serve(t, parse(t, recorded)))
	for status, body := range map[int]string{
		http.StatusServiceUnavailable:  `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`,
		http.StatusGatewayTimeout:      "<html>",
		http.StatusUnprocessableEntity: `{"status":"error","errorType":"422","error":"timeout exceeded while fetching data block #7 from storage"}`,
	} {
		never := false
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text := readBody(t, r)
			if strings.Contains(r.URL.Path, "buildinfo") || !never && !strings.Contains(formOf(t, text)("query"), "[60001ms]") {
				target.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		spec := recordedSpec()
		spec.Kind, spec.URL = "prometheus", server.URL
		d, err := Read(t.Context(), spec)
		if err != nil {
			t.Errorf("status %d: %v", status, err)
		} else {
			checkRecorded(t, d)
		}
		never = true
		if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "took too long as well") {
			t.Errorf("status %d for ever: %v", status, err)
		}
		server.Close()
	}
}

// TestPieces covers a range once, without gaps on its grid.
func TestPieces(t *testing.T) {
	from := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		length, grain, longest time.Duration
		want                   int
	}{
		{time.Minute, time.Millisecond, time.Hour, 1}, {time.Hour, time.Millisecond, time.Minute, 60},
		{time.Hour - time.Millisecond, time.Millisecond, time.Minute, 60}, {time.Hour, 7 * time.Second, time.Minute, 65},
		{time.Hour, 2 * time.Hour, time.Minute, 1}, {0, time.Second, time.Minute, 1},
	} {
		got := pieces(from, from.Add(c.length), c.grain, c.longest)
		points := 0
		for i, p := range got {
			if p.to.Before(p.from) || i > 0 && !p.from.Equal(got[i-1].to.Add(c.grain)) {
				t.Errorf("%v: piece %v after %v", c, p, got[max(0, i-1)])
			}
			points += int(p.to.Sub(p.from)/c.grain) + 1
		}
		if len(got) != c.want || points != int(c.length/c.grain)+1 {
			t.Errorf("%v: %d pieces of %d points, want %d of %d", c, len(got), points, c.want, int(c.length/c.grain)+1)
		}
	}
}

// TestProgressWithin moves within one long window, never back, and ends full.
func TestProgressWithin(t *testing.T) {
	_, spec := front(t, "prometheus")
	spec.Windows[0].End = spec.Windows[0].Start.Add(24 * time.Hour)
	last, total, steps := int64(0), int64(0), 0
	spec.Progress = func(done, all int64) {
		if done < last {
			t.Errorf("%d after %d", done, last)
		}
		if done > last {
			steps++
		}
		last, total = done, all
	}
	if _, err := Read(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if last != total || steps < 40 { // four pieces of more than ten queries
		t.Errorf("%d of %d in %d steps", last, total, steps)
	}
}
