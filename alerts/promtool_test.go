package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtool names Debian's promtool; `make test` fetches it.
func promtool(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TOKEN_PERSISTENCE_PROMETHEUS")
	switch {
	case dir != "":
	case os.Getenv("CI") == "":
		t.Skip("TOKEN_PERSISTENCE_PROMETHEUS is not set: make test sets it")
	default:
		t.Fatal("TOKEN_PERSISTENCE_PROMETHEUS must name the directory of prometheus and promtool")
	}
	return filepath.Join(dir, "promtool")
}

func TestPromtoolChecksTheRules(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("rules", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	out, err := exec.CommandContext(t.Context(), promtool(t), append([]string{"check", "rules"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPromtoolRunsTheCases runs every file of tests/ by itself, side by side.
func TestPromtoolRunsTheCases(t *testing.T) {
	program := promtool(t)
	files, err := filepath.Glob(filepath.Join("tests", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			if out, err := exec.CommandContext(t.Context(), program, "test", "rules", file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
