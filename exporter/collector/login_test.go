package collector

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/rdstest"
)

// serverName is in the certificates of the tests.
const serverName = "apim.abcdefghijkl.eu-west-3.rds.amazonaws.com"

func newAuthority(t *testing.T) *rdstest.Authority {
	t.Helper()
	authority, err := rdstest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// trusting is Database.TLS with the CA of an authority.
func trusting(authority *rdstest.Authority, name string) func() (*tls.Config, error) {
	return func() (*tls.Config, error) {
		cas := x509.NewCertPool()
		cas.AppendCertsFromPEM(authority.PEM)
		return &tls.Config{RootCAs: cas, ServerName: name, MinVersion: tls.VersionTLS12}, nil
	}
}

// tlsServer starts a server with a certificate for serverName.
func tlsServer(t *testing.T, authority *rdstest.Authority) *mysqltest.Server {
	t.Helper()
	certificate, key, err := authority.Issue(serverName)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var args []string
	for name, text := range map[string][]byte{"ssl-ca": authority.PEM, "ssl-cert": certificate, "ssl-key": key} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--"+name+"="+path)
	}
	return mysqltest.Run(t, mysqltest.Config{ExtraArgs: args})
}

func TestTLS(t *testing.T) {
	authority := newAuthority(t)
	server := tlsServer(t, authority)
	db := server.Open(t, "") // opened before the server takes TLS only
	exec(t, db, "SET GLOBAL require_secure_transport = ON")
	cases := map[string]struct {
		tls  func() (*tls.Config, error)
		hint string
	}{
		"right":         {trusting(authority, serverName), ""},
		"wrong CA":      {trusting(newAuthority(t), serverName), "--mysqld.tls-ca has to hold the CA"},
		"wrong name":    {trusting(authority, "127.0.0.1"), "--mysqld.tls-server-name has to be a name in"},
		"unreadable CA": {func() (*tls.Config, error) { return nil, errors.New("--mysqld.tls-ca: gone") }, "--mysqld.tls-ca: gone"},
		"without TLS":   {nil, "the server takes TLS only: give --mysqld.tls-ca"},
	}
	if server.Flavor == mysqltest.MariaDB {
		delete(cases, "without TLS") // it calls that a wrong password
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := account(server, "mysql")
			d.TLS = tc.tls
			s, err := newLink(t, d).Session(soon(t))
			if tc.hint != "" {
				if ClassOf(err) != Connection || !strings.Contains(err.Error(), tc.hint) {
					t.Errorf("class %s of %v, want %s and %s", ClassOf(err), err, Connection, tc.hint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var variable, cipher string
			if err := s.Conn.QueryRowContext(t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&variable, &cipher); err != nil || cipher == "" {
				t.Errorf("cipher %q, %v", cipher, err)
			}
		})
	}
}

func TestTLSOfAServerThatHasNone(t *testing.T) {
	off := "--skip-ssl"
	if server := changedServer(t); server.Flavor == mysqltest.MySQL {
		off = "--tls-version="
	}
	server := mysqltest.Run(t, mysqltest.Config{ExtraArgs: []string{off}})
	d := account(server, "mysql")
	d.TLS = trusting(newAuthority(t), serverName)
	_, err := newLink(t, d).Session(soon(t))
	if ClassOf(err) != Connection || !strings.Contains(err.Error(), "needs a server that has TLS switched on") {
		t.Errorf("class %s of %v", ClassOf(err), err)
	}
}

// TestPasswordIsReadForEachAttempt: after a refusal nothing is tried again
// before a pause, unless the password has changed.
func TestPasswordIsReadForEachAttempt(t *testing.T) {
	server := sharedServer(t)
	d := account(server, "mysql")
	var password atomic.Value
	password.Store("wrong")
	d.Login = func(context.Context) (Secret, error) { return Secret(password.Load().(string)), nil }
	gate := &Gate{}
	link, err := NewLink(d, gate)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	}()
	for range 3 {
		if _, err := link.Session(soon(t)); ClassOf(err) != Auth {
			t.Fatalf("class %s of %v", ClassOf(err), err)
		}
	}
	if _, err := link.Session(soon(t)); err == nil || !strings.Contains(err.Error(), "next attempt in") {
		t.Errorf("not paused: %v", err)
	}
	password.Store(server.Password)
	if _, err := link.Session(soon(t)); err != nil {
		t.Errorf("with the right password: %v", err)
	}
	d.Login = func(context.Context) (Secret, error) { return "", errors.New("open password: gone") }
	if _, err := newLink(t, d).Session(soon(t)); ClassOf(err) != Auth || !strings.Contains(err.Error(), "open password: gone") {
		t.Errorf("class %s of %v", ClassOf(err), err)
	}
}
