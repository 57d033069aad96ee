package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// promtools names the promtools to ask, of several versions. They take half a
// minute, so that `make test-rules` alone gives them.
func promtools(t *testing.T) []string {
	t.Helper()
	var programs []string
	for _, dir := range filepath.SplitList(os.Getenv("TOKEN_PERSISTENCE_PROMTOOL")) {
		programs = append(programs, filepath.Join(dir, "promtool"))
	}
	if len(programs) == 0 {
		t.Skip("TOKEN_PERSISTENCE_PROMTOOL names no folder with a promtool in it: make test-rules does")
	}
	return programs
}

func files(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatal(folder, found, err)
	}
	return found
}

func TestPromtoolChecksTheRules(t *testing.T) {
	for _, program := range promtools(t) {
		out, err := exec.CommandContext(t.Context(), program, append([]string{"check", "rules"}, files(t, "rules")...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", program, err, out)
		}
	}
}

// TestPromtoolRunsTheCases runs every file of tests/ by itself, side by side.
func TestPromtoolRunsTheCases(t *testing.T) {
	for _, program := range promtools(t) {
		for _, file := range files(t, "tests") {
			name := filepath.Base(filepath.Dir(program)) + "/" + strings.TrimSuffix(filepath.Base(file), ".yaml")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if out, err := exec.CommandContext(t.Context(), program, "test", "rules", file).CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}
