package inspect_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/inspect"
	"github.com/tokenpersistence/toolkit/analyze/jtl"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// results is a result file in the making.
type results struct{ rows bytes.Buffer }

// row adds one result that started so many milliseconds after
// 2026-07-01T10:00:00Z.
func (f *results) row(start, elapsed int, label string, success bool) {
	at := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC).UnixMilli()
	fmt.Fprintf(&f.rows, "%d,%d,%s,%t\n", at+int64(start), elapsed, label, success)
}

// load adds n results a second of a label for a number of seconds.
func (f *results) load(label string, from, seconds, n int) {
	for s := range seconds {
		for i := range n {
			f.row((from+s)*1000, i*10, label, true)
		}
	}
}

// read reads what was written so far.
func (f *results) read(t *testing.T, name string) inspect.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.jtl")
	if err := os.WriteFile(path, []byte("timeStamp,elapsed,label,success\n"+f.rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := source.ReadSurveys(t.Context(), source.Spec{}, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	return inspect.File{Name: name, Survey: all[0]}
}

func TestStretches(t *testing.T) {
	var f results
	f.load("token", 0, 40, 2)
	f.load("token", 50, 11, 2)  // after 10 s of silence: an outage within the load
	f.load("token", 100, 30, 3) // after 39 s: another run
	f.load("token", 200, 1, 3)  // one second is no stretch
	found := inspect.Stretches(f.read(t, "a.jtl").Labels[0])
	if len(found) != 2 {
		t.Fatalf("%d stretches: %v", len(found), found)
	}
	first, second := found[0], found[1]
	if len(first.Successes) != 60 || len(first.Silences) != 1 || first.Silences[0].Seconds != 10 || first.Silences[0].Start.Second() != 40 || first.Start.Second() != 0 {
		t.Errorf("first: %v", first)
	}
	if want := float64(40*2+10*2) / 60; first.Throughput() != want {
		t.Errorf("silence counts as zero: got %v, want %v", first.Throughput(), want)
	}
	if len(second.Successes) != 29 || second.Throughput() != 3 || len(second.Silences) != 0 {
		t.Errorf("second: %v", second)
	}
	if none := inspect.Stretches(source.Label{}); len(none) != 0 {
		t.Errorf("stretches of nothing: %v", none)
	}
}

func TestText(t *testing.T) {
	var f results
	f.load("GetToken\x1b[31m"+strings.Repeat("_long", 20), 0, 40, 2)
	f.load("other", 45, 30, 2)
	f.row(50_000, 0, "failed only", false)
	fmt.Fprintf(&f.rows, "17,%s\n", strings.Repeat("x", 100))
	var out bytes.Buffer
	if err := inspect.Text(&out, []inspect.File{f.read(t, "a.jtl"), {Name: "empty.jtl"}}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if len([]rune(line)) > 80 || strings.ContainsRune(line, 0x1b) {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
	for _, want := range []string{"142 rows, 1 could not be read, 3 labels", "x.jtl:143: ", "other", "100.00 %", "empty.jtl", "load, UTC"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

// TestWarmup suggests what MSER-5 would cut from a ramp, and nothing for a steady
// stretch, a silent one, or one that is too short to ask.
func TestWarmup(t *testing.T) {
	text := func(fill func(f *results)) string {
		var f results
		fill(&f)
		var out bytes.Buffer
		if err := inspect.Text(&out, []inspect.File{f.read(t, "a.jtl")}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	ramp := func(f *results) {
		for s := range 20 {
			f.load("token", s, 1, 1+s/2)
		}
		f.load("token", 20, 101, 10)
	}
	for name, c := range map[string]struct {
		fill func(f *results)
		want string
	}{
		"ramp":      {ramp, "warm-up: MSER-5 suggests 20 s, the longest of 1 cut in 1 stretch\n"},
		"two":       {func(f *results) { ramp(f); f.load("token", 200, 60, 4) }, "warm-up: MSER-5 suggests 20 s, the longest of 1 cut in 2 stretches\n"},
		"steady":    {func(f *results) { f.load("token", 0, 100, 4) }, "warm-up: MSER-5 suggests none in 1 stretch\n"},
		"rising":    {func(f *results) { rising(f) }, "warm-up: 1 stretch not settled in the first half: warm up longer\n"},
		"short":     {func(f *results) { f.load("token", 0, 40, 4) }, ""},
		"silent":    {func(f *results) { f.load("token", 0, 10, 1); f.load("token", 20, 100, 4) }, ""},
		"no result": {func(f *results) { f.row(0, 1, "token", true) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := text(c.fill)
			if _, after, found := strings.Cut(got, "  warm-up: "); found != (c.want != "") || found && "warm-up: "+after != c.want {
				t.Errorf("want %q in\n%s", c.want, got)
			}
		})
	}
	var f results
	ramp(&f)
	var out bytes.Buffer
	if err := inspect.Experiment(&out, []inspect.File{f.read(t, "on.jtl")}); err != nil || !strings.Contains(out.String(), "\n# Warm-up: MSER-5 suggests 20 s, the longest of 1 cut in 1 stretch.\n") {
		t.Errorf("%v in\n%s", err, out.String())
	}
}

// rising loads more every second.
func rising(f *results) {
	for s := range 100 {
		f.load("token", s, 1, 1+s/5)
	}
}

func TestManyLabels(t *testing.T) {
	var f results
	for i := range 300 {
		f.load(fmt.Sprintf("label %03d", i), 0, 30, 1)
	}
	file := f.read(t, "a.jtl")
	var text, experiment bytes.Buffer
	if err := errors.Join(inspect.Text(&text, []inspect.File{file}), inspect.Experiment(&experiment, []inspect.File{file})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"9000 rows, 0 could not be read, 200 labels", "  3000 rows are of more labels than these", "… and 180 more\n", "… and 180 more stretches\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	if want := "# a.jtl: 3000 rows are of more labels than were looked at\n"; !strings.Contains(experiment.String(), want) {
		t.Errorf("%q is missing in\n%.2000s", want, experiment.String())
	}
}

// TestReplayLabels leaves out and counts the labels beyond those it keeps.
func TestReplayLabels(t *testing.T) {
	f := inspect.NewReplay("a.jtl", 0)
	for i := range 1500 {
		f.Add(jtl.Row{Start: 1, Label: fmt.Appendf(nil, "label %d", i)})
	}
	var out bytes.Buffer
	if err := inspect.JMeterDashboard(&out, []*inspect.Replay{f}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1+1000 || f.Unlabelled != 500 {
		t.Errorf("%d lines, %d rows beyond", n, f.Unlabelled)
	}
}

func TestExperiment(t *testing.T) {
	var on, off, what results
	on.load("Get Token Password Grant", 0, 40, 2)
	fmt.Fprintln(&on.rows, "17,\"broken")
	off.load("Get Token Password Grant", 100, 40, 2)
	off.load("Refresh Token", 200, 40, 2)
	off.load("short", 300, 10, 2)
	what.load("other password", 400, 40, 2)
	var out bytes.Buffer
	if err := inspect.Experiment(&out, []inspect.File{on.read(t, "run-on-1.jtl"), off.read(t, "results/non-persistent.jtl"), what.read(t, "results.jtl")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"warmup: 7s\n", `  password: "Get Token Password Grant"`, `  refresh_token: "Refresh Token"`, `  other_password: "other password"`,
		`  - {grant: password, persistence: on, block: 1, start: 2026-07-01T10:00:00Z, end: 2026-07-01T10:00:39Z, jtl: ["run-on-1.jtl"]}`,
		`  - {grant: password, persistence: off, block: 1, start: 2026-07-01T10:01:40Z,`,
		`jtl: ["results.jtl"]} # was persistence on?`,
		"\n# run-on-1.jtl: 1 of 81 rows could not be read, for example ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "short") {
		t.Errorf("ten seconds are no window:\n%s", out.String())
	}
	if err := inspect.Experiment(&out, []inspect.File{{Name: "a.jtl"}}); err == nil {
		t.Error("an experiment of nothing")
	}
}

// TestLocalTimes are shown, and said to be local; no window is made of them.
func TestLocalTimes(t *testing.T) {
	var f results
	for s := range 60 {
		fmt.Fprintf(&f.rows, "2026/07/01 10:00:%02d.250,10,token,true\n", s)
	}
	file := f.read(t, "a.jtl")
	var out bytes.Buffer
	if err := inspect.Text(&out, []inspect.File{file}); err != nil || !strings.Contains(out.String(), "names no zone") || !strings.Contains(out.String(), "2026-07-01 10:00:00 – 10:00:59") {
		t.Errorf("%v in\n%s", err, out.String())
	}
	err := inspect.Experiment(&out, []inspect.File{file})
	if _, ok := errors.AsType[*source.SpecError](err); !ok || !strings.Contains(err.Error(), "timestamp_format=ms") {
		t.Errorf("error %v", err)
	}
}
