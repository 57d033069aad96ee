package rig

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
)

// open runs startDatabase against a DSN.
func open(t *testing.T, dsn string, useExisting bool) (*database, error) {
	t.Helper()
	var end closers
	t.Cleanup(func() {
		if err := end.close(); err != nil {
			t.Error(err)
		}
	})
	return startDatabase(t.Context(), Options{DSN: dsn, UseExisting: useExisting}, Layout{}, &end)
}

func TestForeignTokenTablesStayUntouched(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	theirs := server.Database(t, "theirs")
	ctx := t.Context()
	if err := tokentable.Create(ctx, theirs); err != nil {
		t.Fatal(err)
	}
	mustExec(ctx, t, theirs, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID) VALUES ('precious')")
	if _, err := open(t, server.DSN("theirs"), false); err == nil || !strings.Contains(err.Error(), "--dsn-use-existing") {
		t.Errorf("foreign token tables: error %v", err)
	}
	d, err := open(t, server.DSN("theirs"), true)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := d.count(ctx); err != nil || n.Tokens != 1 {
		t.Errorf("%d tokens, %v; want the one that was there", n.Tokens, err)
	}
}

func TestOwnTablesAreReplaced(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	for range 2 {
		d, err := open(t, server.DSN("ours"), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := keymanager.Provision(t.Context(), d.db, credentials.Make(1, 1)); err != nil {
			t.Fatal(err)
		}
		if n, err := d.count(t.Context()); err != nil || n.Tokens != 0 {
			t.Errorf("%d tokens, %v; want a new table", n.Tokens, err)
		}
		if d.pid != server.PID() {
			t.Errorf("pid %d, want the local server's %d", d.pid, server.PID())
		}
		mustExec(t.Context(), t, d.db, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID) VALUES ('old')")
	}
}

func TestDSNErrorHidesThePassword(t *testing.T) {
	if _, err := open(t, "user:canary-secret@nowhere", false); err == nil || strings.Contains(err.Error(), "canary") ||
		!strings.Contains(err.Error(), "--dsn") {
		t.Errorf("error %v", err)
	}
}

// private starts a database of the rig's own with an application.
func private(t *testing.T) *database {
	t.Helper()
	var end closers
	t.Cleanup(func() {
		if err := end.close(); err != nil {
			t.Error(err)
		}
	})
	d, err := startDatabase(t.Context(), Options{}, Layout{}, &end)
	if errors.Is(err, mysqltest.ErrNoServer) {
		mysqltest.Run(t, mysqltest.Config{}) // skips, or fails where CI is set
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := keymanager.Provision(t.Context(), d.db, credentials.Make(2, 2)); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestQuiesceIsBoundedAndSettles(t *testing.T) {
	d := private(t)
	q, err := d.quiesce(t.Context(), 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if q.History > historySettled {
		t.Errorf("an idle server kept %d undo records after %.1f s", q.History, q.Waited)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.quiesce(canceled, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestExporterAccountSeesNoSecret tries to read every column of every table
// with the exporter's account.
func TestExporterAccountSeesNoSecret(t *testing.T) {
	d := private(t)
	ctx := t.Context()
	config, err := d.exporterAccount(ctx)
	if err != nil {
		t.Fatal(err)
	}
	account, err := connect(config)
	if err != nil {
		t.Fatal(err)
	}
	defer account.Close()
	secret := regexp.MustCompile(`\.(ACCESS_TOKEN|REFRESH_TOKEN|AUTHORIZATION_CODE|CONSUMER_KEY|CONSUMER_SECRET|TOKEN_IDENTIFIER|SIGNATURE|AUTHZ_USER|SUBJECT_IDENTIFIER|USERNAME|PKCE_CODE_CHALLENGE|\w+_HASH|UM_\w+)$`)
	readable := 0
	for _, column := range columns(ctx, t, d.db) {
		table, name, _ := strings.Cut(column, ".")
		_, err := account.ExecContext(ctx, "SELECT "+name+" FROM "+table+" LIMIT 1")
		e, denied := errors.AsType[*mysql.MySQLError](err)
		denied = denied && (e.Number == 1142 || e.Number == 1143)
		switch {
		case err == nil:
			readable++
			if secret.MatchString(column) {
				t.Errorf("%s can be read", column)
			}
		case !denied:
			t.Errorf("%s: %v", column, err)
		}
	}
	if readable < 3 {
		t.Errorf("only %d columns can be read", readable)
	}
	var sizes int
	if err := account.QueryRowContext(ctx, "SELECT COUNT(DATA_LENGTH) FROM information_schema.TABLES WHERE TABLE_SCHEMA='"+
		defaultDatabase+"'").Scan(&sizes); err != nil || sizes < len(tokentable.Common()) {
		t.Errorf("sizes of %d tables are visible, %v", sizes, err)
	}
}

// columns lists TABLE.COLUMN of the whole database.
func columns(ctx context.Context, t *testing.T, db *sql.DB) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(ctx, "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	if err := rows.Err(); err != nil || len(out) < 100 {
		t.Fatalf("%d columns, %v", len(out), err)
	}
	return out
}

func mustExec(ctx context.Context, t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Fatal(err)
	}
}
