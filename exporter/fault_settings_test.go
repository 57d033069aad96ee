package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// oddSettings are the defaults that administrators give new sessions, each with
// the value that would hurt most. Names with a flavour are unknown to the other.
var oddSettings = []struct{ flavor, name, value string }{
	{"", "autocommit", "0"},
	{"", "sql_select_limit", "1"},
	{"", "wait_timeout", "1"},
	{"", "max_join_size", "1"},
	{"", "div_precision_increment", "0"},
	{"", "completion_type", "2"},
	{"", "lc_time_names", "'de_DE'"},
	{"", "time_zone", "'-05:00'"},
	{"", "character_set_results", "ucs2"},
	{"", "sql_mode", "'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,ONLY_FULL_GROUP_BY,HIGH_NOT_PRECEDENCE,NO_UNSIGNED_SUBTRACTION'"},
	{"", "sql_mode", "'TRADITIONAL'"},
	{"mariadb", "sql_mode", "'ORACLE'"},
	{"mariadb", "sql_mode", "'EMPTY_STRING_IS_NULL'"},
	{"mariadb", "sql_mode", "'MSSQL'"},
	{"mariadb", "tx_isolation", "'SERIALIZABLE'"},
	{"mysql", "transaction_isolation", "'SERIALIZABLE'"},
	{"mariadb", "max_statement_time", "0.02"},
	{"mysql", "max_execution_time", "20"},
	{"mysql", "information_schema_stats_expiry", "31536000"},
	{"", "init_connect", "'SET time_zone = ''+02:00'', sql_mode = ''PIPES_AS_CONCAT,ANSI_QUOTES'', autocommit = 0, sql_select_limit = 1, character_set_results = ucs2'"},
}

// TestOddServerSettings: what new sessions are given by default changes nothing
// of what is read.
func TestOddServerSettings(t *testing.T) {
	t.Parallel()
	s := newStage(t, mysqltest.Config{})
	r := start(t, append(s.flags(), "--collector.tokens.lateness=1s")...)
	r.green(t)
	rows := 0.0
	for _, odd := range oddSettings {
		if odd.flavor != "" && odd.flavor != s.server.Flavor {
			continue
		}
		t.Run(odd.name+" "+odd.value, func(t *testing.T) {
			var before string
			try(t, s.db.QueryRowContext(t.Context(), "SELECT @@GLOBAL."+odd.name).Scan(&before))
			before = "'" + strings.ReplaceAll(before, "'", "''") + "'"
			if strings.Trim(before, "'0123456789.") == "" && before != "''" {
				before = strings.Trim(before, "'")
			}
			t.Cleanup(func() {
				if _, err := s.db.Exec("SET GLOBAL " + odd.name + " = " + before); err != nil {
					t.Error(err)
				}
			})
			execute(t, s.db, "SET GLOBAL "+odd.name+" = "+odd.value)
			s.proxy.Cut()
			r.green(t)
			insert(t, s.db, 3)
			rows += 3
			eventually(t, "the rows are counted", func() error { return r.rows(t, rows) })
			if odd.name == "wait_timeout" {
				connects, _ := r.scrape(t).value("token_persistence_exporter_database_connects_total", "connection", "scrape")
				time.Sleep(2500 * time.Millisecond)
				if again, _ := r.scrape(t).value("token_persistence_exporter_database_connects_total", "connection", "scrape"); again != connects {
					t.Errorf("%v connections became %v", connects, again)
				}
			}
			if offset, _ := r.scrape(t).value("wso2_token_clock_offset_seconds"); offset != 0 {
				t.Errorf("clock offset %v", offset)
			}
		})
	}
}

// TestBrokenInitConnect: a server that refuses all but its administrators, for
// whatever reason, is a lost connection until that is repaired.
func TestBrokenInitConnect(t *testing.T) {
	t.Parallel()
	s := newStage(t, mysqltest.Config{})
	r := start(t, s.flags()...)
	r.green(t)
	refusals := map[string][2]string{
		"init_connect": {"SET GLOBAL init_connect = 'nonsense'", "SET GLOBAL init_connect = ''"},
		"locked":       {"ALTER USER exporter@'127.0.0.1' ACCOUNT LOCK", "ALTER USER exporter@'127.0.0.1' ACCOUNT UNLOCK"},
	}
	if s.server.Flavor == mysqltest.MySQL {
		refusals["offline"] = [2]string{"SET GLOBAL offline_mode = ON", "SET GLOBAL offline_mode = OFF"}
	}
	classes := map[string]string{"init_connect": "connection", "offline": "connection", "locked": "auth"}
	for name, sql := range refusals {
		t.Run(name, func(t *testing.T) {
			execute(t, s.db, sql[0])
			s.proxy.Cut()
			p := r.scrape(t)
			for _, name := range []string{"mysql", "tableio", "tablesize", "tokens"} { // others show their last pass
				if p.success()[name] {
					t.Errorf("%s succeeds", name)
				}
			}
			if n, _ := p.value("token_persistence_exporter_collector_failures_total", "collector", "mysql", "class", classes[name]); n < 1 {
				t.Errorf("no failure of class %s:\n%s", classes[name], r.logs)
			}
			execute(t, s.db, sql[1])
			r.green(t)
		})
	}
}

// TestKilledConnections: an administrator who kills our sessions costs one
// scrape at most.
func TestKilledConnections(t *testing.T) {
	s := newStage(t, mysqltest.Config{})
	r := start(t, s.flags()...)
	r.green(t)
	for range 3 {
		ids := column(t, s.db, "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'exporter'")
		if len(ids) == 0 {
			t.Fatal("no connection to kill")
		}
		for _, id := range ids {
			execute(t, s.db, "KILL "+id)
		}
		if failing := r.scrape(t).failing(); len(failing) > 0 {
			t.Errorf("%v failed although a new connection was to be had\n%s", failing, r.logs)
		}
	}
}
