package toolkit_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies holds the table of docs/dependencies.md against what go.mod
// requires directly.
func TestDependencies(t *testing.T) {
	var required []string
	for line := range strings.Lines(read(t, "go.mod")) {
		if name, ok := strings.CutPrefix(line, "\t"); ok && !strings.Contains(line, "// indirect") {
			name, _, _ = strings.Cut(name, " ")
			required = append(required, name)
		}
	}
	var explained []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(read(t, "docs/dependencies.md"), -1) {
		explained = append(explained, found[1])
	}
	if len(required) == 0 {
		t.Fatal("go.mod requires nothing: the search is at fault")
	}
	for _, name := range required {
		if !slices.Contains(explained, name) {
			t.Errorf("docs/dependencies.md does not say why go.mod requires %s", name)
		}
	}
	for _, name := range explained {
		if !slices.Contains(required, name) {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require", name)
		}
	}
}

// TestThreatModel holds that no defence of docs/threat-model.md loses its test in
// silence when one is renamed or deleted.
func TestThreatModel(t *testing.T) {
	defined := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(read(t, name), -1) {
			defined[found[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(read(t, "docs/threat-model.md")) {
		names := regexp.MustCompile(`\bTest\w+`).FindAllString(line, -1)
		if len(names) > 0 {
			rows++
		}
		for _, name := range names {
			if !defined[name] {
				t.Errorf("docs/threat-model.md names %s, which does not exist", name)
			}
		}
	}
	if rows < 12 {
		t.Errorf("only %d rows of the threat model name a test", rows)
	}
}
