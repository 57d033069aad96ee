package collector

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Missing returns the needs that our account does not fulfil on this server,
// each cut down to the columns that are missing. Needs of other flavours and of
// tables and columns that are visibly not there are left out.
func (s *Session) Missing(ctx context.Context, needs []Need) ([]Need, error) {
	var missing []Need
	for _, n := range needs {
		if !n.suits(s.Server) {
			continue
		}
		lacks, err := s.lacks(ctx, &n)
		if err != nil {
			return nil, fmt.Errorf("try %s ON %s: %w", n.right(), n.object(s), err)
		}
		if lacks {
			missing = append(missing, n)
		}
	}
	return missing, nil
}

// lacks tries what the need is about; it takes the columns that work, or that
// do not exist, out of the need.
func (s *Session) lacks(ctx context.Context, n *Need) (bool, error) {
	switch n.Privilege {
	case privilegeShowView:
		shown, err := s.showsAll(ctx)
		return !shown, err
	case privilegeProcess:
		// A limit of 0 would not ask for the privilege.
		return s.denied(ctx, "SELECT NAME FROM information_schema.INNODB_METRICS LIMIT 1")
	}
	probe := func(columns ...string) (bool, error) {
		return s.denied(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+n.object(s)+" LIMIT 0")
	}
	denied, err := probe(n.Columns...)
	if err == nil && !denied {
		return false, nil
	}
	if err != nil && ClassOf(err) != Schema {
		return false, err
	}
	var columns []string
	for _, column := range n.Columns {
		denied, err := probe(column)
		switch {
		case err != nil && ClassOf(err) != Schema:
			return false, err
		case denied:
			columns = append(columns, column)
		}
	}
	n.Columns = columns
	return len(columns) > 0, nil
}

// denied reports whether the server refuses the query for want of a right.
func (s *Session) denied(ctx context.Context, query string) (bool, error) {
	_, err := s.column(ctx, query)
	if ClassOf(err) == Permission {
		return true, nil
	}
	return false, err
}

// showingAll are the privileges that, given on a schema, show the names of its
// tables and on MariaDB their indexes.
var showingAll = []string{
	privilegeShowView, privilegeSelect, "ALL PRIVILEGES", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES",
	"INDEX", "ALTER", "CREATE VIEW", "TRIGGER",
}

// showsAll reports whether every table of the token tables' schema is visible.
func (s *Session) showsAll(ctx context.Context) (bool, error) {
	rights, err := s.Rights(ctx)
	return slices.ContainsFunc(rights, func(r Right) bool {
		return slices.Contains(showingAll, r.Privilege) && r.Table == "*" && (r.Schema == "*" || likeSchema(r.Schema, s.Schema))
	}), err
}

// likeSchema reports whether a schema's name matches that of a right, in which
// % and _ are wildcards unless escaped.
func likeSchema(pattern, name string) bool {
	if pattern == name {
		return true // also where wildcards are off
	}
	for pattern != "" {
		c := pattern[0]
		pattern = pattern[1:]
		switch {
		case c == '%':
			for i := 0; i <= len(name); i++ {
				if likeSchema(pattern, name[i:]) {
					return true
				}
			}
			return false
		case c == '\\' && pattern != "":
			c, pattern = pattern[0], pattern[1:]
		case c == '_' && name != "":
			name = name[1:]
			continue
		}
		if name == "" || name[0] != c {
			return false
		}
		name = name[1:]
	}
	return name == ""
}
