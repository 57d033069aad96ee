package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/markdown"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// TestREADMEAccount creates the README's account on a fresh server and runs what
// check then prints: every SQL collector is green.
func TestREADMEAccount(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := markdown.Blocks(string(page), "sql")
	if len(blocks) == 0 {
		t.Fatal("the README has no sql block")
	}
	server := mysqltest.Run(t, mysqltest.Config{})
	db := server.Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	execute(t, db, strings.NewReplacer("10.0.0.7", "127.0.0.1", "'…'", "'"+canary+"'").Replace(blocks[0]))
	allow(t, db, databaseFlags(server)...)
	if status, report := runCheck(t, databaseFlags(server)...); status != 0 {
		t.Errorf("status %d:\n%s", status, report)
	}
	r := start(t, databaseFlags(server)...)
	r.wait(t, all(true))
}
