package collector

import (
	"fmt"
	"slices"
	"strings"
)

// Privileges of a Need.
const (
	privilegeSelect   = "SELECT"
	privilegeShowView = "SHOW VIEW"
	privilegeProcess  = "PROCESS"
)

// Need is a right of our account in the database that a collector uses. The
// check command turns needs into statements to paste; so does the message of a
// collector that fails for want of one.
type Need struct {
	Privilege string   // SELECT, SHOW VIEW or PROCESS
	Columns   []string // none for the whole object
	Schema    string   // empty for the schema of the token tables; "*" for a global privilege
	Table     string   // the name the server uses; empty for every table of Schema
	Flavor    string   // the only flavour that has it; empty for both
	Since     int      // with Flavor, the first version that has it, as 80028 for 8.0.28; 0 for all
	Optional  string   // what is missing without it; empty where the collector fails without it
}

// Needer is a collector that reads the database. Tables are the token tables
// that the schema holds, or may hold, under the names the server uses.
type Needer interface {
	Needs(tables []string) []Need
}

// performanceSchema is the schema of tables that exist on every server.
const performanceSchema = "performance_schema"

// statement returns the GRANT that fulfils the need, on one line.
func (n Need) statement(s *Session) string {
	return "GRANT " + n.right() + " ON " + n.object(s) + " TO " + s.account
}

// right is the privilege with its columns.
func (n Need) right() string {
	if len(n.Columns) == 0 {
		return n.Privilege
	}
	return n.Privilege + " (" + strings.Join(n.Columns, ", ") + ")"
}

// object is what the right is on.
func (n Need) object(s *Session) string {
	schema := n.Schema
	switch schema {
	case "*":
		return "*.*"
	case "":
		schema = s.Schema
	}
	if n.Table != "" {
		return quoteName(schema) + "." + quoteName(n.Table)
	}
	if !s.literalNames {
		// In a right on a schema its name is a pattern.
		schema = strings.NewReplacer("_", `\_`, "%", `\%`).Replace(schema)
	}
	return quoteName(schema) + ".*"
}

// Grant returns the statement that gives our account what the need is about,
// without a semicolon, broken into lines of at most statementWidth columns where
// names allow it.
func (s *Session) Grant(n Need) string {
	var b strings.Builder
	column := 0
	words := slices.Collect(strings.SplitAfterSeq("GRANT "+n.right(), ", "))
	for i, word := range append(words, "ON "+n.object(s), "TO "+s.account) {
		switch {
		case i == 0:
		case column+1+len(strings.TrimSpace(word)) > statementWidth:
			b.WriteString("\n  ")
			column = 2
		default:
			b.WriteByte(' ')
			column++
		}
		word = strings.TrimSpace(word)
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

const statementWidth = 78 // and a semicolon

// suits reports whether the server has what the need is about.
func (n Need) suits(server Server) bool {
	return n.Flavor == "" || n.Flavor == server.Flavor && versionNumber(server.Version) >= n.Since
}

// Suiting returns the needs that are about something the server has.
func (s *Session) Suiting(needs []Need) []Need {
	return slices.DeleteFunc(slices.Clone(needs), func(n Need) bool { return !n.suits(s.Server) })
}

// versionNumber returns 80028 for 8.0.28-0ubuntu and 101119 for 10.11.19.
func versionNumber(version string) int {
	number := 0
	parts := strings.SplitN(version, ".", 4)
	for i := range 3 {
		part := 0
		if i < len(parts) {
			_, _ = fmt.Sscanf(parts[i], "%d", &part) // without a number it is 0
		}
		number = number*100 + part
	}
	return number
}

// MergeNeeds unites the columns of needs that differ in nothing else and sorts
// the result. What is required is not repeated as optional.
func MergeNeeds(needs []Need) []Need {
	var merged []Need
	for _, n := range needs {
		n.Columns = slices.Clone(n.Columns)
		at := slices.IndexFunc(merged, func(m Need) bool {
			return m.key() == n.key() && (len(m.Columns) == 0) == (len(n.Columns) == 0)
		})
		if at < 0 {
			merged = append(merged, n)
			continue
		}
		merged[at].Columns = union(merged[at].Columns, n.Columns)
	}
	for i, n := range merged {
		if n.Optional == "" {
			continue
		}
		for _, m := range merged {
			if m.Optional == "" && n.Privilege == m.Privilege && n.Schema == m.Schema && n.Table == m.Table {
				merged[i].Columns = slices.DeleteFunc(n.Columns, func(c string) bool { return slices.Contains(m.Columns, c) })
			}
		}
	}
	merged = slices.DeleteFunc(merged, func(n Need) bool { return n.Columns != nil && len(n.Columns) == 0 })
	slices.SortStableFunc(merged, func(a, b Need) int { return strings.Compare(a.key(), b.key()) })
	return merged
}

// key tells needs apart by everything but their columns.
func (n Need) key() string {
	optional := "0"
	if n.Optional != "" {
		optional = "1"
	}
	return strings.Join([]string{n.Schema, n.Table, optional, n.Privilege, n.Flavor, fmt.Sprint(n.Since), n.Optional}, "\x00")
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
