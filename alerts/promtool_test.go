package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPromtoolChecksTheRules asks Debian 12's promtool, which make test fetches.
// The cases of tests/ take half a minute: make test-rules runs them.
func TestPromtoolChecksTheRules(t *testing.T) {
	dir := os.Getenv("TOKEN_PERSISTENCE_PROMETHEUS")
	switch {
	case dir != "":
	case os.Getenv("CI") == "":
		t.Skip("TOKEN_PERSISTENCE_PROMETHEUS is not set: make test sets it")
	default:
		t.Fatal("TOKEN_PERSISTENCE_PROMETHEUS must name the directory of prometheus and promtool")
	}
	files, err := filepath.Glob(filepath.Join("rules", "*.yaml"))
	if err != nil || len(files) != len(groups()) {
		t.Fatal(files, err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "promtool"), append([]string{"check", "rules"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
