package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/preload"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
)

// The two token databases of the server; all else is equal.
const (
	small = "small"
	large = "large"
)

// account is how an exporter reaches the server.
type account struct {
	address, user, password string
	dir                     string // for logs
}

// stand is the server with its tables, and the exporters that watch it. Each
// part starts when a figure first asks for it.
type stand struct {
	o    options
	out  io.Writer
	dir  string
	ends []func() error

	server   *mysqltest.Server
	admin    *sql.DB
	version  string
	tables   map[string]*sql.DB
	clients  credentials.Set // of the large database
	programs map[string]*program
	filler   int // statements made up for the digest table
}

func newStand(o options, out io.Writer) (*stand, error) {
	dir, err := os.MkdirTemp("", "token-persistence-bench-")
	if err != nil {
		return nil, err
	}
	s := &stand{o: o, out: out, dir: dir, tables: map[string]*sql.DB{}, programs: map[string]*program{}}
	s.end(func() error { return os.RemoveAll(dir) })
	return s, nil
}

func (s *stand) end(f func() error) { s.ends = append(s.ends, f) }

// close ends everything in the reverse order.
func (s *stand) close() error {
	var all []error
	for i := len(s.ends) - 1; i >= 0; i-- {
		all = append(all, s.ends[i]())
	}
	return errors.Join(all...)
}

// say writes progress, apart from the table.
func (s *stand) say(format string, args ...any) {
	fmt.Fprintf(s.out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// start starts the server and fills its tables, once.
func (s *stand) start(ctx context.Context) error {
	if s.server != nil {
		return nil
	}
	args := append(preload.Room(s.o.small+s.o.large, s.o.pool), fmt.Sprintf("--performance-schema-digests-size=%d", s.o.digests))
	server, err := mysqltest.Start(ctx, mysqltest.Config{ExtraArgs: args})
	if err != nil {
		return err
	}
	s.end(server.Stop)
	if s.admin, err = s.connect(server, ""); err != nil {
		return err
	}
	if err := s.admin.QueryRowContext(ctx, "SELECT CONCAT(@@version, ' ', @@version_comment)").Scan(&s.version); err != nil {
		return err
	}
	s.say("server %s", s.version)
	for name, rows := range map[string]int{small: s.o.small, large: s.o.large} {
		if err := s.fill(ctx, server, name, rows); err != nil {
			return fmt.Errorf("database %s: %w", name, err)
		}
	}
	s.server = server
	return nil
}

func (s *stand) connect(server *mysqltest.Server, schema string) (*sql.DB, error) {
	config := server.Config(schema)
	config.InterpolateParams = true // digests of MariaDB hold no statement of the binary protocol
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	s.end(db.Close)
	return db, nil
}

// fill creates a token database and preloads it.
func (s *stand) fill(ctx context.Context, server *mysqltest.Server, schema string, rows int) error {
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+schema+" CHARACTER SET latin1 COLLATE latin1_general_ci"); err != nil {
		return err
	}
	db, err := s.connect(server, schema)
	if err != nil {
		return err
	}
	s.tables[schema] = db
	if err := tokentable.Create(ctx, db); err != nil {
		return err
	}
	clients := credentials.Make(10, 50)
	if schema == large {
		s.clients = clients
	}
	if err := keymanager.Provision(ctx, db, clients); err != nil {
		return err
	}
	last := time.Now()
	return preload.Rows(ctx, db, rows, func(done int) {
		if done == rows || time.Since(last) > 15*time.Second {
			last = time.Now()
			s.say("preload %s: %d of %d rows", schema, done, rows)
		}
	})
}

// account creates an account and runs the statements that grant gives for it.
func (s *stand) account(ctx context.Context, user string, grant func(account string) []string) (account, error) {
	a := account{address: s.server.Addr, user: user, password: rand.Text(), dir: s.dir}
	name := "'" + user + "'@'127.0.0.1'"
	for _, statement := range append([]string{"CREATE USER " + name + " IDENTIFIED BY '" + a.password + "'"}, grant(name)...) {
		if _, err := s.admin.ExecContext(ctx, statement); err != nil {
			return a, fmt.Errorf("account %s: %w", user, err)
		}
	}
	return a, nil
}

// ourAccount creates an account with what exporter check asks for.
func (s *stand) ourAccount(ctx context.Context, user, schema string) (account, error) {
	var tables []string
	rows, err := s.admin.QueryContext(ctx, "SHOW TABLES FROM "+schema)
	if err != nil {
		return account{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return account{}, err
		}
		tables = append(tables, table)
	}
	if err := rows.Err(); err != nil {
		return account{}, err
	}
	server := collector.Server{Flavor: s.server.Flavor, Version: s.version}
	return s.account(ctx, user, func(account string) []string { return collector.Grants(server, schema, account, tables) })
}

// ours returns our exporter on one of the databases.
func (s *stand) ours(ctx context.Context, schema string) (*program, error) {
	if p := s.programs[schema]; p != nil {
		return p, nil
	}
	a, err := s.ourAccount(ctx, ourUser(schema), schema)
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, schema, ourCommand(s.o, a, schema))
}

func (s *stand) launch(ctx context.Context, key string, c command) (*program, error) {
	p, err := start(ctx, c)
	if err != nil {
		return nil, err
	}
	s.end(p.stop)
	s.programs[key] = p
	s.say("started %s", c.name)
	return p, nil
}

// rivals returns the rivals, each with the rights its documentation asks for.
func (s *stand) rivals(ctx context.Context) ([]*program, error) {
	var all []*program
	for i, path := range s.o.rivals {
		if p := s.programs[path]; p != nil {
			all = append(all, p)
			continue
		}
		a, err := s.account(ctx, fmt.Sprintf("rival%d", i), func(account string) []string {
			return []string{"GRANT PROCESS, REPLICATION CLIENT, SELECT ON *.* TO " + account}
		})
		if err != nil {
			return nil, err
		}
		c, err := rivalCommand(ctx, path, a)
		if err != nil {
			return nil, err
		}
		p, err := s.launch(ctx, path, c)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func ourUser(schema string) string { return "exporter_" + schema }
