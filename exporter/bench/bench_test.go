package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/child"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSmoke measures every figure at sizes that say nothing, so that the way to
// them does not rot. Whether a bar is met is no matter of tests.
func TestSmoke(t *testing.T) {
	if _, err := child.CPUs(); err != nil {
		t.Skip(err) // needs Linux
	}
	if os.Getenv(mysqltest.DSNVariable) != "" {
		t.Skip(mysqltest.ErrOwnServer)
	}
	args := strings.Fields("--only=steady,scans,size,series,tokens,effect,memory,targets,faults --small=10 --large=200 --digests=200 --samples=10" +
		" --rate=50 --inserting=1s --interval=500ms --lateness=1s --scrapes=20 --targets=2 --faults=1 --pairs=2 --window=200ms --warmup=100ms")
	args = append(args, "--exporter="+filepath.Join(buildtest.Programs(t, "exporter"), "exporter"))
	var out, progress strings.Builder
	if code := run(t.Context(), args, &out, &progress); code != 0 {
		t.Fatalf("exit status %d:\n%s", code, progress.String())
	}
	for _, figure := range []string{"quiet server", "4 full scans", "p50 at 200 rows", "series", "promlint", "untyped", "rows counted",
		"rows examined", "CPU at 50 rows/s", "token throughput", "resident memory over 20", "resident memory with 2 targets", "deadline overrun"} {
		if !strings.Contains(out.String(), figure) {
			t.Errorf("no figure %q in:\n%s", figure, out.String())
		}
	}
}

func TestOptions(t *testing.T) {
	var out strings.Builder
	for args, want := range map[string]string{
		"--only=steday": "steady", "--pairs=1": "two pairs", "--samples=0": "1 or more", "x": "unexpected argument",
	} {
		if _, err := parse([]string{args}, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", args, err, want)
		}
	}
	o, err := parse([]string{"--quick", "--large=7"}, &out)
	if err != nil || o.large != 7 || o.small != 5_000 {
		t.Errorf("a size beside --quick: %+v, %v", o, err)
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		got  float64
		bar  bar
		want string
	}{
		{0.4, atMost(0.5, "×"), "met, -20 %"}, {0.6, atMost(0.5, "×"), "MISSED, +20 %"},
		{900, atLeast(500, "k lines/s"), "met, +80 %"}, {0, atMost(0, "rows"), "met"}, {1, atMost(0, "rows"), "MISSED"}, {3, none, "reported"},
	} {
		if got := (row{got: c.got, bar: c.bar}).verdict(); got != c.want {
			t.Errorf("%v against %v: %q, want %q", c.got, c.bar, got, c.want)
		}
	}
}
