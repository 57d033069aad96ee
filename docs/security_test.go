package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies holds the table of docs/dependencies.md against what go.mod
// requires directly.
func TestDependencies(t *testing.T) {
	t.Chdir("..")
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

// TestThreatModel holds that the defences of docs/threat-model.md name the tests
// that prove them. That those exist, TestCommands holds.
func TestThreatModel(t *testing.T) {
	t.Chdir("..")
	rows := 0
	for line := range strings.Lines(read(t, "docs/threat-model.md")) {
		if strings.HasPrefix(line, "|") && testName.MatchString(line) {
			rows++
		}
	}
	if rows < 12 {
		t.Errorf("only %d rows of the threat model name a test", rows)
	}
}
