package rig

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

func TestMain(m *testing.M) {
	// Prometheus' dependency tree starts this one in an init function.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		cpus []int
		want Layout
	}{
		{nil, Layout{}},
		{[]int{3}, Layout{}},
		{[]int{0, 1}, Layout{Database: []int{0}, Users: []int{0}, KeyManagers: []int{1}}},
		{[]int{4, 5, 6}, Layout{Database: []int{4}, Users: []int{5}, KeyManagers: []int{6}}},
		{[]int{0, 1, 2, 3}, Layout{Database: []int{0}, Users: []int{1}, KeyManagers: []int{2, 3}}},
		{[]int{0, 1, 2, 3, 4, 5, 6, 7}, Layout{Database: []int{0, 1}, Users: []int{2, 3}, KeyManagers: []int{4, 5, 6, 7}}},
	} {
		if diff := cmp.Diff(c.want, Split(c.cpus)); diff != "" {
			t.Errorf("%d CPUs (-want +got):\n%s", len(c.cpus), diff)
		}
	}
}

func TestLayoutNoteAdmitsSharing(t *testing.T) {
	for _, c := range []struct {
		layout Layout
		want   string
	}{
		{Layout{}, "CPU 0,1, nothing pinned"},
		{Split([]int{0, 1}), "database and users share"},
		{Layout{Database: []int{0}, KeyManagers: []int{0, 1}, Users: []int{1}}, "the key managers share"},
	} {
		if got := c.layout.note([]int{0, 1}); !strings.Contains(got, c.want) {
			t.Errorf("note %q does not say %q", got, c.want)
		}
	}
	if got := Split([]int{0, 1, 2, 3}).note(nil); strings.Contains(got, "share") {
		t.Errorf("note %q of parts apart", got)
	}
}

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string][]int{"": nil, "2": {2}, "0,2-4": {0, 2, 3, 4}, " 1 , 3 ": {1, 3}} {
		got, err := ParseCPUs(text)
		if err != nil || !cmp.Equal(want, got) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"x", "-1", "3-1", "1-", "9999999"} {
		if got, err := ParseCPUs(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func TestOrderIsRandomAndRepeatable(t *testing.T) {
	draw := func(seed uint64) [][2]string { return order(rand.New(rand.NewPCG(seed, 0)), 64) }
	first := draw(7)
	if !cmp.Equal(first, draw(7)) {
		t.Error("one seed gave two orders")
	}
	n := map[[2]string]int{}
	for _, pair := range first {
		n[pair]++
	}
	if n[[2]string{on, off}]+n[[2]string{off, on}] != 64 || n[[2]string{on, off}] < 10 || n[[2]string{off, on}] < 10 {
		t.Errorf("orders %v", n)
	}
}

// good are options that pass.
func good() Options {
	return Options{Pairs: 5, Warmup: time.Second, Measure: 2 * time.Second, Users: 100, Applications: 10, Grants: Grants()}
}

func TestOptionsNameTheFlag(t *testing.T) {
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for flag, change := range map[string]func(*Options){
		"--pairs":            func(o *Options) { o.Pairs = 0 },
		"--warmup":           func(o *Options) { o.Warmup = -1 },
		"--measure":          func(o *Options) { o.Measure = time.Second },
		"--users":            func(o *Options) { o.Users = 0 },
		"--applications":     func(o *Options) { o.Applications = -1 },
		"--rate":             func(o *Options) { o.Rate = -1 },
		"--preload":          func(o *Options) { o.Preload = -1 },
		"--dsn-use-existing": func(o *Options) { o.UseExisting = true },
		"--grants":           func(o *Options) { o.Grants = []string{"password", "password"} },
	} {
		o := good()
		change(&o)
		if err := o.Check(); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: error %v", flag, err)
		}
	}
}

func TestOutputFolderMustBeNew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new")
	if _, err := prepareFolder(name); err != nil {
		t.Fatal(err)
	}
	if _, err := prepareFolder(name); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), "--out") {
		t.Errorf("a used folder gave %v", err)
	}
}

// counted is a window whose counts agree on n.
func counted(grant, mode string, pair, n int) window {
	w := window{Grant: grant, Mode: mode, Pair: pair, Received: n, JTLRows: n, Requests: int64(n)}
	if mode == on {
		w.Rows = int64(n)
	}
	return w
}

