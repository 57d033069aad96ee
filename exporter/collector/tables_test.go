package collector

import (
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

func TestTableSize(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	bulkInsert(t, db, 5000, "NOW()")
	exec(t, db, "RENAME TABLE AM_REVOKED_JWT TO am_revoked_jwt")
	exec(t, db, "DROP TABLE IDN_INVALID_TOKENS")
	exec(t, db, "ANALYZE TABLE IDN_OAUTH2_ACCESS_TOKEN")
	metrics, err := TableSize{&Tables{}}.Collect(soon(t), openSession(t, account(server, schema)))
	if err != nil {
		t.Fatal(err)
	}
	got := collectortest.Values(t, metrics)
	if n := got["wso2_token_table_rows_estimated{IDN_OAUTH2_ACCESS_TOKEN}"]; n < 2500 || n > 10000 {
		t.Errorf("estimated %v of 5000 rows", n)
	}
	for _, family := range []string{"data_bytes", "index_bytes", "free_bytes", "rows_estimated"} {
		if _, ok := got["wso2_token_table_"+family+"{AM_REVOKED_JWT}"]; !ok {
			t.Errorf("no %s of the table with a lower-case name: %v", family, got)
		}
		if _, ok := got["wso2_token_table_"+family+"{IDN_INVALID_TOKENS}"]; ok {
			t.Errorf("%s of a table that is not there", family)
		}
	}
	if got["wso2_token_table_data_bytes{IDN_OAUTH2_ACCESS_TOKEN}"] < 5000*36 || got["wso2_token_table_index_bytes{IDN_OAUTH2_ACCESS_TOKEN}"] < 5000*36 {
		t.Errorf("bytes: %v", got)
	}

	_, err = TableSize{&Tables{}}.Collect(soon(t), openSession(t, account(server, "nowhere")))
	if ClassOf(err) != Schema || !strings.Contains(err.Error(), "--mysqld.database") {
		t.Errorf("a database that is not there: %v", err)
	}

	stale := &Tables{}
	s := openSession(t, account(server, schema))
	if _, err := (TableSize{stale}).Collect(soon(t), s); err != nil {
		t.Fatal(err)
	}
	exec(t, db, "DROP DATABASE "+schema)
	if metrics, err := (TableSize{stale}).Collect(soon(t), s); ClassOf(err) != Schema {
		t.Errorf("%d metrics and %v of tables that went after they were listed", len(metrics), err)
	}
}

func TestTableIO(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	s := openSession(t, account(server, schema))
	read := func() map[string]float64 {
		t.Helper()
		metrics, err := TableIO{&Tables{}}.Collect(soon(t), s)
		if err != nil {
			t.Fatal(err)
		}
		return collectortest.Values(t, metrics)
	}
	before := read()
	insertTokens(t, db, 7, "password", 0)
	exec(t, db, "UPDATE IDN_OAUTH2_ACCESS_TOKEN SET TOKEN_STATE = 'INACTIVE'")
	exec(t, db, "DELETE FROM IDN_OAUTH2_ACCESS_TOKEN LIMIT 2")
	after := read()
	for operation, want := range map[string]float64{"insert": 7, "update": 7, "delete": 2} {
		name := "wso2_token_table_io_operations_total{" + operation + ",IDN_OAUTH2_ACCESS_TOKEN}"
		if got := after[name] - before[name]; got != want {
			t.Errorf("%v %ss, want %v", got, operation, want)
		}
		total := "mysql_table_io_operations_total{" + operation + "}"
		if got := after[total] - before[total]; got < want {
			t.Errorf("%v %ss on all tables, want %v or more", got, operation, want)
		}
		wait := "wso2_token_table_io_wait_seconds_total{" + operation + ",IDN_OAUTH2_ACCESS_TOKEN}"
		if got := after[wait] - before[wait]; got <= 0 || got > 60 {
			t.Errorf("%v seconds of %ss", got, operation)
		}
	}
}

func TestMySQL(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	s := openSession(t, account(server, schema))
	read := func() map[string]float64 {
		t.Helper()
		metrics, err := MySQL{}.Collect(soon(t), s)
		if err != nil {
			t.Fatal(err)
		}
		return collectortest.Values(t, metrics)
	}
	before := read()
	insertTokens(t, db, 7, "password", 0)
	after := read()
	if got := after["mysql_commands_total{insert}"] - before["mysql_commands_total{insert}"]; got < 7 {
		t.Errorf("%v inserts, want 7 or more", got)
	}
	if after["mysql_connections_max"] < 1 || after["mysql_threads_connected"] < 1 || after["mysql_innodb_page_size_bytes"] != 16384 {
		t.Errorf("got %v", after)
	}
	if after["mysql_server_info{"+s.Server.Flavor+","+s.Server.Version+"}"] != 1 {
		t.Errorf("no server info for %+v", s.Server)
	}
	exec(t, db, "SET GLOBAL read_only = 1")
	defer exec(t, db, "SET GLOBAL read_only = 0")
	if s = openSession(t, account(server, schema)); read()["mysql_read_only"] != 1 {
		t.Error("a read-only server does not show")
	}
}

// TestMySQLRowsAreConsistent: a family has one type and either labels or not.
func TestMySQLRowsAreConsistent(t *testing.T) {
	first := map[string]mysqlRow{}
	for _, row := range mysqlRows {
		key := row.family.String()
		other, ok := first[key]
		if !ok {
			first[key] = row
			continue
		}
		if other.kind != row.kind || (other.label == "") != (row.label == "") {
			t.Errorf("%s and %s differ in type or labels", other.name, row.name)
		}
	}
	for name, row := range first {
		if isTotal := strings.Contains(name, `_total"`); isTotal != (row.kind == counter) {
			t.Errorf("%s: counters, and only counters, end in _total", name)
		}
	}
}
