package toolkit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
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
