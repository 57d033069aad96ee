package collector

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/rdstest"
)

// fakeRDS is a server behind a front that takes tokens.
type fakeRDS struct {
	*rdstest.Front
	mu     sync.Mutex
	tokens []string // all that were shown, newest last
	refuse bool
}

// database is what leads to the server with tokens, another for each login.
func (r *fakeRDS) database(t *testing.T, authority *rdstest.Authority) Database {
	t.Helper()
	var tokens atomic.Int64
	login := func(context.Context) (Secret, error) {
		return Secret(fmt.Sprint("c4n4ry-token-", tokens.Add(1))), nil
	}
	return Database{Network: "tcp", Address: r.Addr(), User: "iam", Schema: "mysql", Login: login, Token: true, TLS: trusting(authority, serverName)}
}

func startRDS(t *testing.T, authority *rdstest.Authority) *fakeRDS {
	t.Helper()
	server := changedServer(t)
	exec(t, server.Open(t, ""), "CREATE USER IF NOT EXISTS nopassword@'127.0.0.1'")
	r := &fakeRDS{}
	front, err := rdstest.Start(server.Addr, "nopassword", authority, serverName, func(user, token string) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tokens = append(r.tokens, token)
		return user == "iam" && !r.refuse && strings.HasPrefix(token, "c4n4ry-token-")
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Front = front
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// shown returns how many tokens the front has seen, and lets it refuse those to come.
func (r *fakeRDS) shown(refuse bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = refuse
	return len(r.tokens)
}

func TestTokenLogin(t *testing.T) {
	authority := newAuthority(t)
	r := startRDS(t, authority)
	link := newLink(t, r.database(t, authority))
	for range 3 {
		if _, err := link.Session(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.shown(false); n != 1 {
		t.Errorf("%d logins for one connection", n)
	}
	link.Drop()
	if _, err := link.Session(soon(t)); err != nil {
		t.Fatal(err)
	}
	if r.tokens[0] == r.tokens[1] {
		t.Error("the second connection came with the first one's token")
	}

	before := r.shown(true)
	link.Drop()
	for range 20 {
		_, err := link.Session(soon(t))
		if ClassOf(err) != Auth || !strings.Contains(err.Error(), "rds-db:connect") || strings.Contains(err.Error(), "c4n4ry") {
			t.Fatalf("class %s of %v", ClassOf(err), err)
		}
	}
	if n := r.shown(false); n != before+1 {
		t.Errorf("%d attempts with refused tokens", n-before)
	}
	link.gate.Open()
	if _, err := link.Session(soon(t)); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

// TestTokensStayOnTLS: a token goes neither to a server without TLS nor to one
// whose certificate is not trusted, and no password goes out in clear.
func TestTokensStayOnTLS(t *testing.T) {
	authority := newAuthority(t)
	r := startRDS(t, authority)
	d := r.database(t, authority)
	d.TLS = nil
	if _, err := NewLink(d, &Gate{}); err == nil || !strings.Contains(err.Error(), "--mysqld.tls-ca") {
		t.Errorf("without TLS: %v", err)
	}
	d.TLS = trusting(newAuthority(t), serverName)
	if _, err := newLink(t, d).Session(soon(t)); ClassOf(err) != Connection {
		t.Errorf("untrusted: class %s of %v", ClassOf(err), err)
	}
	d = r.database(t, authority)
	d.Login, d.Token, d.Password = nil, false, "c4n4ry"
	if _, err := newLink(t, d).Session(soon(t)); ClassOf(err) != Auth || !strings.Contains(err.Error(), "only --mysqld.iam-auth allows") {
		t.Errorf("a password in clear: class %s of %v", ClassOf(err), err)
	}
	if n := r.shown(false); n != 0 {
		t.Errorf("%d secrets were shown", n)
	}
}
