package source

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// unknownWindows is a recording of 100 s: load, a pause, load.
const unknownWindows = `
start 2026-07-01T10:00:00Z step 5s
token_persistence_exporter_collector_success{collector="endpoint",instance="e",job="tp"} 1x20
wso2_token_endpoint_requests_total{code="2xx",endpoint="token",instance="e",job="tp",method="POST"} _x2 0+500x8 4000x4 4500+500x3
wso2_token_endpoint_requests_total{code="2xx",endpoint="token",instance="o",job="staging",method="POST"} 7+7x20
wso2_token_table_io_operations_total{instance="e",job="tp",operation="insert",table="IDN_OAUTH2_ACCESS_TOKEN"} 100+1000x10 10100x10
wso2_token_table_io_operations_total{instance="e",job="tp",operation="fetch",table="IDN_OAUTH2_ACCESS_TOKEN"} 100+7x20
wso2_token_persistence_log_mode{instance="e",job="tp",mode="on"} 2x20
`

func recordingOf(t *testing.T, text string, spec Spec, start time.Time, length time.Duration, more []Metric) (Recording, error) {
	t.Helper()
	spec.Kind, spec.TSDB = "tsdb", t.TempDir()
	if err := sourcetest.Write(spec.TSDB, parse(t, text), false); err != nil {
		t.Fatal(err)
	}
	return ReadRecording(t.Context(), spec, start, start.Add(length), more)
}

var tenOClock = time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)

func TestReadRecording(t *testing.T) {
	more := []Metric{
		{Name: "inserts", Metric: "wso2_token_table_io_operations_total", Labels: map[string]string{"operation": "insert", "table": "IDN_OAUTH2_ACCESS_TOKEN"}},
		{Name: "deletes", Metric: "wso2_token_table_io_operations_total", Labels: map[string]string{"operation": "delete", "table": "IDN_OAUTH2_ACCESS_TOKEN"}},
		{Name: "log_on", Metric: "wso2_token_persistence_log_mode", Labels: map[string]string{"mode": "on"}, Gauge: true},
	}
	spec := Spec{Matchers: map[string]string{"job": "tp"}, Windows: []Window{{JTL: []string{"not looked at"}}}}
	r, err := recordingOf(t, unknownWindows, spec, tenOClock, 100*time.Second, more)
	if err != nil {
		t.Fatal(err)
	}
	requests := r.Series[EndpointRequests]
	if len(requests.Intervals) != 20 || requests.Step != 5*time.Second {
		t.Errorf("%d intervals of %s: the clock ticks where the counter is absent", len(requests.Intervals), requests.Step)
	}
	if total, ok := requests.Over(tenOClock, tenOClock.Add(100*time.Second)); !ok || total != 6000 {
		t.Errorf("%v tokens, %v: want 6000 of one job", total, ok)
	}
	if total, ok := r.Series["inserts"].Over(tenOClock, tenOClock.Add(100*time.Second)); !ok || total != 10_000 {
		t.Errorf("%v inserts, %v", total, ok)
	}
	if _, ok := r.Series["deletes"]; ok {
		t.Error("a series without samples is there")
	}
	if points := r.Series["log_on"].Points; len(points) == 0 || points[0].Value != 2 {
		t.Errorf("log mode %v", points)
	}
	for _, p := range r.Problems {
		t.Errorf("problem %+v", p)
	}
	if len(r.Inputs) == 0 || !strings.Contains(r.Inputs[0].Query, `job="tp"`) {
		t.Errorf("inputs %+v", r.Inputs)
	}
}

func TestReadRecordingRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spec   Spec
		start  time.Time
		length time.Duration
		want   string
	}{
		"backwards":    {Spec{}, tenOClock, -time.Second, "is not after the start"},
		"another year": {Spec{}, tenOClock.AddDate(-1, 0, 0), time.Hour, "holds no sample of any series"},
		"profile":      {Spec{Profile: "mysqld_exporter"}, tenOClock, time.Hour, "profile mysqld_exporter counts no token requests"},
		"unknown":      {Spec{Profile: "export"}, tenOClock, time.Hour, "did you mean exporter?"},
	} {
		_, err := recordingOf(t, unknownWindows, c.spec, c.start, c.length, nil)
		if _, ok := errors.AsType[*SpecError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestOver(t *testing.T) {
	at := func(s float64) time.Time { return tenOClock.Add(time.Duration(s * float64(time.Second))) }
	s := Series{Intervals: []Interval{{at(0), at(10), 100}, {at(10), at(20), 50}, {at(30), at(40), 8}}}
	for _, c := range []struct {
		from, to, want float64
		known          bool
	}{
		{0, 20, 150, true},
		{5, 15, 75, true},
		{10, 20, 50, true},
		{32, 36, 3.2, true},
		{15, 35, 0, false}, // nobody looked from 20 to 30
		{-5, 5, 0, false},
		{35, 45, 0, false},
		{50, 60, 0, false},
		{10, 10, 0, false},
	} {
		got, known := s.Over(at(c.from), at(c.to))
		if known != c.known || known && math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%g to %g: %v, %v, want %v, %v", c.from, c.to, got, known, c.want, c.known)
		}
	}
}