func TestTotals(t *testing.T) {
	windows := []window{
		counted("password", on, 0, 3), counted("password", off, 0, 4), counted("password", on, 1, 10),
		counted("password", off, 1, 20), counted("refresh_token", on, 1, 5),
	}
	var out bytes.Buffer
	all := totals(windows, map[string]int64{"password": 13})
	if err := printTotals(&out, all); err != nil {
		t.Errorf("counts that agree gave %v", err)
	}
	if got := []int64{all[0].Received, all[1].Requests, all[2].Rows, *all[0].Observed}; !cmp.Equal(got, []int64{13, 24, 5, 13}) {
		t.Errorf("totals %v", got)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 {
			t.Errorf("line of %d columns: %s", len(line), line)
		}
	}
	for name, change := range map[string]func(*window){
		"received": func(w *window) { w.Received++ },
		"JTL":      func(w *window) { w.JTLRows-- },
		"requests": func(w *window) { w.Requests++ },
		"rows":     func(w *window) { w.Rows-- },
	} {
		w := counted("password", on, 1, 10)
		change(&w)
		err := printTotals(&out, totals([]window{w, counted("password", off, 1, 1)}, nil))
		if !errors.Is(err, errCounts) || !strings.Contains(err.Error(), "password on") || strings.Contains(err.Error(), "password off") {
			t.Errorf("%s differs: error %v", name, err)
		}
	}
	if err := printTotals(&out, totals(windows[:1], map[string]int64{"password": 2})); !errors.Is(err, errCounts) {
		t.Errorf("the exporter's count differs: error %v", err)
	}
	for slowest, cause := range map[float64]bool{1.9: false, 3.4: true} {
		w := counted("password", on, 1, 10)
		w.Slowest = slowest
		err := printTotals(&out, totals([]window{w}, map[string]int64{"password": 9}))
		if !errors.Is(err, errCounts) || strings.Contains(err.Error(), "the slowest answer took 3.4 s, and the exporter counts rows committed within 2s") != cause {
			t.Errorf("answers of %v s: error %v", slowest, err)
		}
	}
	leak := counted("password", off, 1, 4)
	leak.Rows = 1
	if err := printTotals(&out, totals([]window{leak}, nil)); !errors.Is(err, errCounts) {
		t.Errorf("rows with persistence off: error %v", err)
	}
}

func TestReadJTLCountsSuccesses(t *testing.T) {
	start := time.UnixMilli(1_000_000)
	file := filepath.Join(t.TempDir(), "r.jtl")
	text := "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage\n" +
		"1000000,500,l,200,OK,t,text,true,\n" + // ends in the warm-up
		"1000000,1000,l,200,OK,t,text,true,\n" + // ends as the measured part begins
		"1001000,999,l,200,OK,t,text,true,\n" +
		"1001000,1000,l,200,OK,t,text,true,\n" + // ends as the window does
		"1001000,10,l,500,\"a,\nb\",t,text,false,\"no, not\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := window{Start: start, End: start.Add(2 * time.Second)}
	if err := w.readJTL(file, time.Second); err != nil {
		t.Fatal(err)
	}
	if w.JTLRows != 4 || w.Rate != 2 || w.Slowest != 1 {
		t.Errorf("%d successes at %v per second, the slowest of %v s, want 4 at 2 and 1 s", w.JTLRows, w.Rate, w.Slowest)
	}
}

func TestExperimentFile(t *testing.T) {
	o := good()
	o.Out, o.Seed, o.Warmup = t.TempDir(), 42, 2*time.Second
	s := &stand{options: o, cpus: []int{0, 1}, layout: Split([]int{0, 1}), database: &database{version: "10.11"}}
	at := time.Date(2026, 7, 1, 10, 0, 0, 0, time.FixedZone("", 7200))
	warm, w := counted("password", on, 0, 1), counted("password", on, 1, 1)
	w.Start, w.End, w.JTL, w.ForeignCPU = at, at.Add(6*time.Second), filepath.Join("jtl", "password-on-1.jtl"), 0.12345
	path, err := s.writeExperiment([]window{warm, w})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"banner: 'Demonstration rig: not evidence about API Manager'", "load: closed", "apim: {vcpus: 1}", "database: {vcpus: 1}",
		"users: 100", "applications: 10", "seed 42", "tsdb: tsdb", "matchers: {job: token-persistence}", "warmup: 2s",
		"password: GetToken_Password_Grant", "persistence: on\n", "block: 1", "start: \"2026-07-01T08:00:00.000Z\"",
		"jtl: [jtl/password-on-1.jtl]", "foreign_cpu: 0.123\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("experiment file lacks %q:\n%s", want, text)
		}
	}
	var read struct{ Windows []map[string]any }
	if err := yaml.Unmarshal(text, &read); err != nil || len(read.Windows) != 1 {
		t.Errorf("%d windows, %v; warm-ups must not be among them", len(read.Windows), err)
	}
}

func TestClosersRunAllInReverse(t *testing.T) {
	var c closers
	var ran []int
	first := errors.New("first")
	for i := range 3 {
		c.add(func() error {
			ran = append(ran, i)
			if i == 1 {
				return first
			}
			return nil
		})
	}
	if err := c.close(); !errors.Is(err, first) || !cmp.Equal(ran, []int{2, 1, 0}) {
		t.Errorf("order %v, error %v", ran, err)
	}
	if err := c.close(); err != nil || len(ran) != 3 {
		t.Error("closing twice ran something again")
	}
}

func TestWorkerErrorCarriesItsWords(t *testing.T) {
	w, err := startWorker("teller", t.TempDir(), nil, "/bin/sh", "-c", "echo the reason >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	var answer any
	err = giveUp(t.Context(), w, func() error { return w.ask("question", &answer) })
	if err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("error %v", err)
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

func TestGiveUpEndsTheWorker(t *testing.T) {
	w, err := startWorker("sleeper", t.TempDir(), nil, "/bin/sh", "-c", "exec sleep 300")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	var answer any
	if err := giveUp(ctx, w, func() error { return w.ask("question", &answer) }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	<-w.process.Done()
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

func TestCredentialsDoNotPrint(t *testing.T) {
	set := credentials.Make(1, 1)
	for _, text := range []string{set.String(), set.GoString(), set.LogValue().String()} {
		if strings.Contains(text, set.Applications[0].Secret) || strings.Contains(text, set.Users[0].Password) {
			t.Errorf("%s", text)
		}
	}
}
