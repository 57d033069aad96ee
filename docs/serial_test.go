package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSerialPackagesStartNothing holds the Makefile's list of packages that are
// tested without the race detector to its reason.
func TestSerialPackagesStartNothing(t *testing.T) {
	t.Chdir("..")
	for _, folder := range list(t, "SERIAL") {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no Go files (%v)", folder, err)
		}
		for _, file := range files {
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range tree.Imports {
				if path := i.Path.Value; strings.HasPrefix(path, `"sync`) || strings.HasSuffix(path, `/errgroup"`) {
					t.Errorf("%s imports %s: test %s with the race detector", file, path, folder)
				}
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				if _, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s starts a goroutine: test %s with the race detector", file, folder)
				}
				return true
			})
		}
	}
}

// list returns a list of folders that the Makefile defines.
func list(t *testing.T, name string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + name + ` := (.+)$`).FindStringSubmatch(read(t, "Makefile"))
	if line == nil {
		t.Fatalf("the Makefile has no list %s", name)
	}
	return strings.Fields(line[1])
}

// TestEnginePackages holds the Makefile's list of packages that link Prometheus'
// engine to what links it: one more, and CI compiles the engine twice.
func TestEnginePackages(t *testing.T) {
	t.Chdir("..")
	const engine = "github.com/prometheus/prometheus/tsdb"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-test", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		packages := strings.Fields(line)
		variant := len(packages) > 1 && packages[1][0] == '[' // of a package for a test, which is in the list itself
		if !variant && slices.Contains(packages, engine) {
			got = append(got, "."+strings.TrimPrefix(strings.TrimSuffix(packages[0], ".test"), "github.com/tokenpersistence/toolkit"))
		}
	}
	for _, folder := range got {
		if !slices.Contains(list(t, "PROMETHEUS"), folder) && !slices.Contains(list(t, "SERIAL"), folder) {
			t.Errorf("%s or its tests link %s: put it into PROMETHEUS", folder, engine)
		}
	}
	for _, folder := range list(t, "PROMETHEUS") {
		if !slices.Contains(got, folder) {
			t.Errorf("neither %s nor its tests link %s: take it out of PROMETHEUS", folder, engine)
		}
	}
}

// TestNoTestIsLeftOut: what buildtest.Alone skips with the race detector is in
// a package that the Makefile tests without it too.
func TestNoTestIsLeftOut(t *testing.T) {
	t.Chdir("..")
	skipping := map[string]bool{}
	for name, text := range texts(t, "_test.go") {
		if regexp.MustCompile(`(?m)^\tbuildtest\.Alone\(`).MatchString(text) {
			skipping["./"+path.Dir(name)] = true
		}
	}
	for _, folder := range list(t, "PROMETHEUS") {
		delete(skipping, folder)
	}
	if got := slices.Sorted(maps.Keys(skipping)); !slices.Equal(got, list(t, "PARTLY")) {
		t.Errorf("tests skip with the race detector in %v; the Makefile tests %v without it", got, list(t, "PARTLY"))
	}
}
