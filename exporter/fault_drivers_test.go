package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/faultproxy"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// stage is a server behind a proxy, for an exporter that reaches it through the
// proxy and an administrator who does not.
type stage struct {
	server *mysqltest.Server
	db     *sql.DB
	proxy  *faultproxy.Proxy
}

func newStage(t testing.TB, config mysqltest.Config) *stage {
	t.Helper()
	server, db := database(t, config)
	return &stage{server, db, faultproxy.Run(t, server.Addr)}
}

// flags lead an exporter through the proxy.
func (s *stage) flags() []string {
	return append([]string{"--mysqld.address=" + s.proxy.Addr()}, databaseFlags(s.server)[1:]...)
}

// fault is something that goes wrong between an exporter and its database, or
// in the database. All of them make the tokens collector fail.
type fault struct {
	name   string
	class  string // of the tokens collector's failure
	hidden bool   // the server cannot be asked what runs there
	only   bool   // other collectors still succeed
	inject func(t testing.TB, s *stage) (repair func())
}

// faults are those in which an exporter must go on answering in time. The
// benchmark of the deadline overrun runs through them too.
func faults() []fault {
	return []fault{
		{name: "server killed", class: "connection", hidden: true, inject: func(t testing.TB, s *stage) func() {
			try(t, s.server.Kill())
			return func() { try(t, s.server.Restart(context.WithoutCancel(t.Context()))) }
		}},
		{name: "server frozen", class: "timeout", hidden: true, inject: func(t testing.TB, s *stage) func() {
			try(t, s.server.Pause())
			return func() { try(t, s.server.Resume()) }
		}},
		{name: "network frozen", class: "timeout", inject: func(_ testing.TB, s *stage) func() {
			s.proxy.Freeze()
			return s.proxy.Thaw
		}},
		{name: "network frozen for new connections", class: "timeout", inject: func(_ testing.TB, s *stage) func() {
			s.proxy.Cut()
			s.proxy.Freeze()
			return s.proxy.Thaw
		}},
		{name: "network slow", class: "timeout", inject: func(_ testing.TB, s *stage) func() {
			s.proxy.Trickle(500)
			return func() { s.proxy.Trickle(0) }
		}},
		{name: "connections refused", class: "connection", inject: func(_ testing.TB, s *stage) func() {
			s.proxy.Refuse(true)
			s.proxy.Cut()
			return func() { s.proxy.Refuse(false) }
		}},
		{name: "connections cut", class: "connection", inject: func(_ testing.TB, s *stage) func() {
			s.proxy.CutAfter(300)
			s.proxy.Cut()
			return func() { s.proxy.CutAfter(-1) }
		}},
		{name: "table locked", class: "timeout", only: true, inject: lockTable},
		{name: "table behind a waiting ALTER", class: "timeout", only: true, inject: waitingAlter},
		{name: "too many connections", class: "connection", inject: exhaustConnections},
		{name: "account at its limit", class: "connection", inject: func(t testing.TB, s *stage) func() {
			// Two sessions of the account that are not the exporter's.
			execute(t, s.db, "ALTER USER exporter@'127.0.0.1' WITH MAX_USER_CONNECTIONS 2")
			s.proxy.Refuse(true)
			s.proxy.Cut()
			var others []func()
			for range 2 {
				others = append(others, occupy(t, s))
			}
			s.proxy.Refuse(false)
			return func() {
				for _, release := range others {
					release()
				}
			}
		}},
	}
}

// lockTable holds the token table as a backup does.
func lockTable(t testing.TB, s *stage) func() {
	conn := connect(t, s.db)
	query(t, conn, "LOCK TABLES IDN_OAUTH2_ACCESS_TOKEN WRITE")
	return func() {
		query(t, conn, "UNLOCK TABLES")
		try(t, conn.Close())
	}
}

