// Package buildtest builds our programs for tests that run them as a user
// would. They are built as the test itself was, with or without the race
// detector, so that the packages compiled for one serve the other.
//
//	dir := buildtest.Programs(t, "exporter", "analyze")
package buildtest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// module is the path of this module; its programs are folders at its top.
const module = "github.com/tokenpersistence/toolkit/"

// Programs builds the named programs and returns the folder they are in, which
// goes with the test.
func Programs(tb testing.TB, names ...string) string {
	tb.Helper()
	dir := tb.TempDir()
	args := []string{"build", fmt.Sprint("-race=", race), "-ldflags=-w", "-o", dir + "/"}
	for _, name := range names {
		args = append(args, module+name)
	}
	if out, err := exec.CommandContext(tb.Context(), "go", args...).CombinedOutput(); err != nil {
		tb.Fatalf("build %v: %v\n%s", names, err, out)
	}
	notice(tb, names)
	return dir
}

// notice opens our source files of the programs, so that go test, which keeps
// the result of a test for as long as the files it has opened are the same,
// runs it again when a program has changed.
func notice(tb testing.TB, names []string) {
	tb.Helper()
	const files = `{{$dir := .Dir}}{{if .Module}}{{if .Module.Main}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	args := []string{"list", "-deps", "-f", files}
	for _, name := range names {
		args = append(args, module+name)
	}
	out, err := exec.CommandContext(tb.Context(), "go", args...).Output()
	if err != nil {
		tb.Fatalf("list the source of %v: %v", names, err)
	}
	for line := range strings.Lines(string(out)) {
		path := strings.TrimSuffix(line, "\n")
		if path == "" {
			continue
		}
		file, err := os.Open(path)
		if err != nil {
			tb.Fatal(err)
		}
		_ = file.Close() // nothing was read
	}
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
