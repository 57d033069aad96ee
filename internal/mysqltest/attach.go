package mysqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// DSNVariable names the environment variable with the data source name of a
// server that is there already, for an administrator: user:password@tcp(host:port)/.
// Tests that need only SQL then run on it, in schemas and with accounts that they
// create and drop; all others are skipped.
const DSNVariable = "TOKEN_PERSISTENCE_TEST_DSN"

// ErrOwnServer is the error of a test that cannot run on the server of DSNVariable.
var ErrOwnServer = errors.New("it is written for a server of its own, to change settings, stop it, break it or leave accounts on it, not for that of " + DSNVariable)

var errNotOurs = errors.New("the server of " + DSNVariable + " is not ours to stop: a test that does so must not say SQLOnly")

// ForTest is Start for tests: where DSNVariable names a server, it is that one.
func ForTest(ctx context.Context, config Config) (*Server, error) {
	dsn := os.Getenv(DSNVariable)
	switch {
	case dsn == "":
		return Start(ctx, config)
	case !config.SQLOnly:
		return nil, ErrOwnServer
	}
	return attach(ctx, dsn)
}

// attach looks at a server that is there already.
func attach(ctx context.Context, dsn string) (*Server, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New(DSNVariable + " is not user:password@tcp(host:port)/") // the driver's error may repeat it
	}
	if c.Net != "tcp" || c.DBName != "" {
		return nil, errors.New(DSNVariable + ": want tcp and no database, as in user:password@tcp(host:port)/: tests make their own")
	}
	c.ParseTime, c.Logger = true, &mysql.NopLogger{}
	s := &Server{Addr: c.Addr, User: c.User, Password: c.Passwd, attached: c}
	db, err := s.Connect("")
	if err != nil {
		return nil, err
	}
	defer db.Close() // holds idle connections only
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	var login string
	var performanceSchema bool
	if err := db.QueryRowContext(ctx, "SELECT VERSION(), USER(), @@performance_schema").Scan(&s.Version, &login, &performanceSchema); err != nil {
		return nil, fmt.Errorf("log in to the server of %s: %w", DSNVariable, err)
	}
	if !performanceSchema {
		return nil, fmt.Errorf("performance_schema is off on the server of %s: set performance_schema=ON and restart it", DSNVariable)
	}
	s.Flavor = MySQL
	if strings.Contains(s.Version, "MariaDB") {
		s.Flavor = MariaDB
	}
	s.host = login[strings.LastIndexByte(login, '@')+1:]
	return s, nil
}

// Named is an account of Account, as GRANT wants it.
func (s *Server) Named(name string) string { return "'" + name + "'@'" + s.host + "'" }

// Account creates an account that may log in from here and has no right, and
// returns its name quoted. It is dropped at the test's end.
func (s *Server) Account(tb TB, name, password, limits string) (quoted string) {
	tb.Helper()
	quoted = s.Named(name)
	s.run(tb, "CREATE USER "+quoted+" IDENTIFIED BY '"+password+"' "+limits)
	s.atEnd(tb, "DROP USER IF EXISTS "+quoted)
	return quoted
}

// run executes a statement. What is there already on a server that is not ours
// makes the test fail and is not touched.
func (s *Server) run(tb TB, statement string) {
	tb.Helper()
	if _, err := s.Open(tb, "").ExecContext(tb.Context(), statement); err != nil {
		hint := ""
		if s.attached != nil {
			hint = "\nno test touches what is there already; if a test run that was cut off left it, drop it"
		}
		tb.Fatalf("%s: %v%s", statement, err, hint)
	}
}

// atEnd executes a statement at the test's end on a server that stays.
func (s *Server) atEnd(tb TB, statement string) {
	if s.attached == nil {
		return // the server's directory goes
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		db, err := s.Connect("")
		if err == nil {
			defer db.Close() // holds idle connections only
			_, err = db.ExecContext(ctx, statement)
		}
		if err != nil {
			tb.Errorf("%s: %v", statement, err)
		}
	})
}
