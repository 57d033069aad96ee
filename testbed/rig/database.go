package rig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// defaultDatabase is the name API Manager's documentation gives the database.
const defaultDatabase = "apimdb"

// marker is a table that says the testbed created the token tables beside it
// and may therefore drop them.
const marker = "TOKEN_PERSISTENCE_TESTBED"

// database is the token database of a rig.
type database struct {
	config  *mysql.Config // with every right on the token tables
	db      *sql.DB
	version string
	pid     int // 0: not on this machine, or not ours to read
	own     bool
}

// startDatabase starts a private server, or connects to the one of a DSN, and
// creates the token tables.
func startDatabase(ctx context.Context, o Options, layout Layout, end *closers) (*database, error) {
	if o.DSN != "" {
		return openDatabase(ctx, o, end)
	}
	server, err := mysqltest.Start(ctx, mysqltest.Config{CPUs: layout.Database})
	if err != nil {
		return nil, err
	}
	end.add(server.Stop)
	d := &database{config: server.Config(defaultDatabase), pid: server.PID(), own: true}
	root, err := server.Connect("")
	if err != nil {
		return nil, err
	}
	_, err = root.ExecContext(ctx, "CREATE DATABASE "+defaultDatabase+" CHARACTER SET latin1 COLLATE latin1_general_ci")
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("create the token database: %w", err)
	}
	return d, d.open(ctx, end, false)
}

// openDatabase uses the server of o.DSN. Token tables that are not the
// testbed's own stay untouched.
func openDatabase(ctx context.Context, o Options, end *closers) (*database, error) {
	config, err := mysql.ParseDSN(o.DSN)
	if err != nil {
		// The driver's message may quote the DSN and with it the password.
		return nil, errors.New("--dsn: not a data source name: want user:password@tcp(host:port)/database")
	}
	config.ParseTime = true
	config.Logger = silent{}
	if config.DBName == "" {
		config.DBName = defaultDatabase
	}
	bare := config.Clone()
	bare.DBName = ""
	root, err := connect(bare)
	if err != nil {
		return nil, err
	}
	_, err = root.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+quote(config.DBName)+" CHARACTER SET latin1 COLLATE latin1_general_ci")
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("--dsn: create database %s: %w", config.DBName, err)
	}
	d := &database{config: config}
	return d, d.open(ctx, end, o.UseExisting)
}

// silent drops what the driver would log; it returns the same as errors.
type silent struct{}

func (silent) Print(...any) {}

func connect(config *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("database settings: %w", err)
	}
	return sql.OpenDB(connector), nil
}

// open connects, makes the schema and looks who answers.
func (d *database) open(ctx context.Context, end *closers, useExisting bool) error {
	db, err := connect(d.config)
	if err != nil {
		return err
	}
	d.db = db
	end.add(db.Close)
	if err := d.schema(ctx, useExisting); err != nil {
		return err
	}
	var comment, pidFile string
	err = db.QueryRowContext(ctx, "SELECT @@version, @@version_comment, @@pid_file").Scan(&d.version, &comment, &pidFile)
	if err != nil {
		return fmt.Errorf("read the server's version: %w", err)
	}
	if !strings.Contains(strings.ToLower(d.version), "mariadb") {
		d.version += " " + comment
	}
	if d.pid == 0 {
		d.pid = localPID(pidFile)
	}
	return nil
}

// localPID returns the process behind a pid file when it runs here and we may
// read its counters, else 0.
func localPID(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	if _, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid)); err != nil {
		return 0
	}
	return pid
}

