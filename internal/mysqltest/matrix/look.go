package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// looked are the parts of a server that tests must leave as they were: a kind
// of thing with the query for names and values. Variables that count what
// replication did change by themselves.
var looked = map[string]string{
	"schema":  "SELECT SCHEMA_NAME, '' FROM information_schema.SCHEMATA",
	"account": "SELECT CONCAT(User, '@', Host), '' FROM mysql.user",
	"setting": "SHOW GLOBAL VARIABLES WHERE Variable_name NOT LIKE '%gtid%' AND Variable_name NOT LIKE '%timestamp%'",
}

// look reads the names and values.
func look(ctx context.Context, dsn string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New(mysqltest.DSNVariable + " is not user:password@tcp(host:port)/") // the driver's error may repeat it
	}
	c.Logger = &mysql.NopLogger{} // what it would print is also returned as an error
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("connect to the server of %s: %w", mysqltest.DSNVariable, err)
	}
	db := sql.OpenDB(connector)
	defer db.Close() // holds idle connections only
	found := map[string]string{}
	for kind, query := range looked {
		if err := read(ctx, db, kind, query, found); err != nil {
			return nil, fmt.Errorf("look at each %s of the server of %s: %w", kind, mysqltest.DSNVariable, err)
		}
	}
	return found, nil
}

func read(ctx context.Context, db *sql.DB, kind, query string, found map[string]string) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		found[kind+" "+name] = value
	}
	return rows.Err()
}

// changes names what is not as before.
func changes(before, after map[string]string) []string {
	both := maps.Clone(before)
	maps.Copy(both, after)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(both)) {
		was, had := before[name]
		is, has := after[name]
		if had != has || was != is {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{"changed on the server, by the tests or by somebody else: " + strings.Join(names, ", ")}
}
