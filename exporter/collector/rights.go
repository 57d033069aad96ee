package collector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Right is one privilege that our account has, as SHOW GRANTS says it.
type Right struct {
	Privilege string   // upper case: SELECT, PROCESS, ALL PRIVILEGES …
	Columns   []string // none for the whole object
	Schema    string   // "*" for a global right; of a right on a schema a pattern
	Table     string   // "*" for a global right or one on a schema
}

func (r Right) String() string {
	right := Need{Privilege: r.Privilege, Columns: r.Columns}.right()
	switch {
	case r.Schema == "*":
		return right + " ON *.*"
	case r.Table == "*":
		return right + " ON " + quoteName(r.Schema) + ".*"
	}
	return right + " ON " + quoteName(r.Schema) + "." + quoteName(r.Table)
}

// Rights reads what our account may do, through its active roles too.
func (s *Session) Rights(ctx context.Context) ([]Right, error) {
	lines, err := s.column(ctx, "SHOW GRANTS")
	if err != nil {
		return nil, fmt.Errorf("read our own privileges: %w", err)
	}
	roles, err := s.column(ctx, "SELECT CURRENT_ROLE()")
	switch {
	case ClassOf(err) == Schema || isServerError(err, 1305): // before MySQL 8: no roles
	case err != nil:
		return nil, fmt.Errorf("read our active roles: %w", err)
	case len(roles) == 1 && roles[0] != "" && roles[0] != "NONE":
		using := "SHOW GRANTS FOR CURRENT_USER() USING " + roles[0] // a quoted list
		if s.Server.Flavor == flavorMariaDB {
			using = "SHOW GRANTS FOR CURRENT_ROLE"
		}
		more, err := s.column(ctx, using)
		if err != nil {
			return nil, fmt.Errorf("read the privileges of our roles: %w", err)
		}
		lines = append(lines, more...)
	}
	return parseRights(lines), nil
}

// column reads the first column of a query's result as text; NULL is empty.
func (s *Session) column(ctx context.Context, query string, args ...any) ([]string, error) {
	var values []string
	err := s.each(ctx, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		row := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		values = append(values, string(row[0]))
		return nil
	}, query, args...)
	return values, err
}

// parseRights reads the lines of SHOW GRANTS. Lines that grant a role, and what
// follows the object, which may hold a password's hash, are passed over.
func parseRights(lines []string) []Right {
	var rights []Right
	for _, line := range lines {
		p := grantParser{text: line}
		if list, err := p.rights(); err == nil {
			rights = append(rights, list...)
		}
	}
	return rights
}

// grantParser reads "GRANT SELECT (a, b), PROCESS ON `s`.`t` TO …".
type grantParser struct{ text string }

var errNotAGrant = errors.New("not a grant of privileges")

func (p *grantParser) rights() ([]Right, error) {
	if !p.take("GRANT ") {
		return nil, errNotAGrant
	}
	var rights []Right
	for {
		end := strings.IndexAny(p.text, ",(")
		on := strings.Index(p.text, " ON ")
		if on < 0 {
			return nil, errNotAGrant
		}
		if end < 0 || on < end {
			end = on
		}
		right := Right{Privilege: strings.TrimSpace(p.text[:end])}
		p.text = p.text[end:]
		for p.take("(") || len(right.Columns) > 0 && p.take(", ") {
			right.Columns = append(right.Columns, p.name())
			if p.take(")") {
				break
			}
		}
		if right.Privilege != "USAGE" {
			rights = append(rights, right)
		}
		if p.take(" ON ") {
			break
		}
		if !p.take(",") {
			return nil, errNotAGrant
		}
	}
	_ = p.take("PROCEDURE ") || p.take("FUNCTION ") || p.take("PACKAGE ") // a routine stands in a schema as a table does
	schema := p.name()
	if !p.take(".") {
		return nil, errNotAGrant // PROXY ON 'user'@'host'
	}
	table := p.name()
	for i := range rights {
		rights[i].Schema, rights[i].Table = schema, table
	}
	return rights, nil
}

func (p *grantParser) take(prefix string) bool {
	rest, ok := strings.CutPrefix(p.text, prefix)
	p.text = rest
	return ok
}

// name reads an identifier, quoted or not, or a star.
func (p *grantParser) name() string {
	if !p.take("`") {
		end := strings.IndexAny(p.text, ".,() ")
		if end < 0 {
			end = len(p.text)
		}
		name := p.text[:end]
		p.text = p.text[end:]
		return name
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(p.text, "`")
		b.WriteString(before)
		p.text = after
		if !found || !p.take("`") {
			return b.String()
		}
		b.WriteByte('`')
	}
}
