package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// packed copies a run and finds in the copy what was found in the run.
func (b *bench) packed(t *testing.T, kept string) {
	small := filepath.Join(t.TempDir(), "small")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"pack", kept, small}, nil, &stdout, &stderr); status != statusDone {
		t.Fatalf("pack: status %d, %s", status, stderr.String())
	}
	out := t.TempDir()
	cmd := exec.Command(b.analyze, "compare", filepath.Join(small, "experiment.yaml"), "--format", "json", "--output", out, "--fail-on", "nodata")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	was, is := readFindings(t, filepath.Join(kept, "report.json")), readFindings(t, filepath.Join(out, "report.json"))
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("the copy tells another story (-run +copy):\n%s", diff)
	}
	for _, name := range []string{"jtl/password-off-warmup.jtl.zst", "jtl/refresh_token-on-1-prepare.jtl.zst", "tsdb/wal"} {
		if _, err := os.Stat(filepath.Join(small, name)); err == nil {
			t.Errorf("%s is of no use to the analysis and was copied", name)
		}
	}
	if status := run(t.Context(), []string{"pack", kept, small}, nil, &stdout, &stderr); status != statusFailed || !strings.Contains(stderr.String(), "new folder") {
		t.Errorf("a second copy over the first: status %d, %s", status, stderr.String())
	}
}

// readFindings reads a report without what says where it came from.
func readFindings(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var report map[string]any
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	delete(report, "provenance")
	return report
}

func TestPackRefuses(t *testing.T) {
	run1 := t.TempDir()
	for _, c := range []struct{ experiment, want string }{
		{"", "this folder holds no run"},
		{"title: x\nwindow: []\n", "is not what the testbed writes"},
		{"title: x\nsource: {prometheus: {url: 'http://localhost'}}\n", "without --prometheus-url"},
	} {
		if c.experiment != "" {
			if err := os.WriteFile(filepath.Join(run1, "experiment.yaml"), []byte(c.experiment), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{"pack", run1, filepath.Join(run1, "copy")}, nil, &stdout, &stderr); status != statusFailed || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%q: status %d, %q; want 1 and %q", c.experiment, status, stderr.String(), c.want)
		}
	}
}
