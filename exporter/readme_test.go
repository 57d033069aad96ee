package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// TestREADMEGrants runs the README's statements on a fresh server: they make
// every SQL collector green and the sizes of the tables they name visible.
func TestREADMEGrants(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```sql\n")
	block, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("the README has no sql block")
	}
	server := mysqltest.Run(t, mysqltest.Config{})
	db := server.Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	t.Setenv(passwordVariable, canary)
	block = strings.NewReplacer("10.0.0.7", "127.0.0.1", "'…'", "'"+canary+"'").Replace(block)
	block = regexp.MustCompile(`(?m)^--.*\n`).ReplaceAllString(block, "")
	for statement := range strings.SplitSeq(strings.TrimSpace(block), ";\n") {
		execute(t, db, strings.TrimSuffix(statement, ";"))
	}
	r := start(t, databaseFlags(server)...)
	r.wait(t, all(true))
	_, body := r.get(t, "/metrics", "")
	for _, named := range regexp.MustCompile(`ON apimdb\.(\w+) TO`).FindAllStringSubmatch(block, -1) {
		if !strings.Contains(body, `wso2_token_table_data_bytes{table="`+named[1]+`"}`) {
			t.Errorf("the size of %s is not visible", named[1])
		}
	}
}
