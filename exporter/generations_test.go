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

// TestGenerations: on the tables of each generation an administrator can run all
// that check prints, it turns green with that, and then every collector of a
// scrape works and knows whose tables these are.
func TestGenerations(t *testing.T) {
	t.Parallel()
	server := mysqltest.Run(t, mysqltest.Config{SQLOnly: true})
	server.Account(t, "exporter", canary, "")
	for name, want := range map[string]struct{ flavor, generation, missing string }{
		"apim-4.2": {"api_manager", "4.2", ""},
		"apim-4.3": {"api_manager", "4.3", "IDX_TOKEN_CONSUMER"},
		"apim-4.7": {"api_manager", "4.3", ""},
		"is-7":     {"identity_server", "7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			schema := "g_" + regexp.MustCompile(`[^a-z0-9]`).ReplaceAllString(name, "_")
			db := server.Database(t, schema)
			if err := tokentable.Create(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join("testdata", "generations", name+".sql"))
			if err != nil {
				t.Fatal(err)
			}
			text = regexp.MustCompile(`(?m)^--.*\n`).ReplaceAll(text, nil)
			for statement := range strings.SplitSeq(strings.TrimSpace(string(text)), ";\n") {
				if statement = strings.TrimSuffix(statement, ";"); statement != "" {
					execute(t, db, statement)
				}
			}
			flags := []string{"--mysqld.address=" + server.Addr, "--mysqld.username=exporter", "--mysqld.database=" + schema}
			allow(t, db, flags...)
			if status, report := runCheck(t, flags...); status != 0 || len(statements(report)) > 0 {
				t.Fatalf("status %d:\n%s", status, report)
			}
			r := start(t, flags...)
			r.wait(t, all(true))
			s := r.scrape(t)
			if _, ok := s.value("wso2_token_schema_info", "flavor", want.flavor, "generation", want.generation); !ok {
				t.Errorf("not %s %s but %v", want.flavor, want.generation, s["wso2_token_schema_info"])
			}
			table := tokentable.InvalidTokens
			if want.flavor == "identity_server" {
				table = tokentable.ISRevokedTokens
			}
			v, ok := s.value("wso2_token_schema_index_present", "table", table, "index", "IDX_TOKEN_CONSUMER")
			if ok != (name != "apim-4.2") || ok && (v == 0) != (want.missing != "") {
				t.Errorf("index of %s: %v (there: %v)", table, v, ok)
			}
		})
	}
}
