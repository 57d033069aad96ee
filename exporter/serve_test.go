package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

func all(success bool) map[string]bool {
	return map[string]bool{"mysql": success, "tableio": success, "tablesize": success, "tokens": success}
}

// wait scrapes until the collectors' success is as wanted.
func (r *running) wait(t testing.TB, want map[string]bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("success is %v", want), func() error {
		if diff := cmp.Diff(want, r.scrape(t).success()); diff != "" {
			return fmt.Errorf("%s\nlog:\n%s", diff, r.logs)
		}
		return nil
	})
}

func TestServesThroughDatabaseRestarts(t *testing.T) {
	t.Parallel()
	server, db := database(t, mysqltest.Config{})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	r := start(t, append(databaseFlags(server), "--collector.tokens.lateness=1s")...)
	p := r.scrape(t)
	if diff := cmp.Diff(all(false), p.success()); diff != "" {
		t.Errorf("with the database down: %s", diff)
	}
	if n, _ := p.value("token_persistence_exporter_collector_failures_total", "collector", "tokens", "class", "connection"); n != 1 {
		t.Errorf("failures %v, want 1", n)
	}
	if _, shown := p.value("mysql_uptime_seconds"); shown {
		t.Error("metrics of a database that is down")
	}
	if status, body := r.get(t, "/-/healthy", ""); status != 200 || body != "healthy\n" {
		t.Errorf("unhealthy without the database: %d %s", status, body)
	}

	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wait(t, all(true))
	insert(t, db, 5)
	eventually(t, "5 rows", func() error { return r.rows(t, 5) })

	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert(t, db, 3) // before the exporter has noticed
	r.wait(t, all(true))
	eventually(t, "8 rows", func() error { return r.rows(t, 8) })
	if n := strings.Count(r.logs.String(), `msg="collector fails" collector=mysql`); n > 2 {
		t.Errorf("%d lines about mysql, want one per change of state:\n%s", n, r.logs)
	}
}

func (r *running) rows(t testing.TB, want float64) error {
	t.Helper()
	if got, _ := r.scrape(t).value("wso2_token_rows_observed_total", "grant_type", "password"); got != want {
		return fmt.Errorf("%v rows, want %v", got, want)
	}
	return nil
}

func TestFrozenDatabase(t *testing.T) {
	server, _ := database(t, mysqltest.Config{})
	r := start(t, databaseFlags(server)...)
	r.wait(t, all(true))
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	p := r.scrapeWithin(t, "1") // would hang if it waited for the database
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all(false), p.success()); diff != "" {
		t.Error(diff)
	}
	if n, _ := p.value("token_persistence_exporter_collector_failures_total", "collector", "mysql", "class", "timeout"); n != 1 {
		t.Errorf("%v timeouts", n)
	}
	r.wait(t, all(true))
}

func TestLockedTableCostsOnlyItsCollector(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	r := start(t, databaseFlags(server)...)
	r.wait(t, all(true))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "LOCK TABLES IDN_OAUTH2_ACCESS_TOKEN WRITE"); err != nil {
		t.Fatal(err)
	}
	want := all(true)
	want["tokens"] = false
	if diff := cmp.Diff(want, r.scrapeWithin(t, "2").success()); diff != "" {
		t.Error(diff)
	}
	if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	r.wait(t, all(true))
}

// TestMissingGrantCostsOnlyItsCollector takes each right on a table away.
func TestMissingGrantCostsOnlyItsCollector(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	for _, c := range []struct {
		table      string
		collectors []string // that cannot do without
	}{
		{tokentable.AccessToken, []string{"tokens"}},
		{"table_io_waits_summary_by_table", []string{"tableio"}},
	} {
		t.Run(c.table, func(t *testing.T) {
			for _, grant := range grants(t, server, db, "apimdb") {
				if !strings.Contains(grant, "`"+c.table+"`") {
					continue
				}
				execute(t, db, revoke(grant))
				defer execute(t, db, grant)
			}
			r := start(t, databaseFlags(server)...)
			want := all(true)
			for _, name := range c.collectors {
				want[name] = false
			}
			p := r.scrape(t)
			if diff := cmp.Diff(want, p.success()); diff != "" {
				t.Errorf("%s\n%s", diff, r.logs)
			}
			for _, name := range c.collectors {
				if n, _ := p.value("token_persistence_exporter_collector_failures_total", "collector", name, "class", "permission"); n != 1 {
					t.Errorf("failures: %v", p["token_persistence_exporter_collector_failures_total"])
				}
			}
			if hint := regexp.MustCompile("GRANT SELECT [^;]* ON `[a-z_]*`.`" + c.table + "` TO " + regexp.QuoteMeta(server.Named("exporter"))); !hint.MatchString(r.logs.String()) {
				t.Errorf("the log does not name the GRANT:\n%s", r.logs)
			}
		})
	}
}

