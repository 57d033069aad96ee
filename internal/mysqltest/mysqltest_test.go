package mysqltest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServerLifecycle(t *testing.T) {
	s := mysqltest.Run(t, mysqltest.Config{})
	db := s.Database(t, "apimdb")
	ctx := t.Context()
	var performanceSchema, binlog, skipNames bool
	if err := db.QueryRowContext(ctx, "SELECT @@performance_schema, @@log_bin, @@skip_name_resolve").
		Scan(&performanceSchema, &binlog, &skipNames); err != nil {
		t.Fatal(err)
	}
	if !performanceSchema || binlog || !skipNames {
		t.Errorf("performance_schema %t, log_bin %t, skip_name_resolve %t", performanceSchema, binlog, skipNames)
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE kept (n INT) ENGINE=InnoDB"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO kept VALUES (42)"); err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		name string
		end  func() error
	}{
		{"restart", func() error { return nil }},
		{"crash", s.Kill},
	} {
		addr, pid := s.Addr, s.PID()
		if err := end.end(); err != nil {
			t.Fatalf("%s: %v", end.name, err)
		}
		if err := s.Restart(ctx); err != nil {
			t.Fatalf("%s: %v", end.name, err)
		}
		if s.Addr != addr || s.PID() == pid {
			t.Errorf("%s: address %s then %s, process %d then %d", end.name, addr, s.Addr, pid, s.PID())
		}
		var n int
		if err := s.Open(t, "apimdb").QueryRowContext(ctx, "SELECT n FROM kept").Scan(&n); err != nil || n != 42 {
			t.Errorf("after %s: %d, %v", end.name, n, err)
		}
	}
}

// TestTemplate: the second server gets the tables of the first as they were
// when they were new, and an identity of its own.
func TestTemplate(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(mysqltest.TemplatesVariable, folder)
	seen := map[string]bool{}
	for range 2 {
		s := mysqltest.Run(t, mysqltest.Config{})
		db := s.Open(t, "")
		identity, got := "@@server_uuid", 0
		if s.Flavor == mysqltest.MariaDB {
			identity = "@@server_uid" // of a process, not of its data
		}
		var id string
		if err := db.QueryRowContext(t.Context(), "SELECT "+identity+", (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'left')").Scan(&id, &got); err != nil {
			t.Fatal(err)
		}
		if got != 0 || seen[id] {
			t.Errorf("%d databases of another server, identity %s among %v", got, id, seen)
		}
		seen[id] = true
		if _, err := db.ExecContext(t.Context(), "CREATE DATABASE `left`"); err != nil {
			t.Fatal(err)
		}
		if kept, err := os.ReadDir(folder); err != nil || len(kept) != 1 {
			t.Errorf("kept %v, %v: want one template", kept, err)
		}
	}
}

func TestPausedServerDoesNotAnswer(t *testing.T) {
	s := mysqltest.Run(t, mysqltest.Config{NoPerformanceSchema: true})
	db := s.Open(t, "")
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := db.PingContext(short); err == nil {
		t.Error("a paused server answered")
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	var performanceSchema bool
	if err := db.QueryRowContext(t.Context(), "SELECT @@performance_schema").Scan(&performanceSchema); err != nil {
		t.Fatal(err)
	}
	if performanceSchema {
		t.Error("performance schema is on although it was switched off")
	}
	t.Setenv(mysqltest.DSNVariable, s.DSN(""))
	_, err := mysqltest.ForTest(t.Context(), mysqltest.Config{SQLOnly: true})
	if err == nil || !strings.Contains(err.Error(), "performance_schema is off") || strings.Contains(err.Error(), s.Password) {
		t.Errorf("as a server that is there: %v", err)
	}
}

func TestNothingIsLeftAfterAnError(t *testing.T) {
	if _, err := mysqltest.Start(t.Context(), mysqltest.Config{Program: "/nonexistent/mysqld"}); err == nil ||
		!strings.Contains(err.Error(), "Config.Program") {
		t.Errorf("error %v does not name the setting", err)
	}
	dir, err := os.MkdirTemp("", "left") //nolint:usetesting // t.TempDir is too long for a socket path
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	_, err = mysqltest.Start(t.Context(), mysqltest.Config{Dir: dir, ExtraArgs: []string{"--no-such-option=1"}})
	if errors.Is(err, mysqltest.ErrNoServer) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("error %v does not carry the server's log", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mysqltest.Start(canceled, mysqltest.Config{Dir: dir}); err == nil {
		t.Error("a canceled start succeeded")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestMissingServerNamesThePackages(t *testing.T) {
	for _, name := range []string{"mariadb-server-core", "mariadb-client-core", mysqltest.ProgramVariable} {
		if !strings.Contains(mysqltest.ErrNoServer.Error(), name) {
			t.Errorf("the error does not name %s", name)
		}
	}
}
