package rig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/preload"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// mostPool bounds, in MiB, the buffer pool of a private server.
const mostPool = 4096

// defaultDatabase is the name API Manager's documentation gives the database.
const defaultDatabase = "apimdb"

// database is the token database of a rig.
type database struct {
	config  *mysql.Config // with every right on the token tables
	db      *sql.DB
	version string
	pid     int // 0: not on this machine, or not ours to read
	own     bool
	folder  string // of a private server's files; empty: another's
}

// startDatabase starts a private server, or connects to the one of a DSN, and
// creates the token tables.
func startDatabase(ctx context.Context, o Options, layout Layout, end *closers) (*database, error) {
	if o.DSN != "" {
		return openDatabase(ctx, o, end)
	}
	server, err := mysqltest.Start(ctx, mysqltest.Config{CPUs: layout.Database, ExtraArgs: preload.Room(o.Preload, mostPool)})
	if err != nil {
		return nil, err
	}
	end.add(server.Stop)
	d := &database{config: server.Config(defaultDatabase), pid: server.PID(), own: true, folder: server.Dir}
	root, err := server.Connect("")
	if err != nil {
		return nil, err
	}
	_, err = root.ExecContext(ctx, "CREATE DATABASE "+defaultDatabase+" CHARACTER SET latin1 COLLATE latin1_general_ci")
	if err == nil {
		// A server that can measure the processor time of statements shall;
		// MariaDB cannot and has no such row.
		_, err = root.ExecContext(ctx, "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'events_statements_cpu'")
	}
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
	config.Logger = &mysql.NopLogger{} // what it would print is also returned as an error
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

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
