package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/markdown"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// runbooks returns the text of every page, by file.
func runbooks(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("runbooks", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	pages := map[string]string{}
	for _, file := range append(files, filepath.Join("..", "docs", "alerts.md")) {
		pages[file] = read(t, file)
	}
	return pages
}

// TestStatementsRun runs the SQL of the pages on a server with empty token
// tables.
func TestStatementsRun(t *testing.T) {
	db := mysqltest.Run(t, mysqltest.Config{}).Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for file, page := range runbooks(t) {
		for _, block := range markdown.Blocks(page, "sql") {
			for _, statement := range strings.Split(block, ";\n") {
				if strings.TrimSpace(statement) == "" {
					continue
				}
				ran++
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Errorf("%s: %v in\n%s", file, err, statement)
				}
			}
		}
	}
	if ran < 15 {
		t.Errorf("%d statements ran: are the blocks found?", ran)
	}
}

// TestLinks looks for the files and headings that the pages point to.
func TestLinks(t *testing.T) {
	for file, page := range runbooks(t) {
		for _, found := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(page, -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := filepath.Join(filepath.Dir(file), target)
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if anchor != "" && !hasHeading(read(t, path), anchor) {
				t.Errorf("%s: %s has no heading for #%s", file, path, anchor)
			}
		}
	}
}

// hasHeading makes anchors as GitHub does.
func hasHeading(page, anchor string) bool {
	for _, line := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		slug := strings.ReplaceAll(regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(line[1]), ""), " ", "-")
		if slug == anchor {
			return true
		}
	}
	return false
}
