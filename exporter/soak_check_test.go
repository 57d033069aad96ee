package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// soakSlack is what an answer may be late on a machine that runs all of this:
// the way back and the scheduler, not the exporter's own figure.
const soakSlack = time.Second

// scrapeOn scrapes at random moments until ctx ends and checks every page.
func (w *soakWorld) scrapeOn(ctx context.Context, name string, random *rand.Rand) {
	owners := owners(w.t.(*testing.T))
	var last page
	var lastStart time.Time
	for pause(ctx, 100*time.Millisecond, 3*time.Second, random) {
		timeout := []string{"0.5", "1", "2"}[random.IntN(3)]
		limit := map[string]time.Duration{"0.5": time.Second / 2, "1": time.Second, "2": 2 * time.Second}[timeout]
		start := time.Now()
		body, err := w.ask(timeout)
		took := time.Since(start)
		out := w.outFor() - took // of an outage that lasts still: how long it had lasted when we asked
		w.scrapes.Add(1)
		asleep := w.stoppedSince(start)
		if err != nil {
			if !asleep {
				w.violate("%s: no answer: %v", name, err)
			}
			continue
		}
		if reserve := limit - took; !asleep {
			w.reserve.Store(min(w.reserve.Load(), int64(reserve)))
			if reserve < -soakSlack {
				w.violate("%s: answered after %v, asked for %v", name, took, limit)
			}
		}
		w.silent("a page", body)
		p, err := parsePage(body)
		if err != nil {
			w.violate("%s: the page does not parse: %v", name, err)
			continue
		}
		w.checkTruth(name, p, owners, out, asleep)
		w.checkValues(name, p, float64(w.attempted.Load()))
		w.checkCounters(name, last, p, lastStart)
		last, lastStart = p, start
	}
}

// ask returns a page, whatever the state of the world.
func (w *soakWorld) ask(timeout string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.r.url+"/metrics", nil)
	if err != nil {
		return "", err
	}
	request.Header.Set(timeoutHeader, timeout)
	response, err := w.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", response.StatusCode, body)
	}
	return string(body), err
}

func parsePage(body string) (page, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(strings.NewReader(body))
}

// stoppedSince reports whether the exporter's process was stopped at some time
// since start.
func (w *soakWorld) stoppedSince(start time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped.After(start)
}

// everySuccess is success with the slow collectors.
func (p page) everySuccess() map[string]bool {
	success := map[string]bool{}
	for _, m := range p["token_persistence_exporter_collector_success"].GetMetric() {
		success[m.Label[0].GetValue()] = m.GetGauge().GetValue() == 1
	}
	return success
}

func (w *soakWorld) silent(where, text string) {
	if strings.Contains(text, canary) {
		w.violate("%s holds the secret", where)
	}
}

// checkTruth compares the success gauges with what the page shows and with what
// is known of the database.
func (w *soakWorld) checkTruth(name string, p page, owners map[string]string, out time.Duration, asleep bool) {
	success := p.everySuccess()
	shown := map[string]bool{}
	for family := range p {
		shown[owners[family]] = true
	}
	for collector, ok := range success {
		beside := slices.Contains([]string{"cloudwatch", "endpoint", "carbonlog", "statements", "census"}, collector) // they may show what stays true
		// Table I/O that was just told to forget has counted nothing yet.
		forgot := collector == "tableio" && w.resetSince(time.Now().Add(-5*time.Second))
		if ok && !shown[collector] && !forgot {
			w.violate("%s: %s claims success and shows nothing", name, collector)
		}
		if !ok && shown[collector] && !beside {
			w.violate("%s: %s failed and shows metrics", name, collector)
		}
	}
	// A run that began before the outage may have its result still: runs are
	// shared, and none lasts longer than the longest timeout of the scrapers.
	if out > 3*time.Second && !asleep {
		for _, collector := range []string{"mysql", "tokens", "tableio", "tablesize"} {
			if success[collector] {
				w.violate("%s: %s claims success %v into an outage", name, collector, out)
			}
		}
	}
}

// checkValues compares what is shown with what was done.
func (w *soakWorld) checkValues(name string, p page, attempted float64) {
	if rows := rowsIn(p); rows > attempted {
		w.violate("%s: %v rows counted, %v attempted", name, rows, attempted)
	}
	if requests, _ := p.value("wso2_token_endpoint_requests_total", "endpoint", "token"); requests > float64(w.requests.Load()) {
		w.violate("%s: %v requests counted, %d written", name, requests, w.requests.Load())
	}
	for metric, family := range soakMetrics {
		value, there := p.value(family)
		if !there {
			continue
		}
		at, stamped := p.value("rds_datapoint_timestamp_seconds", "metric", metric)
		w.mu.Lock()
		known := slices.Contains(w.published[metric][int64(at)], value)
		w.mu.Unlock()
		if !stamped || !known {
			w.violate("%s: CloudWatch never published %s %v at %v", name, metric, value, at)
		}
	}
	for family, most := range map[string]float64{"go_goroutines": 150, "process_open_fds": 80} {
		if v, _ := p.value(family); v > most {
			w.violate("%s: %s is %v", name, family, v)
		}
	}
	for family, f := range p {
		for _, m := range f.Metric {
			if v := m.GetGauge().GetValue() + m.GetCounter().GetValue(); math.IsNaN(v) || math.IsInf(v, 0) {
				w.violate("%s: %s is %v", name, family, v)
			}
		}
	}
}

// checkCounters: no counter goes down from one scrape to the next, those of the
// server excepted when it was restarted, replaced or told to forget.
func (w *soakWorld) checkCounters(name string, before, now page, lastStart time.Time) {
	reset := w.resetSince(lastStart.Add(-3 * time.Second))
	for family, f := range now {
		if f.GetType() != dto.MetricType_COUNTER && f.GetType() != dto.MetricType_HISTOGRAM || reset && ofServer(family) {
			continue
		}
		old := map[string]float64{}
		for _, m := range before[family].GetMetric() {
			old[labelKey(m)] = counted(m)
		}
		for _, m := range f.Metric {
			if counted(m) < old[labelKey(m)] {
				w.violate("%s: %s{%s} went from %v to %v", name, family, labelKey(m), old[labelKey(m)], counted(m))
			}
		}
	}
}

// resetSince reports whether counters of the server may have gone down since.
func (w *soakWorld) resetSince(since time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.resets.After(since)
}

func counted(m *dto.Metric) float64 {
	return m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
}

// ofServer reports whether a counter is the database server's own.
func ofServer(family string) bool {
	for _, prefix := range []string{"mysql_", "wso2_token_table_", "wso2_token_statement", "wso2_token_tax", "wso2_token_transactions"} {
		if strings.HasPrefix(family, prefix) {
			return true
		}
	}
	return false
}
