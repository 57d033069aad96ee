package collector

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Kinds of rights that the exporter does not need.
const (
	excessAll         = "all"
	excessWrite       = "write"
	excessProcess     = "process"
	excessTokenValues = "token_values"
	excessOther       = "other"
)

var excessKinds = [...]string{excessAll, excessOther, excessProcess, excessTokenValues, excessWrite}

// privilegeKinds gives the kind of each privilege that has one; the empty kind
// is for those that hurt nobody, and every other privilege is excessOther.
var privilegeKinds = map[string]string{
	"USAGE": "", "SELECT": "", "REFERENCES": "", "SHOW DATABASES": "", "SHOW VIEW": "", "SHOW_ROUTINE": "", "SHOW CREATE ROUTINE": "",
	"REPLICATION CLIENT": "", "BINLOG MONITOR": "", "SLAVE MONITOR": "", "REPLICA MONITOR": "",

	"PROCESS": excessProcess,

	"INSERT": excessWrite, "UPDATE": excessWrite, "DELETE": excessWrite, "CREATE": excessWrite, "DROP": excessWrite,
	"ALTER": excessWrite, "INDEX": excessWrite, "TRIGGER": excessWrite, "EVENT": excessWrite, "EXECUTE": excessWrite,
	"CREATE VIEW": excessWrite, "CREATE ROUTINE": excessWrite, "ALTER ROUTINE": excessWrite,
	"CREATE TEMPORARY TABLES": excessWrite, "DELETE HISTORY": excessWrite,

	"ALL PRIVILEGES": excessAll, "SUPER": excessAll, "CREATE USER": excessAll,
	"ROLE_ADMIN": excessAll, "SET USER": excessAll, "SET_USER_ID": excessAll, "SYSTEM_USER": excessAll,
}

// valueColumns hold tokens, their hashes, codes or secrets, in whatever table
// of the schema, copies for a backup too.
const valueColumns = "'ACCESS_TOKEN', 'REFRESH_TOKEN', 'ACCESS_TOKEN_HASH', 'REFRESH_TOKEN_HASH', 'AUTHORIZATION_CODE', 'AUTHORIZATION_CODE_HASH', 'CONSUMER_SECRET'"

// textColumns hold the text of statements, tokens in their literals included.
var textColumns = []struct{ schema, columns string }{
	{"performance_schema", "'QUERY_SAMPLE_TEXT', 'SQL_TEXT', 'PROCESSLIST_INFO', 'INFO'"},
	{"mysql", "'argument', 'sql_text'"},
}

// excess is what our account may do beyond its task.
type excess struct {
	kinds  map[string]bool
	values []string // columns from which it can read token values
}

// readExcess reads the rights of our account, roles included.
func readExcess(ctx context.Context, s *Session) (excess, error) {
	e := excess{kinds: map[string]bool{}}
	rights, err := s.Rights(ctx)
	if err != nil {
		return e, err
	}
	for _, r := range rights {
		e.add(r)
	}
	if err := e.readValues(ctx, s, s.Schema, valueColumns); err != nil {
		return e, err
	}
	for _, text := range textColumns {
		if err := e.readValues(ctx, s, text.schema, text.columns); err != nil {
			return e, err
		}
	}
	return e, nil
}

// readValues looks for columns that we may read. The server's own reckoning of
// a column's privileges has all levels of grants and the roles in it.
func (e *excess) readValues(ctx context.Context, s *Session, schema, columns string) error {
	err := s.each(ctx, func(rows *sql.Rows) error {
		var table, column, privileges string
		if err := rows.Scan(&table, &column, &privileges); err != nil {
			return err
		}
		if slices.Contains(strings.Split(strings.ToLower(privileges), ","), "select") {
			e.kinds[excessTokenValues] = true
			e.values = append(e.values, schema+"."+table+"."+column)
		}
		return nil
	}, "SELECT TABLE_NAME, COLUMN_NAME, PRIVILEGES FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND COLUMN_NAME IN ("+columns+") ORDER BY TABLE_NAME, COLUMN_NAME", schema)
	if err != nil {
		return fmt.Errorf("read the account's rights on columns of %s: %w", schema, err)
	}
	return nil
}

// add takes a right of ours.
func (e *excess) add(r Right) {
	kind, known := privilegeKinds[r.Privilege]
	if !known {
		kind = excessOther
	}
	if kind != "" {
		e.kinds[kind] = true
	}
	every := r.Privilege == "ALL PRIVILEGES"
	if every {
		e.kinds[excessWrite] = true
	}
	if every && r.Schema == "*" {
		e.kinds[excessProcess], e.kinds[excessOther] = true, true
	}
	if (every || r.Privilege == privilegeSelect) && r.Schema == "*" {
		e.kinds[excessTokenValues] = true
	}
}

func (e *excess) metrics() []prometheus.Metric {
	metrics := make([]prometheus.Metric, 0, len(excessKinds))
	for _, kind := range excessKinds {
		value := 0.0
		if e.kinds[kind] {
			value = 1
		}
		metrics = append(metrics, prometheus.MustNewConstMetric(excessDesc, gauge, value, kind))
	}
	return metrics
}

// namedValues bounds the columns that a note names.
const namedValues = 3

// notes tells of rights through which token values can be read.
func (e *excess) notes() []string {
	var notes []string
	if e.kinds[excessTokenValues] {
		where := "every schema"
		if n := len(e.values); n > 0 {
			where = strings.Join(e.values[:min(n, namedValues)], ", ")
			if n > namedValues {
				where += fmt.Sprintf(" and %d other columns", n-namedValues)
			}
		}
		notes = append(notes, "the account can read token values or statements that hold them ("+where+
			"); the exporter never does and needs no such right: replace it by grants on columns, which exporter check prints")
	}
	if e.kinds[excessProcess] {
		notes = append(notes, "the account has PROCESS and can see token values in other sessions' statements; without PROCESS only InnoDB's own counters on MySQL are missing")
	}
	return notes
}
