package collector

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// passing runs a pass that must succeed.
func passing(t *testing.T, c *Statements) map[string]float64 {
	t.Helper()
	metrics, err := c.pass(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return collectortest.Values(t, metrics)
}

func newStatements(t *testing.T, d Database) *Statements {
	t.Helper()
	return NewStatements(time.Minute, newBackground(t, d))
}

// use runs a transaction that stores a token as the key manager does, and one
// revocation that commits by itself.
func use(t *testing.T, conn *sql.Conn, id string) {
	t.Helper()
	for _, statement := range []string{
		"START TRANSACTION",
		"INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE) VALUES ('" + id + "', 'password')",
		"INSERT INTO IDN_OAUTH2_ACCESS_TOKEN_SCOPE (TOKEN_ID, TOKEN_SCOPE) VALUES ('" + id + "', 'a'), ('" + id + "', 'b')",
		"COMMIT",
		"INSERT INTO IDN_INVALID_TOKENS (UUID, TOKEN_IDENTIFIER, CONSUMER_KEY, EXPIRY_TIMESTAMP) VALUES (UUID(), 'i', 'k', NOW())",
		"SELECT COUNT(*) FROM UM_USER",
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// deltas are the executions and rows written by kind that a pass added.
func deltas(before, after map[string]float64) map[string]float64 {
	d := map[string]float64{}
	for name, v := range after {
		for _, family := range []string{"wso2_token_statement_executions_total", "wso2_token_statement_rows_affected_total"} {
			if strings.HasPrefix(name, family) && v != before[name] {
				short := strings.NewReplacer("wso2_token_statement_", "", "_total", "").Replace(name)
				d[short] = v - before[name]
			}
		}
	}
	return d
}

func checkDeltas(t *testing.T, what string, got, want map[string]float64) {
	t.Helper()
	for name := range got {
		if strings.Contains(name, "{monitoring,") {
			delete(got, name) // ours
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// used are the deltas of n calls of use.
func used(n float64) map[string]float64 {
	return map[string]float64{
		"executions{insert_token,persistence}": n, "rows_affected{insert_token,persistence}": n,
		"executions{insert_scope,persistence}": n, "rows_affected{insert_scope,persistence}": 2 * n,
		"executions{commit,transaction}": n, "executions{transaction,transaction}": n,
		"executions{insert_invalid_token,revocation}": n, "rows_affected{insert_invalid_token,revocation}": n,
	}
}

func TestStatements(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{ExtraArgs: []string{"--performance-schema-digests-size=300"}})
	schema, db := tokenDatabase(t, server)
	conn := openConn(t, server, schema)
	c := newStatements(t, account(server, schema))
	use(t, conn, "before our start")

	first := passing(t, c)
	for name, v := range first {
		if v != 0 && !strings.HasPrefix(name, "wso2_token_statement_read") {
			t.Errorf("the first reading shows %s %v", name, v)
		}
		if strings.HasPrefix(name, taxFamily) {
			t.Errorf("the first reading shows %s", name)
		}
	}
	use(t, conn, "1")
	use(t, conn, "2")
	second := passing(t, c)
	checkDeltas(t, "two tokens", deltas(first, second), used(2))
	if s := second["wso2_token_statement_seconds_total{insert_token,persistence}"]; s <= 0 || s > 60 {
		t.Errorf("%v seconds", s)
	}
	if all := second["mysql_statement_executions_total"]; all < 12 || all > 40 {
		t.Errorf("%v executions of all clients, want 12 of use and some of ours", all)
	}
	checkTax(t, second)
	third := passing(t, c)
	checkDeltas(t, "nothing", deltas(second, third), map[string]float64{})

	t.Run("processor time", func(t *testing.T) { checkCPU(t, server, c, db, conn) })
	t.Run("truncate", func(t *testing.T) { checkTruncate(t, c, db, conn) })
	t.Run("restart", func(t *testing.T) {
		before := passing(t, c)
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		conn := openConn(t, server, schema)
		use(t, conn, "after the restart")
		after := passing(t, c)
		checkDeltas(t, "restart", deltas(before, after), used(1))
		if more := after["mysql_statement_executions_total"] - before["mysql_statement_executions_total"]; more < 6 || more > 60 {
			t.Errorf("%v executions of all clients after a restart", more)
		}
	})
	t.Run("lost digests", func(t *testing.T) { checkLost(t, server, c, schema) })
}

const taxFamily = "wso2_token_tax_ratio"

// checkTax: every resource that was used has both ends, in order.
func checkTax(t *testing.T, got map[string]float64) {
	t.Helper()
	for _, r := range []string{"statement_time", "rows_written"} {
		lower, ok := got[taxFamily+"{lower,"+r+"}"]
		upper := got[taxFamily+"{upper,"+r+"}"]
		if !ok || lower <= 0 || upper < lower || upper > 1 {
			t.Errorf("%s: [%v, %v]", r, lower, upper)
		}
	}
	if lower, upper := got[taxFamily+"{lower,rows_written}"], got[taxFamily+"{upper,rows_written}"]; lower != 0.75 || upper != 0.75 {
		t.Errorf("rows written: [%v, %v], want 6 of 8", lower, upper)
	}
	if got[taxFamily+"{upper,statement_time}"] <= got[taxFamily+"{lower,statement_time}"] {
		t.Errorf("COMMIT does not widen the interval: %v", got)
	}
	if _, ok := got[taxFamily+"{lower,cpu_time}"]; ok {
		t.Error("processor time shows although it is not measured")
	}
}

// checkCPU: processor time shows where it is measured, from then on.
func checkCPU(t *testing.T, server *mysqltest.Server, c *Statements, db *sql.DB, conn *sql.Conn) {
	if server.Flavor == mysqltest.MariaDB {
		t.Skip("MariaDB measures no processor time of statements")
	}
	exec(t, db, "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'events_statements_cpu'")
	use(t, conn, "cpu 1")
	if _, ok := passing(t, c)[taxFamily+"{lower,cpu_time}"]; ok {
		t.Error("a share of an interval in which it was not measured all the time")
	}
	use(t, conn, "cpu 2")
	got := passing(t, c)
	seconds, all := got["wso2_token_statement_cpu_seconds_total{insert_token,persistence}"], got["mysql_statement_cpu_seconds_total"]
	if seconds <= 0 || all <= seconds || all > 10 {
		t.Errorf("%v of %v processor seconds", seconds, all)
	}
	if lower, upper := got[taxFamily+"{lower,cpu_time}"], got[taxFamily+"{upper,cpu_time}"]; lower <= 0 || upper <= lower || upper > 1 {
		t.Errorf("[%v, %v]", lower, upper)
	}
	exec(t, db, "UPDATE performance_schema.setup_consumers SET ENABLED = 'NO' WHERE NAME = 'events_statements_cpu'")
	if got := passing(t, c); got["mysql_statement_executions_total"] == 0 || slices.ContainsFunc(names(got), isCPU) {
		t.Error("processor time shows although it is not measured any more")
	}
	exec(t, db, "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'events_statements_cpu'")
	passing(t, c)
	if now := passing(t, c)["mysql_statement_cpu_seconds_total"]; now < all || now > all+1 {
		t.Errorf("%v processor seconds after a pause of the measurement, before %v", now, all)
	}
}

func isCPU(name string) bool { return strings.Contains(name, "cpu") }

func names(values map[string]float64) []string {
	var list []string
	for name := range values {
		list = append(list, name)
	}
	return list
}

// checkTruncate: the summaries may be emptied at any time, before and after use.
func checkTruncate(t *testing.T, c *Statements, db *sql.DB, conn *sql.Conn) {
	before := passing(t, c)
	exec(t, db, "TRUNCATE performance_schema."+digestTable)
	after := passing(t, c)
	checkDeltas(t, "truncated", deltas(before, after), map[string]float64{})
	use(t, conn, "truncate 1")
	exec(t, db, "TRUNCATE performance_schema."+digestTable)
	// As many as before would hide the second truncation, were it not for
	// FIRST_SEEN, which is in whole seconds on MariaDB.
	time.Sleep(1100 * time.Millisecond)
	for i := range 3 {
		use(t, conn, fmt.Sprint("truncate 2 ", i))
	}
	checkDeltas(t, "truncated between", deltas(after, passing(t, c)), used(3))
	before = passing(t, c)
	exec(t, db, "TRUNCATE performance_schema."+eventTable)
	if after := passing(t, c); after["mysql_statement_executions_total"] < before["mysql_statement_executions_total"] {
		t.Error("the server's total went down")
	}
}

// checkLost fills the digest table: the counters go on, the tax goes.
func checkLost(t *testing.T, server *mysqltest.Server, c *Statements, schema string) {
	conn := openConn(t, server, schema)
	var many strings.Builder
	for i := range 400 {
		fmt.Fprintf(&many, "SELECT 1 AS c%d;", i)
	}
	run := func(statement string) {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for statement := range strings.SplitSeq(strings.TrimSuffix(many.String(), ";"), ";") {
		run(statement)
	}
	before := collectortest.Values(t, must(c.pass(soon(t))))
	use(t, conn, "with a full table")
	after := passing(t, c)
	checkDeltas(t, "full table", deltas(before, after), used(1))
	if _, ok := after[taxFamily+"{lower,statement_time}"]; !ok {
		t.Error("no tax although nothing was lost in the interval")
	}
	for i := range 50 {
		run(fmt.Sprintf("SELECT 2 AS d%d", i))
	}
	use(t, conn, "among lost ones")
	metrics, err := c.pass(soon(t))
	if ClassOf(err) != Guard || !strings.Contains(err.Error(), "digest_lost 50") || !strings.Contains(err.Error(), "performance_schema_digests_size") {
		t.Errorf("%v", err)
	}
	got := collectortest.Values(t, metrics)
	checkDeltas(t, "lost digests", deltas(after, got), used(1))
	if more := got["wso2_token_statement_unattributed_total{digest_lost}"] - after["wso2_token_statement_unattributed_total{digest_lost}"]; more != 50 {
		t.Errorf("%v lost, want 50", more)
	}
	if _, ok := got[taxFamily+"{lower,statement_time}"]; ok {
		t.Error("a tax although too much is unknown")
	}
}

func must(metrics []prometheus.Metric, _ error) []prometheus.Metric { return metrics }

// TestStatementsPrepared: where prepared statements have no digest, nobody can
// say what they did; where they have, nothing is missing.
func TestStatementsPrepared(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	c := newStatements(t, account(server, schema))
	before := passing(t, c)
	for i := range 20 {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE) VALUES (?, ?)", fmt.Sprint(i), "g"); err != nil {
			t.Fatal(err)
		}
	}
	metrics, err := c.pass(soon(t))
	got := collectortest.Values(t, metrics)
	inserts := got["wso2_token_statement_executions_total{insert_token,persistence}"] - before["wso2_token_statement_executions_total{insert_token,persistence}"]
	missing := got["wso2_token_statement_unattributed_total{binary_protocol}"]
	if server.Flavor == mysqltest.MySQL {
		if err != nil || inserts != 20 || missing != 0 {
			t.Errorf("%v inserts, %v missing: %v", inserts, missing, err)
		}
		return
	}
	if ClassOf(err) != Guard || !strings.Contains(err.Error(), "binary_protocol 20") || inserts != 0 || missing != 20 {
		t.Errorf("%v inserts, %v missing: %v", inserts, missing, err)
	}
}

// TestStatementsUncounted: sessions that performance_schema leaves out are
// missed.
func TestStatementsUncounted(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "UPDATE performance_schema.setup_actors SET ENABLED = 'NO'")
	defer exec(t, db, "UPDATE performance_schema.setup_actors SET ENABLED = 'YES'")
	c := newStatements(t, account(server, schema))
	if _, err := c.pass(soon(t)); err != nil {
		t.Fatal(err)
	}
	conn := openConn(t, server, schema)
	for i := range 3 {
		use(t, conn, fmt.Sprint("unseen ", i))
	}
	metrics, err := c.pass(soon(t))
	if ClassOf(err) != Guard || !strings.Contains(err.Error(), "setup_actors") {
		t.Errorf("%v", err)
	}
	if n := collectortest.Values(t, metrics)["wso2_token_statement_unattributed_total{uncounted}"]; n < 18 {
		t.Errorf("%v uncounted, want 18 or more", n)
	}
}

// TestStatementsBounded: a server full of odd digests costs bounded memory, and
// what is known of token statements and of lost ones is kept.
func TestStatementsBounded(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	row := func(name string, d digest, n uint64) digestRow {
		return digestRow{key: digestKey{"apimdb", name}, first: "2026-11-20 00:00:00", digest: d, lost: name == "", usage: usage{executions: n}}
	}
	var l statementLedger
	for pass := range uint64(3) {
		r := reading{instance: "one", at: at.Add(time.Duration(pass) * time.Minute), events: map[string]usage{}}
		r.rows = []digestRow{row("", digest{}, 100+pass), row("token", digest{kind: kindInsertToken}, 10+pass)}
		for i := range 3 * maxSeen {
			r.rows = append(r.rows, row(fmt.Sprint(i), digest{cut: true}, 5))
		}
		l.enter(r)
		if len(l.seen) > maxSeen {
			t.Errorf("%d digests remembered", len(l.seen))
		}
	}
	if n := l.sums.kinds[kindInsertToken][executions]; n != 2 {
		t.Errorf("%d tokens, want 2", n)
	}
	if n := l.sums.missing; n != [missingCount]uint64{missingLost: 2} {
		t.Errorf("missing %v, want 2 lost", n)
	}
}
