package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFaultTable holds that no row of the fault table loses its tests in
// silence when one is renamed or deleted.
func TestFaultTable(t *testing.T) {
	defined := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		try(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			try(t, err)
			for _, found := range regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`).FindAllStringSubmatch(string(text), -1) {
				defined[found[1]] = true
			}
		}
	}
	table, err := os.ReadFile("testdata/faults.md")
	try(t, err)
	rows := 0
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(line, "|---") || strings.Contains(line, "| tests |") {
			continue
		}
		rows++
		names := regexp.MustCompile(`\b(Test|Fuzz)\w+`).FindAllString(cells[3], -1)
		if len(names) == 0 {
			t.Errorf("no test for: %s", cells[1])
		}
		for _, name := range names {
			if !defined[name] {
				t.Errorf("%s does not exist, of the row:%s", name, cells[1])
			}
		}
	}
	if rows < 19 {
		t.Errorf("only %d rows", rows)
	}
}
