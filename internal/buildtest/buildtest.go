// Package buildtest builds our programs for tests that run them as a user
// would. They are built as the test itself was, with or without the race
// detector, so that the packages compiled for one serve the other.
//
//	dir := buildtest.Programs(t, "exporter", "analyze")
package buildtest

import (
	"fmt"
	"os/exec"
	"testing"
)

// module is the path of this module; its programs are folders at its top.
const module = "github.com/tokenpersistence/toolkit/"

// Programs builds the named programs and returns the folder they are in, which
// goes with the test.
func Programs(tb testing.TB, names ...string) string {
	tb.Helper()
	dir := tb.TempDir()
	args := []string{"build", fmt.Sprint("-race=", race), "-o", dir + "/"}
	for _, name := range names {
		args = append(args, module+name)
	}
	if out, err := exec.CommandContext(tb.Context(), "go", args...).CombinedOutput(); err != nil {
		tb.Fatalf("build %v: %v\n%s", names, err, out)
	}
	return dir
}

// Alone skips a test of one goroutine while the race detector is on: it finds
// nothing there and makes arithmetic ten times as slow. The Makefile runs the
// packages of such tests without the detector as well.
func Alone(tb testing.TB) {
	tb.Helper()
	if race {
		tb.Skip("one goroutine: make test runs it without the race detector")
	}
}
