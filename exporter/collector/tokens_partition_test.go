package collector

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

// insertInto inserts a row of a password token into a table.
func insertInto(t *testing.T, db *sql.DB, table string, n int, age time.Duration) {
	t.Helper()
	for range n {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO "+table+" (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES (?, 'password', NOW() - INTERVAL ? SECOND)",
			uuid.NewString(), int(age.Seconds())); err != nil {
			t.Fatal(err)
		}
	}
}

func partition(t *testing.T, db *sql.DB, domain string) string {
	t.Helper()
	name := "IDN_OAUTH2_ACCESS_TOKEN_" + domain
	exec(t, db, "CREATE TABLE "+name+" LIKE IDN_OAUTH2_ACCESS_TOKEN")
	return name
}

// partly collects where some tables are left out.
func partly(t *testing.T, c *Tokens, s *Session) (map[string]float64, error) {
	t.Helper()
	metrics, err := c.Collect(soon(t), s)
	if err != nil && ClassOf(err) != Partial {
		t.Fatal(err)
	}
	return collectortest.Values(t, metrics), err
}

func leftOutFor(v map[string]float64, reason string) float64 {
	return v["wso2_token_access_token_tables_left_out{"+reason+"}"]
}

func TestTokensCountsPartitions(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	first := partition(t, db, "FIRST")
	insertInto(t, db, first, 3, 0)
	s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
	v := collectTokens(t, c, s)
	if sumRows(v) != 0 || v["wso2_token_access_token_tables"] != 2 {
		t.Errorf("at the start: %v", v)
	}
	since := v["wso2_token_observed_since_timestamp_seconds"]
	insertTokens(t, db, 2, "password", 0)
	insertInto(t, db, first, 4, 0)
	exec(t, db, "INSERT INTO "+first+" SELECT * FROM IDN_OAUTH2_ACCESS_TOKEN") // a TOKEN_ID counts once per table
	if v = collectTokens(t, c, s); v[rowsOfPassword] != 8 {
		t.Errorf("counted %v of 2+4+2 rows", v[rowsOfPassword])
	}

	// A partition that comes later: what is older than itself never counts, and
	// nothing is lost of what was written before it was noticed.
	late := partition(t, db, "LATE")
	insertInto(t, db, late, 5, 0)
	insertInto(t, db, late, 7, time.Hour)
	if v = collectTokens(t, c, s); v[rowsOfPassword] != 8 || v["wso2_token_access_token_tables"] != 2 {
		t.Errorf("before the list is read again: %v", v)
	}
	c.tables.forget()
	if v = collectTokens(t, c, s); v[rowsOfPassword] != 13 || v["wso2_token_access_token_tables"] != 3 {
		t.Errorf("counted %v of 8+5 rows", v[rowsOfPassword])
	}
	if got := v["wso2_token_observed_since_timestamp_seconds"]; got != since {
		t.Errorf("observed since %v: no row was missed since %v", got, since)
	}

	// One that goes takes nothing back, whether it is known or not, and when it
	// comes back with its rows they do not count again.
	exec(t, db, "RENAME TABLE "+first+" TO elsewhere")
	if v, _ = partly(t, c, s); v[rowsOfPassword] != 13 {
		t.Errorf("a table that has just vanished: %v", v)
	}
	insertTokens(t, db, 1, "password", 0)
	if v = collectTokens(t, c, s); v[rowsOfPassword] != 14 || v["wso2_token_access_token_tables"] != 2 {
		t.Errorf("after it has vanished: %v", v)
	}
	c.lateness = 0 // or the rows, a moment old, would be in time for a new table
	time.Sleep(2100 * time.Millisecond)
	c.tables.forget()
	collectTokens(t, c, s)
	exec(t, db, "RENAME TABLE elsewhere TO "+first)
	c.tables.forget()
	if v = collectTokens(t, c, s); v[rowsOfPassword] != 14 || v["wso2_token_access_token_tables"] != 3 {
		t.Errorf("after it has come back: %v", v)
	}
}

