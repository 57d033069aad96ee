package collector

import (
	"bufio"
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// kindStatement is a line of testdata/statements.txt.
type kindStatement struct {
	line       int
	kind, text string
}

func kindStatements(t testing.TB, schema string) []kindStatement {
	t.Helper()
	file, err := os.Open("testdata/statements.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []kindStatement
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		if line := lines.Text(); line != "" && line[0] != '#' {
			kind, text, _ := strings.Cut(line, ": ")
			list = append(list, kindStatement{n, kind, strings.ReplaceAll(text, "DATABASE_HERE", schema)})
		}
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return list
}

// recorded is what the server keeps of a statement that has just been run.
type recorded struct{ schema, text string }

// record runs a statement, whose failure does not matter, and returns the
// digests it left. The server's table is everybody's: what an earlier test left
// running elsewhere may end just now.
func record(t *testing.T, conn *sql.Conn, statement string, args ...any) []recorded {
	t.Helper()
	ctx := t.Context()
	if _, err := conn.ExecContext(ctx, "TRUNCATE performance_schema."+digestTable); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, statement, args...); isServerError(err, 1064) {
		t.Fatalf("%s: %v", statement, err)
	}
	rows, err := conn.QueryContext(ctx, "SELECT COALESCE(SCHEMA_NAME, ''), DIGEST_TEXT FROM performance_schema."+digestTable+
		" WHERE SCHEMA_NAME <=> DATABASE() AND DIGEST_TEXT NOT LIKE 'TRUNCATE `performance_schema`%' AND DIGEST_TEXT NOT LIKE 'SELECT COALESCE%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []recorded
	for rows.Next() {
		var r recorded
		if err := rows.Scan(&r.schema, &r.text); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}

func openConn(t *testing.T, server *mysqltest.Server, schema string) *sql.Conn {
	t.Helper()
	conn, err := server.Open(t, schema).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestClassify runs every statement on a real server and classifies what the
// server keeps of it.
func TestClassify(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	server.Database(t, "elsewhere")
	defer exec(t, db, "DROP DATABASE elsewhere")
	exec(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_EXAMPLE LIKE IDN_OAUTH2_ACCESS_TOKEN")
	conn, bare, elsewhere := openConn(t, server, schema), openConn(t, server, ""), openConn(t, server, "elsewhere")
	for _, s := range kindStatements(t, schema) {
		digests := record(t, conn, s.text)
		if len(digests) != 1 {
			t.Errorf("statements.txt:%d: %d digests of %s", s.line, len(digests), s.text)
			continue
		}
		check := func(d recorded, session, want string) {
			t.Helper()
			got := classify(d.text, session, schema)
			if name := kindName(got.kind); name != want || got.hidden || got.cut || got.prepares {
				t.Errorf("statements.txt:%d: %+v (%s), want %s: in %q: %s", s.line, got, name, want, session, d.text)
			}
		}
		check(digests[0], schema, s.kind)
		check(digests[0], strings.ToUpper(schema), s.kind)
	}
	insert := "INSERT INTO " + schema + ".IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID) VALUES (UUID())"
	for _, c := range []struct {
		conn            *sql.Conn
		session, text   string
		want            statementKind
		hidden, cutting bool
	}{
		{elsewhere, "elsewhere", insert, kindInsertToken, false, false},
		{bare, "", insert, kindMonitor, false, false},
		{bare, "", "SELECT COUNT(*) FROM `" + schema + "`.IDN_OAUTH2_ACCESS_TOKEN", kindMonitor, false, false},
		{bare, "", "COMMIT", kindNone, false, false},
		{elsewhere, "elsewhere", "COMMIT", kindNone, false, false},
		{elsewhere, "elsewhere", "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN", kindNone, false, false},
		{conn, schema, "SELECT " + strings.Repeat("IDN_OAUTH2_ACCESS_TOKEN_.ACCESS_TOKEN AS A, ", 60) + "1 FROM IDN_OAUTH2_ACCESS_TOKEN", kindNone, false, true},
		{conn, schema, "EXECUTE IMMEDIATE 'DELETE FROM IDN_OAUTH2_ACCESS_TOKEN'", kindNone, true, false},
	} {
		if strings.HasPrefix(c.text, "EXECUTE") && server.Flavor == mysqltest.MySQL {
			continue // MariaDB's own
		}
		digests := record(t, c.conn, c.text)
		if len(digests) == 0 {
			t.Errorf("no digest in %q of %s", c.session, c.text)
		}
		for _, d := range digests {
			got := classify(d.text, d.schema, schema)
			if got.kind != c.want || got.hidden != c.hidden || got.cut != c.cutting {
				t.Errorf("%+v (%s) in %q, want %s: %s", got, kindName(got.kind), d.schema, kindName(c.want), d.text)
			}
		}
	}
	t.Run("prepared", func(t *testing.T) { checkPrepared(t, server, conn, schema) })
}

// checkPrepared: MySQL tells what a prepared statement is, MariaDB does not.
func checkPrepared(t *testing.T, server *mysqltest.Server, conn *sql.Conn, schema string) {
	binary := record(t, conn, "DELETE FROM IDN_OAUTH2_ACCESS_TOKEN WHERE TOKEN_ID = ?", "x")
	if _, err := conn.ExecContext(t.Context(), "PREPARE s FROM 'DELETE FROM IDN_OAUTH2_ACCESS_TOKEN WHERE TOKEN_ID = 1'"); err != nil {
		t.Fatal(err)
	}
	text := record(t, conn, "EXECUTE s")
	if server.Flavor == mysqltest.MariaDB {
		if len(binary) != 0 || len(text) != 1 || !classify(text[0].text, schema, schema).hidden {
			t.Errorf("binary %v, text %v", binary, text)
		}
		return
	}
	executed := 0
	for _, d := range append(binary, text...) {
		got := classify(d.text, schema, schema)
		if got.kind != kindDeleteToken {
			t.Errorf("%s: %s", kindName(got.kind), d.text)
		}
		if !got.prepares {
			executed++
		}
	}
	if executed != 2 {
		t.Errorf("%d of 2 executed: %v %v", executed, binary, text)
	}
}

func kindName(k statementKind) string {
	if k == kindNone {
		return "none"
	}
	return statementKinds[k].name
}

// TestKinds: the tables agree with each other.
func TestKinds(t *testing.T) {
	names := map[string]bool{}
	for k := kindNone + 1; k < kindCount; k++ {
		if s := statementKinds[k]; s.name == "" || s.purpose == "" || names[s.name] {
			t.Errorf("kind %d: %+v", k, s)
		}
		names[statementKinds[k].name] = true
	}
	for g := groupNone + 1; g < groupCount; g++ {
		if restKinds[g] == kindNone {
			t.Errorf("group %d has no kind for statements that no rule fits", g)
		}
	}
	for _, c := range []struct {
		table string
		want  tableGroup
	}{
		{"IDN_OAUTH2_ACCESS_TOKEN", groupTokens},
		{"IDN_OAUTH2_ACCESS_TOKEN_SCOPE", groupScopes},
		{"IDN_OAUTH2_ACCESS_TOKEN_AUDIT", groupAudit},
		{"IDN_OAUTH2_ACCESS_TOKEN_SCOPE_B", groupScopes},
		{"IDN_OAUTH2_ACCESS_TOKEN_B", groupTokens},
		{"IDN_OAUTH2_ACCESS_TOKENS", groupNone},
		{"XIDN_OAUTH2_ACCESS_TOKEN", groupNone},
		{"BAK_IDN_OAUTH2_ACCESS_TOKEN", groupBackups},
		{"AUDITLOG_IDN_OAUTH2_ACCESS_TOKEN_CLEANUP", groupBackups},
		{"BAK_SOMETHING", groupNone},
		{"", groupNone},
	} {
		if got := groupOf(c.table); got != c.want {
			t.Errorf("%s: group %d, want %d", c.table, got, c.want)
		}
	}
}

func FuzzDigestKind(f *testing.F) {
	for _, s := range kindStatements(f, "apimdb") {
		f.Add(s.text, "apimdb")
	}
	f.Add("EXECUTE INSERT INTO `IDN_OAUTH2_ACCESS_TOKEN` ( `a` ) VALUES (...) /* , ... */", "apimdb")
	f.Add("SELECT `a``b", "")
	f.Add("/*", "x")
	f.Fuzz(func(t *testing.T, text, session string) {
		d := classify(text, session, "apimdb")
		if d.kind < kindNone || d.kind >= kindCount {
			t.Fatalf("kind %d", d.kind)
		}
		if (d.hidden || d.cut) && d.kind != kindNone {
			t.Fatalf("%+v", d)
		}
		if again := classify(text, session, "apimdb"); again != d {
			t.Fatalf("%+v, then %+v", d, again)
		}
	})
}