// waitingAlter makes an ALTER wait for a transaction that is left open, and
// everybody who comes later wait for the ALTER.
func waitingAlter(t testing.TB, s *stage) func() {
	reader, changer := connect(t, s.db), connect(t, s.db)
	query(t, reader, "BEGIN")
	query(t, reader, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN")
	altered := make(chan error, 1)
	go func() {
		_, err := changer.ExecContext(context.WithoutCancel(t.Context()), "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN ADD COLUMN F_"+fmt.Sprint(time.Now().UnixNano())+" INT")
		altered <- err
	}()
	eventually(t, "the ALTER waits", func() error {
		var n int
		err := s.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata%' AND INFO LIKE 'ALTER%'").Scan(&n)
		if err == nil && n == 0 {
			err = fmt.Errorf("it does not")
		}
		return err
	})
	return func() {
		query(t, reader, "COMMIT")
		try(t, reader.Close())
		try(t, <-altered)
		try(t, changer.Close())
	}
}

// exhaustConnections fills the server, as a pool without bounds does.
func exhaustConnections(t testing.TB, s *stage) func() {
	execute(t, s.db, "SET GLOBAL max_connections = 12")
	s.proxy.Refuse(true)
	s.proxy.Cut()
	var others []func()
	for {
		release, err := tryOccupy(t, s)
		if err != nil {
			break
		}
		others = append(others, release)
	}
	s.proxy.Refuse(false)
	return func() {
		for _, release := range others {
			release()
		}
		// The administrator's own connection is one of those that are left.
		execute(t, s.db, "SET GLOBAL max_connections = 200")
	}
}

// occupy opens a session of the exporter's account beside the proxy.
func occupy(t testing.TB, s *stage) (release func()) {
	t.Helper()
	release, err := tryOccupy(t, s)
	try(t, err)
	return release
}

func tryOccupy(t testing.TB, s *stage) (release func(), err error) {
	config := s.server.Config("")
	config.User, config.Passwd = "exporter", canary
	db, err := sql.Open("mysql", config.FormatDSN())
	try(t, err)
	// The sessions that the proxy cut may take a moment to go.
	for range 50 {
		if err = db.PingContext(t.Context()); err == nil {
			return func() { try(t, db.Close()) }, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	try(t, db.Close())
	return nil, err
}

func connect(t testing.TB, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(context.WithoutCancel(t.Context()))
	try(t, err)
	return conn
}

func query(t testing.TB, conn *sql.Conn, statement string) {
	t.Helper()
	if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func try(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failing returns the collectors that do not succeed, sorted.
func (p page) failing() []string {
	var names []string
	for name, ok := range p.success() {
		if !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// green waits until every collector succeeds.
func (r *running) green(t testing.TB) {
	t.Helper()
	eventually(t, "every collector succeeds", func() error {
		if p := r.scrape(t); len(p.success()) == 0 || len(p.failing()) > 0 {
			return fmt.Errorf("%v failing\nlog:\n%s", p.failing(), r.logs)
		}
		return nil
	})
}

// overrun scrapes once with a timeout of so many seconds and returns by how
// much the answer came after the collectors' budget; negative when it came
// before. The scraper's own timeout is later by timeoutOffset.
func (r *running) overrun(t testing.TB, timeout string) (time.Duration, page) {
	t.Helper()
	begin := time.Now()
	p := r.scrapeWithin(t, timeout)
	header := map[string][]string{timeoutHeader: {timeout}}
	if timeout == "" {
		header = nil
	}
	return time.Since(begin) - budget(header), p
}

// leftovers returns the statements of the exporter that have run for at least
// so many seconds.
func (s *stage) leftovers(t testing.TB, seconds int) string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "SELECT ID, TIME, STATE, INFO FROM information_schema.PROCESSLIST WHERE USER = 'exporter' AND COMMAND <> 'Sleep' AND TIME >= ?", seconds)
	try(t, err)
	defer rows.Close()
	var found []string
	for rows.Next() {
		var id, time, state, info sql.NullString
		try(t, rows.Scan(&id, &time, &state, &info))
		found = append(found, id.String+" "+time.String+" s "+state.String+": "+info.String)
	}
	try(t, rows.Err())
	return strings.Join(found, "\n")
}
