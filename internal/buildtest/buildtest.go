// Package buildtest builds our programs for tests that run them as a user
// would. They are built as the test itself was, with or without the race
// detector, so that the packages compiled for one serve the other.
//
//	dir := buildtest.Programs(t, "exporter", "analyze")
package buildtest

import (
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
	args := []string{"build", raceFlag, "-o", dir + "/"}
	for _, name := range names {
		args = append(args, module+name)
	}
	if out, err := exec.CommandContext(tb.Context(), "go", args...).CombinedOutput(); err != nil {
		tb.Fatalf("build %v: %v\n%s", names, err, out)
	}
	return dir
}
