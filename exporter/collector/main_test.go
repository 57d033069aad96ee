package collector

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// shared is the server of the tests that leave it running; each uses a
// database of its own.
var shared struct {
	sync.Mutex
	server *mysqltest.Server
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

// stopping ends the shared server before leaks are looked for.
type stopping struct{ m *testing.M }

// Run runs the tests.
func (s stopping) Run() int {
	code := s.m.Run()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the shared server:", err)
			return 1
		}
	}
	return code
}

// sharedServer is for tests that need only SQL.
func sharedServer(t *testing.T) *mysqltest.Server {
	t.Helper()
	return shareServer(t, mysqltest.Config{SQLOnly: true})
}

// changedServer is the same one, for tests that change its settings or counters
// and put them right again.
func changedServer(t *testing.T) *mysqltest.Server {
	t.Helper()
	return shareServer(t, mysqltest.Config{})
}

func shareServer(t *testing.T, config mysqltest.Config) *mysqltest.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	server, err := shared.server, error(nil)
	switch {
	case server == nil:
		server, err = mysqltest.ForTest(context.WithoutCancel(t.Context()), config)
	case !config.SQLOnly && os.Getenv(mysqltest.DSNVariable) != "":
		err = mysqltest.ErrOwnServer
	}
	mysqltest.Expect(t, server, err)
	shared.server = server
	return server
}

// tokenDatabase creates a database with the token tables, named for the test.
func tokenDatabase(t *testing.T, server *mysqltest.Server) (name string, db *sql.DB) {
	t.Helper()
	name = "t_" + strings.ToLower(strings.NewReplacer("/", "_", "#", "_", "-", "minus").Replace(t.Name()))
	db = server.Database(t, name)
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return name, db
}

// account is how a test reaches the server as its administrator.
func account(server *mysqltest.Server, schema string) Database {
	return Database{Network: "tcp", Address: server.Addr, User: server.User, Password: Secret(server.Password), Schema: schema}
}

func newLink(t *testing.T, d Database) *Link {
	t.Helper()
	link, err := NewLink(d, &Gate{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return link
}

func newBackground(t *testing.T, d Database) *Background {
	t.Helper()
	return NewBackground(newLink(t, d))
}

func openSession(t *testing.T, d Database) *Session {
	t.Helper()
	s, err := newLink(t, d).Session(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// soon is a deadline for a statement that should not need it.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
