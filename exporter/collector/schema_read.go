package collector

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// readDefinitions reads what information_schema shows us of the token tables.
func readDefinitions(ctx context.Context, s *Session, tables *Tables) (definitions, error) {
	d := definitions{
		all: s.Server.Flavor == flavorMySQL, tables: map[string]presence{},
		columns: map[string][]string{}, indexes: map[string]map[string]index{},
	}
	// With a right on the whole schema every table is listed. MariaDB then shows
	// every index too; else only those on whose columns we have rights.
	listed, err := s.showsAll(ctx)
	if err != nil {
		return d, err
	}
	d.all = d.all || listed
	if listed {
		tables.forget() // a list from before the right would lack tables that are there
	}
	present, err := tables.present(ctx, s)
	if err != nil {
		return d, err
	}
	names := upperTables(present)
	if len(names) == 0 {
		return d, &Failure{Schema, errNoTokenTable}
	}
	for label := range names {
		d.tables[label] = isThere
		d.indexes[label] = map[string]index{}
	}
	if err := d.readColumns(ctx, s, names); err != nil {
		return d, fmt.Errorf("read the columns of the token tables: %w", err)
	}
	if err := d.readIndexes(ctx, s, names); err != nil {
		return d, fmt.Errorf("read the indexes of the token tables: %w", err)
	}
	for _, label := range tokentable.Watched() {
		switch {
		case d.tables[label] == isThere:
		case listed:
			d.tables[label] = isMissing
		default:
			if d.tables[label], err = probe(ctx, s, label); err != nil {
				return d, fmt.Errorf("look for %s: %w", label, err)
			}
		}
	}
	return d, nil
}

// inTables returns the condition for the tables' rows and its arguments.
func inTables(s *Session, names map[string]string) (condition string, args []any) {
	args = []any{s.Schema}
	for _, name := range slices.Sorted(maps.Values(names)) {
		args = append(args, name)
	}
	return "TABLE_SCHEMA = ? AND TABLE_NAME IN (?" + strings.Repeat(", ?", len(names)-1) + ")", args
}

// owner returns the table in upper case when name is the one of its spellings
// that counts.
func owner(names map[string]string, name string) (string, bool) {
	label := strings.ToUpper(name)
	return label, names[label] == name
}

func (d *definitions) readColumns(ctx context.Context, s *Session, names map[string]string) error {
	condition, args := inTables(s, names)
	return s.each(ctx, func(rows *sql.Rows) error {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return err
		}
		if label, ok := owner(names, table); ok {
			d.columns[label] = append(d.columns[label], strings.ToUpper(column))
		}
		return nil
	}, "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE "+condition, args...)
}

// readIndexes leaves out CARDINALITY, for which the server would open tables
// and compute statistics.
func (d *definitions) readIndexes(ctx context.Context, s *Session, names map[string]string) error {
	ignored, err := ignoredColumn(ctx, s)
	if err != nil {
		return err
	}
	condition, args := inTables(s, names)
	return s.each(ctx, func(rows *sql.Rows) error {
		var table, name string
		var column sql.NullString // of an index over an expression
		var i index
		if err := rows.Scan(&table, &name, &column, &i.ignored); err != nil {
			return err
		}
		if label, ok := owner(names, table); ok {
			i.columns = append(d.indexes[label][name].columns, strings.ToUpper(column.String))
			d.indexes[label][name] = i
		}
		return nil
	}, "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, "+ignored+" FROM information_schema.STATISTICS WHERE "+condition+
		" ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX", args...)
}

// ignoredColumn returns what tells that the optimizer may not use an index, in
// the words of this server.
func ignoredColumn(ctx context.Context, s *Session) (string, error) {
	expression := "0"
	err := s.each(ctx, func(rows *sql.Rows) error {
		var column string
		if err := rows.Scan(&column); err != nil {
			return err
		}
		expression = map[string]string{"IS_VISIBLE": "IS_VISIBLE = 'NO'", "IGNORED": "IGNORED = 'YES'"}[column]
		return nil
	}, "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'STATISTICS' AND COLUMN_NAME IN ('IS_VISIBLE', 'IGNORED')")
	return expression, err
}

// probe finds out whether a table that SHOW TABLES does not list is missing:
// the server says so only to those who would be allowed to see it.
func probe(ctx context.Context, s *Session, table string) (presence, error) {
	err := s.each(ctx, func(*sql.Rows) error { return nil },
		"SELECT 1 FROM "+quoteName(s.Schema)+"."+quoteName(table)+" LIMIT 0")
	switch {
	case err == nil:
		return isThere, nil
	case isServerError(err, 1146), isServerError(err, 1049):
		return isMissing, nil
	case ClassOf(err) == Permission:
		return isUnknown, nil
	}
	return isUnknown, err
}
