package inspect_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/inspect"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// load adds n results a second of a label for a number of seconds from a
// second of 2026-07-01T10:00:00Z on.
func load(f *inspect.File, label string, from, seconds, n int) {
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC).UnixMilli()
	for s := range seconds {
		for i := range n {
			f.Add(source.Result{Start: start + int64(from+s)*1000, Elapsed: int64(i * 10), Label: []byte(label), Success: true})
		}
	}
}

func TestStretches(t *testing.T) {
	f := inspect.NewFile("a.jtl", 0)
	load(f, "token", 0, 40, 2)
	load(f, "token", 50, 11, 2)  // after 10 s of silence: an outage within the load
	load(f, "token", 100, 30, 3) // after 39 s: another run
	found := f.Labels()[0].Stretches()
	if len(found) != 2 {
		t.Fatalf("%d stretches: %v", len(found), found)
	}
	first, second := found[0], found[1]
	if len(first.Successes) != 60 || len(first.Silences) != 1 || first.Silences[0].Seconds != 10 || first.Start.Second() != 0 {
		t.Errorf("first: %v", first)
	}
	if want := float64(40*2+10*2) / 60; first.Throughput() != want {
		t.Errorf("silence counts as zero: got %v, want %v", first.Throughput(), want)
	}
	if len(second.Successes) != 29 || second.Throughput() != 3 || len(second.Silences) != 0 {
		t.Errorf("second: %v", second)
	}
}

func TestText(t *testing.T) {
	f := inspect.NewFile("a.jtl", 0)
	load(f, "GetToken\x1b[31m"+strings.Repeat("_long", 20), 0, 40, 2)
	load(f, "other", 45, 30, 2)
	f.Add(source.Result{Start: time.Date(2026, 7, 1, 10, 0, 50, 0, time.UTC).UnixMilli(), Label: []byte("failed only")})
	f.Rows = source.FileRows{Rows: 142, Bad: 1, BadLines: []string{"a.jtl:7: " + strings.Repeat("x", 100)}}
	var out bytes.Buffer
	if err := inspect.Text(&out, []*inspect.File{f, inspect.NewFile("empty.jtl", 0)}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if len([]rune(line)) > 80 || strings.ContainsRune(line, 0x1b) {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
	for _, want := range []string{"142 rows, 1 could not be read, 3 labels", "a.jtl:7: xxx", "other", "100.00 %", "empty.jtl"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestManyLabels(t *testing.T) {
	f := inspect.NewFile("a.jtl", 0)
	for i := range 1500 {
		f.Add(source.Result{Start: 1, Label: fmt.Appendf(nil, "label %d", i)})
	}
	if len(f.Labels()) != 1000 || f.Unlabelled != 500 {
		t.Errorf("%d labels, %d rows beyond", len(f.Labels()), f.Unlabelled)
	}
}

func TestExperiment(t *testing.T) {
	on, off, what := inspect.NewFile("run-on-1.jtl", 0), inspect.NewFile("results/non-persistent.jtl", 0), inspect.NewFile("results.jtl", 0)
	load(on, "Get Token Password Grant", 0, 40, 2)
	load(off, "Get Token Password Grant", 100, 40, 2)
	load(off, "Refresh Token", 200, 40, 2)
	load(off, "short", 300, 10, 2)
	load(what, "other password", 400, 40, 2)
	var out bytes.Buffer
	if err := inspect.Experiment(&out, []*inspect.File{on, off, what}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"warmup: 7s\n", `  password: "Get Token Password Grant"`, `  refresh_token: "Refresh Token"`, `  other_password: "other password"`,
		`  - {grant: password, persistence: on, block: 1, start: 2026-07-01T10:00:00Z, end: 2026-07-01T10:00:39Z, jtl: ["run-on-1.jtl"]}`,
		`  - {grant: password, persistence: off, block: 1, start: 2026-07-01T10:01:40Z,`,
		`jtl: ["results.jtl"]} # was persistence on?`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "short") {
		t.Errorf("ten seconds are no window:\n%s", out.String())
	}
	if err := inspect.Experiment(&out, []*inspect.File{inspect.NewFile("a.jtl", 0)}); err == nil {
		t.Error("an experiment of nothing")
	}
}
