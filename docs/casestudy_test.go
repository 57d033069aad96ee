package docs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// caseStudy analyses the recorded study again and holds every document that
// comes from it against the one that is published. After an intended change:
// make case-study, and read the difference and the page README.md again.
func caseStudy(t *testing.T, bin string) {
	const published = "docs/case-study"
	again := t.TempDir()
	if err := os.CopyFS(again, os.DirFS(published)); err != nil {
		t.Fatal(err)
	}
	documents, err := filepath.Glob(published + "/*.*")
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, path := range documents {
		if name := filepath.Base(path); name != "README.md" && name != "make.sh" {
			made = append(made, name)
			if err := os.Remove(filepath.Join(again, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(again, "make.sh"))
	cmd.Env = append(os.Environ(), "ANALYZE="+filepath.Join(bin, "analyze"))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	// The published documents were made by a program that knows its version.
	version := regexp.MustCompile(`analyze (\(not a release\)|v?[0-9a-f][0-9a-f.]*[0-9a-z.+-]*)`)
	for _, name := range made {
		want, err := os.ReadFile(filepath.Join(published, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(again, name))
		if err != nil {
			t.Errorf("%s is published and make.sh does not make it: %v", name, err)
			continue
		}
		want, got = version.ReplaceAll(want, []byte("analyze")), version.ReplaceAll(got, []byte("analyze"))
		if !bytes.Equal(want, got) {
			t.Errorf("%s is not what the data give today (-published +today):\n%s", name, cmp.Diff(string(want), string(got)))
		}
	}
}
