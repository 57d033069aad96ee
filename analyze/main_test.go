package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"analyze": main})
}

// TestScripts runs the stories in testdata/script. Besides testscript's own
// commands they have
//
//	prometheus FILE   serve the series in FILE; sets PROMETHEUS_URL
//	store KIND FILE [FAULT…]   the same as another kind of store, see sourcetest.NewFront
//	mend              ends the fault "breaks" of that store
//	cloudwatch FILE [CODE]   serve the points in FILE as CloudWatch does
//	tsdb DIR FILE     write the series in FILE into a TSDB directory
//	jtl FILE LABEL START SECONDS RATE MS [SEED]   write a JMeter result file
//	columns FILE N    none of the first N lines is wider than 80 columns
//	code STATUS ARG…  analyze ARG… ends with this exit status
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "")
			e.Values[storeKey{}] = &atomic.Pointer[sourcetest.Front]{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"prometheus": servePrometheus,
			"store":      serveStore,
			"mend":       mendStore,
			"cloudwatch": serveCloudWatch,
			"tsdb":       writeTSDB,
			"jtl":        writeJTL,
			"columns":    checkColumns,
			"code":       checkCode,
		},
	})
}

func series(ts *testscript.TestScript, file string) []sourcetest.Series {
	all, err := sourcetest.Parse(ts.ReadFile(file))
	ts.Check(err)
	return all
}

func servePrometheus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: prometheus FILE")
	}
	dir, err := os.MkdirTemp(ts.Getenv("TMPDIR"), "prometheus-")
	ts.Check(err)
	s, err := sourcetest.NewServer(dir, series(ts, args[0]))
	ts.Check(err)
	server := httptest.NewServer(s)
	ts.Setenv("PROMETHEUS_URL", server.URL)
	ts.Defer(func() {
		server.Close()
		ts.Check(s.Close())
	})
}

// storeKey is under which a script finds its store.
type storeKey struct{}

func serveStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: store KIND FILE [FAULT...]")
	}
	dir, err := os.MkdirTemp(ts.Getenv("TMPDIR"), "store-")
	ts.Check(err)
	behind, err := sourcetest.NewServer(dir, series(ts, args[1]))
	ts.Check(err)
	front, err := sourcetest.NewFront(behind, args[0], args[2:]...)
	ts.Check(err)
	server := httptest.NewServer(front)
	ts.Setenv("PROMETHEUS_URL", server.URL)
	ts.Value(storeKey{}).(*atomic.Pointer[sourcetest.Front]).Store(front)
	ts.Defer(func() {
		server.Close()
		ts.Check(behind.Close())
	})
}

func mendStore(ts *testscript.TestScript, neg bool, args []string) {
	front := ts.Value(storeKey{}).(*atomic.Pointer[sourcetest.Front]).Load()
	if neg || len(args) != 0 || front == nil {
		ts.Fatalf("usage: mend, after store")
	}
	front.Breaks = 0
	front.Broken.Store(false)
}

func writeTSDB(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tsdb DIR FILE")
	}
	ts.Check(sourcetest.Write(ts.MkAbs(args[0]), series(ts, args[1]), false))
}

// writeJTL writes RATE tokens per second with some noise, each of MS
// milliseconds. Every hundredth row is a failure when LABEL ends in "!".
func writeJTL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 6 {
		ts.Fatalf("usage: jtl FILE LABEL START SECONDS RATE MS [SEED]")
	}
	label, failing := strings.CutSuffix(args[1], "!")
	start, err := time.Parse(time.RFC3339, args[2])
	ts.Check(err)
	numbers := make([]int, 0, 4)
	for _, a := range append(args[3:], "1")[:4] {
		n, err := strconv.Atoi(a)
		ts.Check(err)
		numbers = append(numbers, n)
	}
	seconds, rate, ms, seed := numbers[0], numbers[1], numbers[2], numbers[3]
	random := rand.New(rand.NewPCG(uint64(seed), 7))
	var b strings.Builder
	b.WriteString("timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n")
	n := 0
	for s := range seconds {
		count := rate + int(math.Round(random.NormFloat64()*float64(rate)*0.02))
		for i := range count {
			end := start.UnixMilli() + int64(s)*1000 + int64(i*1000/count)
			success := n%100 != 0 || !failing
			fmt.Fprintf(&b, "%d,%d,%s,200,OK,users 1-1,text,%t,,1436,410,2,6,https://apim:9443/oauth2/token,%d,0,0\n", end-int64(ms), ms, label, success, ms)
			n++
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// checkColumns fails when a line among the first N of a file is wider than 80
// columns.
func checkColumns(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: columns FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	lines := strings.Split(ts.ReadFile(args[0]), "\n")
	for i, l := range lines[:min(n, len(lines))] {
		if w := len([]rune(l)); w > 80 {
			ts.Fatalf("line %d has %d columns: %s", i+1, w, l)
		}
	}
}

// checkCode runs analyze and compares its exit status.
func checkCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: code STATUS ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("analyze", args[1:]...)
	got := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("analyze %s: exit status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// TestInterrupted ends a comparison whose server never answers.
func TestInterrupted(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	dir := t.TempDir()
	path := dir + "/e.yaml"
	text := "source: {prometheus: {url: 'http://127.0.0.1:1'}}\nwarmup: 0s\nwindows:\n" +
		"  - {grant: password, persistence: on, start: 2026-07-01T10:00:00Z, end: 2026-07-01T10:01:00Z}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(ctx, []string{"compare", path}, &stdout, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "context canceled") {
		t.Errorf("exit status %d, %s", code, stderr.String())
	}
}
