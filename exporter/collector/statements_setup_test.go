package collector

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// TestStatementsOff: what the server does not count is absent, with the way out.
func TestStatementsOff(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	c := newStatements(t, account(server, schema))
	for _, off := range []struct{ sql, undo, hint string }{
		{
			"UPDATE performance_schema.setup_consumers SET ENABLED = 'NO' WHERE NAME = 'statements_digest'",
			"UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'statements_digest'", "performance-schema-consumer-statements-digest=ON",
		},
		{
			"UPDATE performance_schema.setup_instruments SET TIMED = 'NO' WHERE NAME = 'statement/sql/insert'",
			"UPDATE performance_schema.setup_instruments SET TIMED = 'YES' WHERE NAME = 'statement/sql/insert'", "setup_instruments",
		},
	} {
		exec(t, db, off.sql)
		metrics, err := c.pass(soon(t))
		if ClassOf(err) != Schema || !strings.Contains(err.Error(), off.hint) || len(metrics) != 0 {
			t.Errorf("%s: %d metrics, %v", off.sql, len(metrics), err)
		}
		exec(t, db, off.undo)
	}
	passing(t, c)

	without := mysqltest.Run(t, mysqltest.Config{NoPerformanceSchema: true})
	schema, _ = tokenDatabase(t, without)
	metrics, err := newStatements(t, account(without, schema)).pass(soon(t))
	if ClassOf(err) != Schema || !strings.Contains(err.Error(), "performance_schema=ON") || len(metrics) != 0 {
		t.Errorf("%d metrics, %v", len(metrics), err)
	}
}

// TestStatementsGrants: every right that is missing is named, and together with
// nothing else they are enough.
func TestStatementsGrants(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "CREATE USER watcher@'127.0.0.1' IDENTIFIED BY 'w'")
	d := account(server, schema)
	d.User, d.Password = "watcher", "w"
	c := newStatements(t, d)
	needs := c.Needs(nil)
	_, err := c.pass(soon(t))
	if ClassOf(err) != Permission {
		t.Fatal(err)
	}
	_, grants, _ := strings.Cut(err.Error(), "to allow it: ")
	for grant := range strings.SplitSeq(grants, "; ") {
		exec(t, db, grant)
	}
	passing(t, c)
	if server.Flavor == mysqltest.MySQL {
		exec(t, db, "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'events_statements_cpu'")
		defer exec(t, db, "UPDATE performance_schema.setup_consumers SET ENABLED = 'NO' WHERE NAME = 'events_statements_cpu'")
		passing(t, c) // the column of processor time stays closed
		if slices.ContainsFunc(names(passing(t, c)), isCPU) {
			t.Error("processor time without a right to it")
		}
	}

	exec(t, db, "CREATE USER needy@'127.0.0.1' IDENTIFIED BY 'w'")
	for _, n := range needs {
		if n.Flavor == "" || n.Flavor == server.Flavor {
			exec(t, db, fmt.Sprintf("GRANT %s (%s) ON %s.%s TO needy@'127.0.0.1'", n.Privilege, strings.Join(n.Columns, ", "), n.Schema, n.Table))
		}
	}
	d.User = "needy"
	c = newStatements(t, d)
	passing(t, c)
	if got := passing(t, c); server.Flavor == mysqltest.MySQL && !slices.ContainsFunc(names(got), isCPU) {
		t.Errorf("no processor time: %v", got)
	}
	limited, err := NewLink(d, &Gate{})
	if err != nil {
		t.Fatal(err)
	}
	defer limited.Close()
	s, err := limited.Session(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	err = s.each(soon(t), func(*sql.Rows) error { return nil }, "SELECT * FROM performance_schema."+digestTable)
	if server.Flavor == mysqltest.MySQL && ClassOf(err) != Permission {
		t.Errorf("sample texts can be read: %v", err)
	}
}
