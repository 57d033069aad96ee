package collector

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
)

func TestClassOf(t *testing.T) {
	server := func(number uint16) error { return fmt.Errorf("read: %w", &mysql.MySQLError{Number: number}) }
	for _, tc := range []struct {
		err  error
		want Class
	}{
		{server(1045), Auth}, {server(1698), Auth},
		{server(1044), Permission}, {server(1142), Permission}, {server(1143), Permission}, {server(1227), Permission},
		{server(1969), Timeout}, {server(3024), Timeout}, {server(1317), Timeout},
		{server(1146), Schema}, {server(1054), Schema}, {server(1049), Schema}, {server(1176), Schema},
		{server(2006), Connection}, {server(2013), Connection}, {server(1203), Connection},
		{server(9999), Other}, {errors.New("x"), Other},
		{driver.ErrBadConn, Connection}, {mysql.ErrInvalidConn, Connection}, {io.ErrUnexpectedEOF, Connection},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, Connection},
		{context.DeadlineExceeded, Timeout},
		{fmt.Errorf("outer: %w", &Failure{Guard, server(1045)}), Guard},
	} {
		if got := ClassOf(tc.err); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.err, got, tc.want)
		}
	}
}

func TestSecretNeverShows(t *testing.T) {
	d := Database{User: "u", Password: "hunter2"}
	encoded, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(d), fmt.Sprintf("%v %+v %#v %s %q %x %d", d, d, d, d.Password, d.Password, d.Password, d.Password),
		string(encoded), d.Password.LogValue().String(), d.Password.String(),
	} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("the password shows: %s", shown)
		}
	}
}

func TestGatePausesLonger(t *testing.T) {
	var g Gate
	now := time.Unix(0, 0)
	refused := fmt.Errorf("connect: %w", &mysql.MySQLError{Number: 1045})
	var pauses []time.Duration
	for range 9 {
		if err := g.closed(now, ""); err != nil {
			t.Fatalf("closed after the pause: %v", err)
		}
		g.learn(now, "", refused)
		var pause time.Duration
		for g.closed(now.Add(pause), "") != nil {
			pause += time.Second
		}
		pauses = append(pauses, pause/time.Second)
		now = now.Add(pause)
	}
	if diff := cmp.Diff([]time.Duration{5, 10, 20, 40, 80, 160, 300, 300, 300}, pauses); diff != "" {
		t.Error(diff)
	}
	g.learn(now, "", refused)
	if err := g.closed(now, ""); ClassOf(err) != Auth || !strings.Contains(err.Error(), "next attempt in 5m0s") {
		t.Errorf("got %v", err)
	}
	g.learn(now, "", nil)
	g.learn(now, "", &net.OpError{Op: "dial", Err: errors.New("refused")})
	if err := g.closed(now, ""); err != nil {
		t.Errorf("a server that is down is tried again at once: %v", err)
	}
}

func TestSessionSettings(t *testing.T) {
	server := sharedServer(t)
	schema, _ := tokenDatabase(t, server)
	s := openSession(t, account(server, schema))
	var zone, isolation string
	var lockWait int
	err := s.Conn.QueryRowContext(t.Context(), "SELECT @@time_zone, @@lock_wait_timeout, "+
		map[string]string{flavorMariaDB: "@@tx_isolation", flavorMySQL: "@@transaction_isolation"}[s.Server.Flavor]).
		Scan(&zone, &lockWait, &isolation)
	if err != nil {
		t.Fatal(err)
	}
	if zone != "+00:00" || lockWait != 1 || isolation != "READ-COMMITTED" {
		t.Errorf("time zone %s, lock wait %d, isolation %s", zone, lockWait, isolation)
	}
	_, err = s.Conn.ExecContext(t.Context(), "DELETE FROM "+s.fullName("IDN_OAUTH2_ACCESS_TOKEN"))
	const readOnlyTransaction = 1792
	if !isServerError(err, readOnlyTransaction) {
		t.Errorf("the session may write: %v", err)
	}
}

// TestStatementLimit holds that the server ends a statement before its
// deadline, so that the connection survives and nothing is left behind.
func TestStatementLimit(t *testing.T) {
	server := sharedServer(t)
	link := newLink(t, account(server, "mysql"))
	s, err := link.Session(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err = s.each(ctx, func(*sql.Rows) error { return nil },
		"SELECT COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b, information_schema.COLUMNS c")
	if ClassOf(err) != Timeout || ctx.Err() != nil {
		t.Errorf("%v, deadline %v: want the server to end the statement first", err, ctx.Err())
	}
	if !link.Alive() {
		t.Error("the connection did not survive")
	}
	if err := s.each(ctx, func(*sql.Rows) error { return nil }, "SELECT 1"); err != nil && ClassOf(err) != Timeout {
		t.Error(err)
	}
	spent, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.each(spent, func(*sql.Rows) error { return nil }, "SELECT 1"); ClassOf(err) != Timeout || !link.Alive() {
		t.Errorf("without time for a statement: %v, alive %v", err, link.Alive())
	}
}

func TestLinkStaysOpenAndComesBack(t *testing.T) {
	server := sharedServer(t)
	link := newLink(t, account(server, "mysql"))
	id := func() (id int) {
		s, err := link.Session(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := id()
	if second := id(); second != first {
		t.Errorf("connection %d became %d without need", first, second)
	}
	if _, err := server.Open(t, "").ExecContext(t.Context(), fmt.Sprintf("KILL %d", first)); err != nil {
		t.Fatal(err)
	}
	killed := id()
	if killed == first {
		t.Error("a killed connection lives")
	}
	link.session.Server.Instance = "another"
	if other := id(); other == killed {
		t.Error("the connection was kept although another server answers")
	}
}

// TestCutResultIsNoSuccess: rows that stop half way are an error, whichever
// collector reads them.
func TestCutResultIsNoSuccess(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	insertTokens(t, db, 10, "password", 0)
	link := newLink(t, account(server, schema))
	s, err := link.Session(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	var id int
	if err := s.Conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = s.each(soon(t), func(*sql.Rows) error {
		if n++; n == 1 {
			exec(t, db, fmt.Sprintf("KILL %d", id))
		}
		return nil
	}, "SELECT REPEAT('x', 100000), SLEEP(0.05) FROM "+s.fullName("IDN_OAUTH2_ACCESS_TOKEN"))
	if err == nil || n >= 10 {
		t.Errorf("%d rows and %v from a connection that was killed", n, err)
	}
}