// TestTokensLeavesOutWhatItCannotRead: a table that looks like a partition costs
// the main table nothing, and is never left out in silence.
func TestTokensLeavesOutWhatItCannotRead(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	good := partition(t, db, "GOOD")
	exec(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_COPY AS SELECT * FROM IDN_OAUTH2_ACCESS_TOKEN")
	exec(t, db, "ALTER TABLE "+partition(t, db, "OLD")+" DROP COLUMN GRANT_TYPE")
	exec(t, db, "CREATE VIEW IDN_OAUTH2_ACCESS_TOKEN_VIEW AS SELECT * FROM IDN_OAUTH2_ACCESS_TOKEN")
	exec(t, db, "CREATE TABLE idn_oauth2_access_token_good LIKE "+good)
	hidden := partition(t, db, "HIDDEN")
	quoted := server.Account(t, "low", "low", "")
	for _, table := range []string{"IDN_OAUTH2_ACCESS_TOKEN", good, "IDN_OAUTH2_ACCESS_TOKEN_COPY", "IDN_OAUTH2_ACCESS_TOKEN_VIEW", "idn_oauth2_access_token_good"} {
		exec(t, db, "GRANT SELECT (TOKEN_ID, GRANT_TYPE, TIME_CREATED) ON "+table+" TO "+quoted)
	}
	exec(t, db, "GRANT SELECT (TOKEN_ID, TIME_CREATED) ON IDN_OAUTH2_ACCESS_TOKEN_OLD TO "+quoted)
	exec(t, db, "GRANT SELECT (TOKEN_ID) ON "+hidden+" TO "+quoted)

	admin := account(server, schema)
	low := admin
	low.User, low.Password = "low", "low"
	for name, tc := range map[string]struct {
		account Database
		want    map[string]float64
	}{
		"administrator": {admin, map[string]float64{"guard": 2, "schema": 2, "permission": 0}},
		// Without a right on the column it cannot know that there is none.
		"least rights": {low, map[string]float64{"guard": 2, "schema": 1, "permission": 2}},
	} {
		s, c := openSession(t, tc.account), newTokens(t, tc.account, 30*time.Second)
		partly(t, c, s)
		insertTokens(t, db, 3, "password", 0)
		insertInto(t, db, good, 2, 0)
		v, err := partly(t, c, s)
		if v[rowsOfPassword] != 5 {
			t.Errorf("%s: counted %v of 5 rows", name, v[rowsOfPassword])
		}
		for reason, want := range tc.want {
			if got := leftOutFor(v, reason); got != want {
				t.Errorf("%s: %v tables left out for %s, want %v: %v", name, got, reason, want, err)
			}
		}
		if ClassOf(err) != Partial || !strings.Contains(fmt.Sprint(err), "IDN_OAUTH2_ACCESS_TOKEN_") {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.background.Do(t.Context(), settleBudget, c.settlePass); err != nil {
			t.Errorf("%s: the background pass fails: %v", name, err)
		}
	}
}

// TestTokensWaitsForALockedPartition: while a partition is being altered the
// others are read, and afterwards nothing of it is missing.
func TestTokensWaitsForALockedPartition(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	locked := partition(t, db, "LOCKED")
	s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
	collectTokens(t, c, s)
	insertInto(t, db, locked, 2, 0)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "LOCK TABLES "+locked+" WRITE"); err != nil {
		t.Fatal(err)
	}
	insertTokens(t, db, 3, "password", 0)
	v, err := partly(t, c, s)
	if v[rowsOfPassword] != 3 || leftOutFor(v, "timeout") != 1 || v["wso2_token_access_token_tables"] != 1 {
		t.Errorf("with a locked partition: %v, %v", v, err)
	}
	_, err = conn.ExecContext(t.Context(), "UNLOCK TABLES")
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	clear(c.missed) // as if ten seconds had passed
	if v = collectTokens(t, c, s); v[rowsOfPassword] != 5 {
		t.Errorf("counted %v of 3+2 rows", v[rowsOfPassword])
	}
}

func TestTokensBoundsPartitions(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	const beyond = 3
	for i := range maxPartitions + beyond {
		insertInto(t, db, partition(t, db, fmt.Sprintf("P%02d", i)), 1, 0)
	}
	tables := &Tables{}
	s := openSession(t, account(server, schema))
	v, err := partly(t, NewTokens(30*time.Second, newBackground(t, account(server, schema)), tables), s)
	if leftOutFor(v, "limit") != beyond || v["wso2_token_access_token_tables"] != 1+maxPartitions || ClassOf(err) != Partial {
		t.Errorf("of %d partitions: %v, %v", maxPartitions+beyond, v, err)
	}
	metrics, err := TableIO{tables}.Collect(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	io := collectortest.Values(t, metrics)
	if got := io["wso2_token_table_io_operations_total{insert,other}"]; got != beyond {
		t.Errorf("%v inserts into other partitions, want %d", got, beyond)
	}
	if got := io["wso2_token_table_io_operations_total{insert,IDN_OAUTH2_ACCESS_TOKEN_P31}"]; got != 1 {
		t.Errorf("%v inserts into the last of the named", got)
	}
	if metrics, err = (TableSize{tables}).Collect(soon(t), s); err != nil {
		t.Fatal(err)
	}
	size := collectortest.Values(t, metrics)
	if one := size["wso2_token_table_data_bytes{IDN_OAUTH2_ACCESS_TOKEN_P31}"]; one == 0 || size["wso2_token_table_data_bytes{other}"] != beyond*one {
		t.Errorf("bytes of other partitions: %v", size)
	}
}
