package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSerialPackagesStartNothing holds the Makefile's list of packages that are
// tested without the race detector to its reason.
func TestSerialPackagesStartNothing(t *testing.T) {
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^SERIAL := (.+)$`).FindSubmatch(text)
	if line == nil {
		t.Fatal("the Makefile has no list SERIAL")
	}
	for folder := range strings.FieldsSeq(string(line[1])) {
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

// TestNoTestIsLeftOut: what buildtest.Alone skips with the race detector is in
// a package that the Makefile tests without it too.
func TestNoTestIsLeftOut(t *testing.T) {
	line := regexp.MustCompile(`(?m)^PARTLY := (.+)$`).FindStringSubmatch(read(t, "Makefile"))
	if line == nil {
		t.Fatal("the Makefile has no list PARTLY")
	}
	skipping := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		if regexp.MustCompile(`(?m)^\tbuildtest\.Alone\(`).MatchString(read(t, name)) {
			skipping["./"+filepath.Dir(name)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(skipping)); !slices.Equal(got, strings.Fields(line[1])) {
		t.Errorf("tests skip with the race detector in %v; the Makefile tests %s without it", got, line[1])
	}
}
