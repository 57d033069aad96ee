package mysqltest

import (
	"context"
	"database/sql"
	"errors"
	"os"
)

// TB is the part of testing.TB that Run and Open need; it keeps the testing
// package out of the testbed program.
type TB interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Run starts a server for one test and stops it at the test's end. Without a
// server program the test is skipped on a developer's machine and fails where
// the variable CI is set.
func Run(tb TB, config Config) *Server {
	tb.Helper()
	s, err := Start(tb.Context(), config)
	switch {
	case err == nil:
	case errors.Is(err, ErrNoServer) && os.Getenv("CI") == "":
		tb.Skipf("%v", err)
	default:
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("stop the private server: %v", err)
		}
	})
	return s
}

// Open returns a pool for database that is closed at the test's end.
func (s *Server) Open(tb TB, database string) *sql.DB {
	tb.Helper()
	db, err := s.Connect(database)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	// A connection that a fault broke cannot be closed well, and the pool reports it.
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// Database creates an empty database with WSO2's character set and returns a
// pool for it.
func (s *Server) Database(tb TB, name string) *sql.DB {
	tb.Helper()
	if _, err := s.Open(tb, "").ExecContext(tb.Context(), "CREATE DATABASE "+name+" CHARACTER SET latin1 COLLATE latin1_general_ci"); err != nil {
		tb.Fatalf("create database %s: %v", name, err)
	}
	return s.Open(tb, name)
}
