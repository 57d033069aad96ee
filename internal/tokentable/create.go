package tokentable

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"strings"
)

// schema holds one CREATE TABLE per table and the rows every installation has,
// each statement ended by a semicolon at the end of a line.
//
//go:embed schema.sql
var schema string

// Execer runs one statement; *sql.DB, *sql.Conn and *sql.Tx are Execers.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Create creates the token tables, the application and identity-provider tables
// their statements join, and the user table the password grant reads, in the
// database that db uses. The database should have the character set latin1 as
// WSO2's own scripts give it. A table that exists already is an error: Create
// never alters or replaces anything.
func Create(ctx context.Context, db Execer) error {
	for _, statement := range Statements() {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create token tables: %s: %w", firstLine(statement), err)
		}
	}
	return nil
}

// Statements returns the statements of Create in the order their foreign keys
// need.
func Statements() []string {
	var out []string
	for part := range strings.SplitSeq(schema, ";\n") {
		if part = withoutComments(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// withoutComments drops whole-line comments and surrounding blanks.
func withoutComments(statement string) string {
	var kept []string
	for line := range strings.Lines(statement) {
		if !strings.HasPrefix(line, "--") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, ""))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSuffix(line, " (")
}
