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
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Run starts a server for one test and stops it at the test's end. Without a
// server program the test is skipped on a developer's machine and fails where
// the variable CI is set. What runs on a server says on which one.
func Run(tb TB, config Config) *Server {
	tb.Helper()
	s, err := ForTest(tb.Context(), config)
	Expect(tb, s, err)
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Errorf("stop the private server: %v", err)
		}
	})
	return s
}

// Expect ends the test unless ForTest has found a server, and says which one.
func Expect(tb TB, s *Server, err error) {
	tb.Helper()
	switch {
	case err == nil:
		tb.Logf("%s%s %s", OnServer, s.Flavor, s.Version)
	case errors.Is(err, ErrOwnServer) || errors.Is(err, ErrNoServer) && os.Getenv("CI") == "":
		tb.Skipf("%v", err)
	default:
		tb.Fatalf("%v", err)
	}
}

// OnServer begins the line by which a test says what server it runs on.
const OnServer = "on the server "

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
// pool for it. On a server that was there already the test's end drops it.
func (s *Server) Database(tb TB, name string) *sql.DB {
	tb.Helper()
	s.run(tb, "CREATE DATABASE "+name+" CHARACTER SET latin1 COLLATE latin1_general_ci")
	s.atEnd(tb, "DROP DATABASE IF EXISTS "+name)
	return s.Open(tb, name)
}
