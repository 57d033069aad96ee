package rig

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

func TestRecorderKeepsWhatItScrapes(t *testing.T) {
	var scrapes atomic.Int64
	third := make(chan struct{})
	canary := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := scrapes.Add(1)
		fmt.Fprintf(w, "# TYPE canary_total counter\ncanary_total %d\n", n)
		if n == 3 {
			close(third)
		}
	}))
	defer canary.Close()
	folder := t.TempDir()
	r, err := startRecorder(folder, target{job, strings.TrimPrefix(canary.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	<-third
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if got := canaries(t, folder); len(got) < 2 || got[0] != 1 || got[1] != 2 {
		t.Errorf("recorded %v of %d scrapes", got, scrapes.Load())
	}
}

// canaries reads the samples of canary_total under the rig's job.
func canaries(t *testing.T, folder string) (values []float64) {
	t.Helper()
	db, err := tsdb.Open(folder, slog.New(slog.NewTextHandler(io.Discard, nil)), nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	q, err := db.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "canary_total"),
		labels.MustNewMatcher(labels.MatchEqual, "job", job))
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			_, v := it.At()
			values = append(values, v)
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestCheckPrometheus(t *testing.T) {
	exporter, windows := target{job, "127.0.0.1:9851"}, target{windowsJob, "127.0.0.1:9852"}
	for name, c := range map[string]struct {
		up   []string // jobs that are scraped
		both bool
		want string // in the error
	}{
		"both":         {[]string{job, windowsJob}, true, ""},
		"the exporter": {[]string{job}, false, ""},
		"the windows":  {[]string{windowsJob}, false, "job_name: token-persistence\n    scrape_interval: 1s\n    static_configs: [{targets: ['127.0.0.1:9851']}]\n"},
		"none":         {nil, false, "job_name: testbed\n    scrape_interval: 1s\n    static_configs: [{targets: ['127.0.0.1:9852']}]\n"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			result := ""
			for _, name := range c.up {
				if r.FormValue("query") == `up{job="`+name+`"} == 1` {
					result = `{"metric":{"job":"` + name + `"},"value":[1,"1"]}`
				}
			}
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, result)
		}))
		both, err := checkPrometheus(t.Context(), server.URL, exporter, windows, 0)
		server.Close()
		if both != c.both || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %t, error %v", name, both, err)
		}
	}
	if _, err := checkPrometheus(t.Context(), "http://127.0.0.1:1", exporter, windows, 0); err == nil || !strings.Contains(err.Error(), "--prometheus-url") {
		t.Errorf("error %v does not name the flag", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