// revoke turns a GRANT into its opposite.
func revoke(grant string) string {
	at := strings.LastIndex(grant, "TO '")
	return "REVOKE" + strings.TrimPrefix(grant[:at], "GRANT") + "FROM" + strings.TrimPrefix(grant[at:], "TO")
}

func TestPerformanceSchemaOff(t *testing.T) {
	server, _ := database(t, mysqltest.Config{NoPerformanceSchema: true})
	r := start(t, databaseFlags(server)...)
	p := r.scrape(t)
	want := all(true)
	want["tableio"] = false
	if diff := cmp.Diff(want, p.success()); diff != "" {
		t.Error(diff)
	}
	if n, _ := p.value("token_persistence_exporter_collector_failures_total", "collector", "tableio", "class", "schema"); n != 1 {
		t.Errorf("failures: %v", p["token_persistence_exporter_collector_failures_total"])
	}
	for name := range p {
		if strings.Contains(name, "table_io") {
			t.Errorf("%s is shown", name)
		}
	}
}

func TestWrongPasswordIsNotAStorm(t *testing.T) {
	server, db := database(t, mysqltest.Config{})
	execute(t, db, "ALTER USER exporter@'127.0.0.1' IDENTIFIED BY 'another'")
	r := start(t, databaseFlags(server)...)
	for range 20 {
		if diff := cmp.Diff(all(false), r.scrape(t).success()); diff != "" {
			t.Fatal(diff)
		}
	}
	if n, _ := r.scrape(t).value("token_persistence_exporter_collector_failures_total", "collector", "tokens", "class", "auth"); n < 20 {
		t.Errorf("%v failures of class auth", n)
	}
	var name string
	var attempts int
	if err := db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Access_denied_errors'").Scan(&name, &attempts); err != nil {
		t.Skip("the server does not count refused connections")
	}
	if attempts > 4 {
		t.Errorf("%d attempts to log in during 21 scrapes", attempts)
	}
}

func TestManyScrapersShareOneConnection(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	execute(t, db, "ALTER USER "+server.Named("exporter")+" WITH MAX_USER_CONNECTIONS 2")
	r := start(t, append(databaseFlags(server), "--collector.tokens.lateness=1s")...)
	r.wait(t, all(true))
	insert(t, db, 7)
	pages := make(chan page, 50)
	for range cap(pages) {
		go func() { pages <- r.scrape(t) }()
	}
	for range cap(pages) {
		p := <-pages
		if diff := cmp.Diff(all(true), p.success()); diff != "" {
			t.Errorf("%s\n%s", diff, r.logs)
		}
	}
	if err := r.rows(t, 7); err != nil {
		t.Error(err)
	}
	var id, connections string
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(DISTINCT ID), COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'exporter'").Scan(&id, &connections); err != nil {
		t.Fatal(err)
	}
	if connections != "2" {
		t.Errorf("%s connections, want 2", connections)
	}
}

func TestPages(t *testing.T) {
	server, _ := database(t, mysqltest.Config{SQLOnly: true})
	r := start(t, append(databaseFlags(server), "--web.enable-pprof")...)
	for path, want := range map[string]string{
		"/":                      "Token Persistence Exporter",
		"/-/healthy":             "healthy",
		"/-/ready":               "ready",
		"/debug/pprof/cmdline":   "",
		"/metrics":               "token_persistence_exporter_build_info",
		"/debug/pprof/goroutine": "",
	} {
		if status, body := r.get(t, path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := r.get(t, "/nothing", ""); status != 404 {
		t.Errorf("/nothing: %d", status)
	}
	without := start(t, databaseFlags(server)...)
	if status, _ := without.get(t, "/debug/pprof/", ""); status != 404 {
		t.Errorf("pprof without its flag: %d", status)
	}
	if names := slices.Sorted(maps.Keys(without.scrape(t).success())); len(names) != 4 {
		t.Errorf("collectors %v", names)
	}
}
