package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// TestSlowCollectors: census and schema fail with the database, recover by
// themselves, keep what they saw, and tell of rights that are too many.
func TestSlowCollectors(t *testing.T) {
	t.Parallel()
	server, db := database(t, mysqltest.Config{})
	insert(t, db, 3)
	execute(t, db, "DROP INDEX IDX_AT_RTH ON IDN_OAUTH2_ACCESS_TOKEN")
	execute(t, db, "GRANT SELECT (ACCESS_TOKEN) ON apimdb.IDN_OAUTH2_ACCESS_TOKEN TO exporter@'127.0.0.1'")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	r := start(t, databaseFlags(server)...)
	works := func(want float64) func() error {
		return func() error {
			p := r.scrape(t)
			for _, name := range []string{"census", "schema"} {
				if got, ok := p.value("token_persistence_exporter_collector_success", "collector", name); !ok || got != want {
					return fmt.Errorf("success of %s: %v; log:\n%s", name, got, r.logs)
				}
			}
			_, counted := p.value("wso2_token_census_timestamp_seconds")
			_, seen := p.value("wso2_token_schema_info")
			if here := want == 1; counted != here || seen != here {
				return fmt.Errorf("census %v, schema %v", counted, seen)
			}
			return nil
		}
	}
	eventually(t, "both fail", works(0))
	if n, _ := r.scrape(t).value("token_persistence_exporter_collector_failures_total", "collector", "census", "class", "connection"); n < 1 {
		t.Error("no failure of the census is counted")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both work", works(1))
	p := r.scrape(t)
	for name, want := range map[string]float64{
		"wso2_token_census_rows grant_type password state ACTIVE":                        3,
		"wso2_token_schema_index_present table IDN_OAUTH2_ACCESS_TOKEN index IDX_AT_RTH": 0,
		"wso2_token_schema_index_present table IDN_OAUTH2_ACCESS_TOKEN index IDX_TC":     1,
		"token_persistence_exporter_excess_privileges kind token_values":                 1,
		"token_persistence_exporter_excess_privileges kind write":                        0,
		"wso2_token_census_revocation_rows table AM_REVOKED_JWT":                         0,
		"wso2_token_schema_info flavor api_manager generation 4.3":                       1,
	} {
		words := strings.Fields(name)
		if got, ok := p.value(words[0], words[1:]...); !ok || got != want {
			t.Errorf("%s: %v (there: %v), want %v", name, got, ok, want)
		}
	}
	r.scrape(t)
	if n := strings.Count(r.logs.String(), "can read token values"); n != 1 {
		t.Errorf("the note on token values was logged %d times:\n%s", n, r.logs)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what they saw is kept", works(1))
}