// schema creates the token tables. Tables of an earlier testbed are replaced,
// anybody else's are used as they are, and only when the user said so.
func (d *database) schema(ctx context.Context, useExisting bool) error {
	tables, err := d.tables(ctx)
	if err != nil {
		return err
	}
	if tables[marker] {
		if err := d.drop(ctx); err != nil {
			return err
		}
	} else if tables[tokentable.AccessToken] || tables[tokentable.ConsumerApps] {
		if !useExisting {
			return fmt.Errorf("--dsn: database %s holds token tables that the testbed did not create: name an empty database, "+
				"or pass --dsn-use-existing to add tokens, applications and users to these tables (nothing is deleted)", d.config.DBName)
		}
		return nil
	}
	if _, err := d.db.ExecContext(ctx, "CREATE TABLE "+marker+" (CREATED TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"); err != nil {
		return fmt.Errorf("mark the database as the testbed's: %w", err)
	}
	return tokentable.Create(ctx, d.db)
}

// tables lists the tables of the database in upper case.
func (d *database) tables(ctx context.Context) (map[string]bool, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		out[strings.ToUpper(name)] = true
	}
	return out, rows.Err()
}

// drop removes the tables of an earlier testbed; its marker goes last.
func (d *database) drop(ctx context.Context) error {
	names := []string{
		tokentable.AuthorizationCodeScope, tokentable.AuthorizationCode, tokentable.AccessTokenScope, tokentable.AccessTokenAudit,
		tokentable.AccessToken, tokentable.ConsumerApps, tokentable.IdentityProvider, tokentable.User, tokentable.InvalidTokens,
		tokentable.AppRevokedEvent, tokentable.SubjectEntityRevokedEvent, tokentable.AMAppRevokedEvent,
		tokentable.AMSubjectEntityRevokedEvent, tokentable.RevokedJWT, marker,
	}
	for _, name := range names {
		if _, err := d.db.ExecContext(ctx, "DROP TABLE IF EXISTS "+name); err != nil {
			return fmt.Errorf("drop the tables of an earlier testbed: %w", err)
		}
	}
	return nil
}

// rows are the token rows and their audit copies.
type rows struct{ Tokens, Audit int64 }

// count counts the rows of the token tables as they are committed now.
func (d *database) count(ctx context.Context) (rows, error) {
	var r rows
	err := d.db.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM "+tokentable.AccessToken+"), (SELECT COUNT(*) FROM "+
		tokentable.AccessTokenAudit+")").Scan(&r.Tokens, &r.Audit)
	if err != nil {
		return r, fmt.Errorf("count token rows: %w", err)
	}
	return r, nil
}

// Quiet is what was found when the wait for the database between two windows
// ended.
type Quiet struct {
	Waited  float64 `json:"waited_seconds"`
	History int64   `json:"history_list_length"` // undo records that purge has not removed yet
	Dirty   int64   `json:"dirty_pages"`
}

// historySettled is a backlog of purge that costs the next window nothing one
// could measure: the server keeps a few records even when idle.
const historySettled = 50

// quiesce waits, no longer than limit, until purge has caught up. Dirty pages
// are recorded only: the servers write them at leisure, for minutes.
func (d *database) quiesce(ctx context.Context, limit time.Duration) (Quiet, error) {
	start := time.Now()
	for {
		var q Quiet
		var err error
		if q.History, err = d.historyLength(ctx); err != nil {
			return q, err
		}
		q.Waited = time.Since(start).Seconds()
		if q.History <= historySettled || time.Since(start) >= limit {
			q.Dirty, err = d.status(ctx, "Innodb_buffer_pool_pages_dirty")
			return q, err
		}
		select {
		case <-ctx.Done():
			return q, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// historyLength reads MariaDB's status variable or MySQL's InnoDB metric.
func (d *database) historyLength(ctx context.Context) (int64, error) {
	n, err := d.status(ctx, "Innodb_history_list_length")
	if !errors.Is(err, sql.ErrNoRows) {
		return n, err
	}
	err = d.db.QueryRowContext(ctx, "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME='trx_rseg_history_len'").Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read the history list length: %w", err)
	}
	return n, nil
}

func (d *database) status(ctx context.Context, name string) (int64, error) {
	var n int64
	if err := d.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(new(string), &n); err != nil {
		return 0, fmt.Errorf("read status %s: %w", name, err)
	}
	return n, nil
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
