package collector

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

func newCensus(t *testing.T, d Database) *Census {
	t.Helper()
	return NewCensus(CensusConfig{Interval: time.Hour, RowsPerSecond: 1_000_000}, newBackground(t, d), &Tables{})
}

// census makes one pass and returns what it found.
func census(t *testing.T, c *Census) map[string]float64 {
	t.Helper()
	metrics, notes, err := c.pass(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) > 0 {
		t.Errorf("notes: %q", notes)
	}
	return collectortest.Values(t, metrics)
}

// check compares the named values, NaN standing for absent.
func checkValues(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, w := range want {
		if g, ok := got["wso2_token_"+name]; !ok || g != w {
			t.Errorf("%s: %v (there: %v), want %v", name, g, ok, w)
		}
	}
}

// absent reports values that should not be there.
func checkAbsent(t *testing.T, got map[string]float64, parts ...string) {
	t.Helper()
	for name := range got {
		for _, part := range parts {
			if strings.Contains(name, part) {
				t.Errorf("%s is there", name)
			}
		}
	}
}

// censusRow inserts a token; times are ages in seconds, periods milliseconds.
func censusRow(t *testing.T, db *sql.DB, table string, state, grant any, created, period, refreshCreated, refreshPeriod any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), "INSERT INTO "+table+` (TOKEN_ID, TOKEN_STATE, GRANT_TYPE, TIME_CREATED, VALIDITY_PERIOD,
		REFRESH_TOKEN_TIME_CREATED, REFRESH_TOKEN_VALIDITY_PERIOD) VALUES (UUID(), ?, ?, NOW() - INTERVAL ? SECOND, ?, NOW() - INTERVAL ? SECOND, ?)`,
		state, grant, created, period, refreshCreated, refreshPeriod)
	if err != nil {
		t.Fatal(err)
	}
}

const (
	hour     = 3600
	hourLong = 3600_000
)

func TestCensus(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_PARTNERS LIKE IDN_OAUTH2_ACCESS_TOKEN")
	c := newCensus(t, account(server, schema))

	empty := census(t, c)
	checkValues(t, empty, map[string]float64{
		"census_rows{other,ACTIVE}": 0, "census_cleanable_rows": 0, "census_expired_active_rows{expired}": 0, "census_rows_read": 0,
		"census_revocation_rows{AM_REVOKED_JWT}": 0, "census_revocation_expired_rows{IDN_INVALID_TOKENS}": 0,
		"census_authorization_code_rows{ACTIVE}": 0, "census_authorization_code_expired_active_rows": 0,
	})
	checkAbsent(t, empty, "oldest", tokentable.ISRevokedTokens, "{password,")

	main, partition := tokentable.AccessToken, "IDN_OAUTH2_ACCESS_TOKEN_PARTNERS"
	censusRow(t, db, main, "ACTIVE", "password", 60, hourLong, 60, 24*hourLong)                  // in use
	censusRow(t, db, main, "ACTIVE", "password", 2*hour, hourLong, 2*hour, 24*hourLong)          // to be refreshed
	censusRow(t, db, main, "ACTIVE", "password", 30*hour, hourLong, 30*hour, 24*hourLong)        // nobody needs it
	censusRow(t, db, main, "ACTIVE", "client_credentials", 5*hour, hourLong, 5*hour, 4*hourLong) // expired, in the safe period
	censusRow(t, db, partition, "ACTIVE", "password", 90*hour, hourLong, 90*hour, hourLong)      // nobody needs it
	censusRow(t, db, main, "ACTIVE", "password", 90*hour, -1, 90*hour, -1)                       // for ever
	censusRow(t, db, main, "ACTIVE", "password", 100*hour, maxValidity, 90*hour, hourLong)       // for ever
	censusRow(t, db, main, "INACTIVE", "refresh_token", 1, hourLong, 1, hourLong)                //
	censusRow(t, db, main, "REVOKED", "urn:custom\x00", 9*hour, hourLong, 1, hourLong)           //
	censusRow(t, db, main, "GRACEFULLY_ROTATED", "Password", 9*hour, hourLong, 9*hour, hourLong) // another grant
	censusRow(t, db, main, "expired", nil, 9*hour, nil, 9*hour, nil)                             // the procedure's collation
	censusRow(t, db, main, nil, "password", 9*hour, hourLong, 9*hour, hourLong)                  //
	exec(t, db, "INSERT INTO AM_REVOKED_JWT (UUID, SIGNATURE, EXPIRY_TIMESTAMP) VALUES ('a', 's', 1000), ('b', 's', 1000*UNIX_TIMESTAMP() + 3600000), ('', 's', 0)")
	exec(t, db, "INSERT INTO IDN_INVALID_TOKENS (UUID, TOKEN_IDENTIFIER, CONSUMER_KEY, EXPIRY_TIMESTAMP) VALUES ('a', 't', 'k', NOW() - INTERVAL 1 HOUR), ('b', 't', 'k', NOW() + INTERVAL 1 HOUR)")
	exec(t, db, `INSERT INTO IDN_OAUTH2_AUTHORIZATION_CODE (CODE_ID, STATE, TIME_CREATED, VALIDITY_PERIOD) VALUES
		('a', 'ACTIVE', NOW() - INTERVAL 1 HOUR, 300000), ('b', 'ACTIVE', NOW(), 300000), ('c', 'INACTIVE', NOW() - INTERVAL 1 HOUR, 300000), ('d', 'odd', NOW(), NULL), ('e', 'ACTIVE', NOW() - INTERVAL 1 HOUR, -1)`)

	got := census(t, c)
	now := got["wso2_token_census_timestamp_seconds"]
	if d := time.Since(time.Unix(int64(now), 0)); d < -time.Minute || d > time.Minute {
		t.Errorf("the pass began %v ago", d)
	}
	checkValues(t, got, map[string]float64{
		"census_rows{password,ACTIVE}": 6, "census_rows{client_credentials,ACTIVE}": 1, "census_rows{refresh_token,INACTIVE}": 1,
		"census_rows{other,REVOKED}": 1, "census_rows{other,GRACEFULLY_ROTATED}": 1, "census_rows{other,other}": 1, "census_rows{password,other}": 1,
		"census_rows{refresh_token,ACTIVE}": 0, "census_rows{other,EXPIRED}": 0,
		"census_expired_active_rows{expired}": 3, "census_expired_active_rows{not_expired}": 1,
		"census_cleanable_rows": 5, "census_rows_read": 22,
		"census_revocation_rows{AM_REVOKED_JWT}": 3, "census_revocation_expired_rows{AM_REVOKED_JWT}": 2,
		"census_revocation_rows{IDN_INVALID_TOKENS}": 2, "census_revocation_expired_rows{IDN_INVALID_TOKENS}": 1,
		"census_authorization_code_rows{ACTIVE}": 3, "census_authorization_code_rows{INACTIVE}": 1, "census_authorization_code_rows{other}": 1,
		"census_authorization_code_expired_active_rows": 1,
	})
	checkAbsent(t, got, "{implicit,")
	for state, age := range map[string]float64{"ACTIVE": 100 * hour, "INACTIVE": 1, "other": 9 * hour} {
		if d := now - age - got["wso2_token_census_oldest_row_timestamp_seconds{"+state+"}"]; d < 0 || d > 30 {
			t.Errorf("oldest row of %s is off by %v s", state, d)
		}
	}
}

// TestCensusAsTheProcedure compares the backlog with the condition of the
// cleanup procedure, row by row around each of its bounds.
func TestCensusAsTheProcedure(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	c := newCensus(t, account(server, schema))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{"SET SESSION time_zone = '+00:00', sql_mode = ''"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	// As the procedure has it, with its variables filled in.
	const condition = `SELECT COUNT(1) FROM IDN_OAUTH2_ACCESS_TOKEN WHERE TOKEN_STATE IN ('INACTIVE','REVOKED','EXPIRED')
		OR (TOKEN_STATE IN ('ACTIVE') AND (VALIDITY_PERIOD > 0 AND VALIDITY_PERIOD < 99999999999990)
		AND (REFRESH_TOKEN_VALIDITY_PERIOD > 0 AND REFRESH_TOKEN_VALIDITY_PERIOD < 99999999999990)
		AND (@till > DATE_ADD(TIME_CREATED, INTERVAL +(VALIDITY_PERIOD/60000) MINUTE))
		AND (@till > DATE_ADD(REFRESH_TOKEN_TIME_CREATED, INTERVAL +(REFRESH_TOKEN_VALIDITY_PERIOD/60000) MINUTE)))`

	type times struct{ age, period any }
	var around []times
	for _, period := range []int{1, 29_999, 30_000, 30_001, 60_000, 89_999, 90_000, hourLong} {
		minutes := (period + 30_000) / 60_000
		for off := -2; off <= 2; off++ {
			around = append(around, times{safePeriod + 60*minutes + off, period})
		}
	}
	for _, period := range []any{nil, 0, -1, maxValidity - 1, maxValidity, maxValidity + 1} {
		around = append(around, times{100 * hour, period})
	}
	around = append(around, times{"zero", hourLong}, times{-hour, hourLong})
	old := times{100 * hour, hourLong}
	var both int
	check := func(state any, access, refresh times) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), "DELETE FROM IDN_OAUTH2_ACCESS_TOKEN"); err != nil {
			t.Fatal(err)
		}
		created := func(v times) string {
			if v.age == "zero" {
				return "'0000-00-00 00:00:00'"
			}
			return fmt.Sprintf("NOW() - INTERVAL %d SECOND", v.age)
		}
		if _, err := conn.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, TOKEN_STATE, TIME_CREATED, VALIDITY_PERIOD,
			REFRESH_TOKEN_TIME_CREATED, REFRESH_TOKEN_VALIDITY_PERIOD) VALUES ('t', ?, %s, ?, %s, ?)`, created(access), created(refresh)),
			state, access.period, refresh.period); err != nil {
			t.Fatal(err)
		}
		got := census(t, c)
		if _, err := conn.ExecContext(t.Context(), "SET @till = CAST(DATE_ADD(FROM_UNIXTIME(?), INTERVAL -2 HOUR) AS DATETIME)", got["wso2_token_census_timestamp_seconds"]); err != nil {
			t.Fatal(err)
		}
		var want float64
		if err := conn.QueryRowContext(t.Context(), condition).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if g := got["wso2_token_census_cleanable_rows"]; g != want {
			t.Errorf("state %v, access token %v, refresh token %v: %v rows, the procedure removes %v", state, access, refresh, g, want)
		}
		both += int(want)
	}
	for _, edge := range around {
		check("ACTIVE", edge, old)
		check("ACTIVE", old, edge)
	}
	if cases := 2 * len(around); both < cases/5 || both > cases*4/5 {
		t.Errorf("%d of %d rows are to be removed: the cases are not around the bounds", both, cases)
	}
	for _, state := range []any{"INACTIVE", "REVOKED", "EXPIRED", "GRACEFULLY_ROTATED", "revoked", "Active", "REVOKED ", "", nil} {
		check(state, times{0, nil}, times{0, nil})
		check(state, old, old)
	}
}

func TestCensusOffset(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	// Written by a session two hours ahead: 30 minutes old, 60 minutes valid.
	censusRow(t, db, tokentable.AccessToken, "ACTIVE", "password", hour/2-2*hour, hourLong, hour/2-2*hour, hourLong)
	exec(t, db, "INSERT INTO IDN_INVALID_TOKENS (UUID, TOKEN_IDENTIFIER, CONSUMER_KEY, EXPIRY_TIMESTAMP) VALUES ('a', 't', 'k', NOW() + INTERVAL 90 MINUTE)")
	exec(t, db, "INSERT INTO AM_REVOKED_JWT (UUID, SIGNATURE, EXPIRY_TIMESTAMP) VALUES ('a', 's', 1000*UNIX_TIMESTAMP() + 3600000)")
	c := newCensus(t, account(server, schema))
	c.cfg.ClockOffset = func() int64 { return 2 * hour }
	got := census(t, c)
	checkValues(t, got, map[string]float64{
		"census_expired_active_rows{not_expired}": 0, "census_revocation_expired_rows{IDN_INVALID_TOKENS}": 1, "census_revocation_expired_rows{AM_REVOKED_JWT}": 0,
	})
	if d := got["wso2_token_census_timestamp_seconds"] - hour/2 - got["wso2_token_census_oldest_row_timestamp_seconds{ACTIVE}"]; d < 0 || d > 30 {
		t.Errorf("the oldest row is off by %v s", d)
	}
	exec(t, db, "UPDATE IDN_OAUTH2_ACCESS_TOKEN SET VALIDITY_PERIOD = 1200000")
	checkValues(t, census(t, c), map[string]float64{"census_expired_active_rows{not_expired}": 1})
}

// TestCensusChunks: many chunks count as one does, with keys of odd collation.
func TestCensusChunks(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	bulkInsert(t, db, 3000, "NOW()")
	for _, id := range []string{"", "0", "zz", "ZZA", "é", "\\'\"%_`", "token with spaces"} {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE) VALUES (?, 'implicit')", id); err != nil {
			t.Fatal(err)
		}
	}
	c := newCensus(t, account(server, schema))
	for _, perSecond := range []int{1_000_000, 1000, 30_000} {
		c.cfg.RowsPerSecond = perSecond
		start := time.Now()
		checkValues(t, census(t, c), map[string]float64{"census_rows{password,ACTIVE}": 3000, "census_rows{implicit,ACTIVE}": 7, "census_rows_read": 3007})
		// No more rows than the budget allows.
		if least := time.Duration(3007 * float64(time.Second) / float64(perSecond)); time.Since(start) < least {
			t.Errorf("%d rows a second: the pass took %v, want %v or more", perSecond, time.Since(start), least)
		}
	}
}

// TestCensusInTurn: other background work waits for a piece, not for the pass.
func TestCensusInTurn(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	bulkInsert(t, db, 5000, "NOW()")
	c := newCensus(t, account(server, schema))
	c.cfg.RowsPerSecond = 2000
	ctx, cancel := context.WithCancel(t.Context())
	var runs sync.WaitGroup
	runs.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer runs.Wait()
	defer cancel()
	waitFor(t, func() bool { return c.running.Load() > 0 })
	metrics, err := c.Collect(soon(t))
	if got := collectortest.Values(t, metrics); err != nil || len(got) != 1 || got["wso2_token_census_running_rows"] == 0 {
		t.Errorf("in the first pass: %v, %v", got, err)
	}
	start := time.Now()
	if err := c.background.Do(soon(t), time.Minute, func(context.Context, *Session) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("other work waited for %v", d)
	}
	if c.running.Load() == 0 {
		t.Error("the pass had ended: nothing was tested")
	}
	waitFor(t, func() bool { metrics, _ = c.Collect(soon(t)); return len(metrics) > 1 })
	checkValues(t, collectortest.Values(t, metrics), map[string]float64{"census_rows{password,ACTIVE}": 5000, "census_running_rows": 0})
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute")
		}
	}
}

func TestCensusKeepsTheLastPass(t *testing.T) {
	c := NewCensus(CensusConfig{Interval: time.Hour}, nil, nil)
	failure := &Failure{Timeout, context.DeadlineExceeded}
	c.note(nil, nil, time.Second, failure)
	if metrics, err := c.Collect(t.Context()); ClassOf(err) != Timeout || len(metrics) != 1 {
		t.Errorf("before the first pass: %d metrics, %v", len(metrics), err)
	}
	c.note([]prometheus.Metric{prometheus.MustNewConstMetric(censusTimeDesc, gauge, 5)}, nil, time.Second, nil)
	c.note(nil, nil, time.Second, failure)
	if metrics, err := c.Collect(t.Context()); ClassOf(err) != Timeout || len(metrics) != 2 {
		t.Errorf("after a failed pass: %d metrics, %v", len(metrics), err)
	}
	c.complete.until = time.Now()
	if metrics, err := c.Collect(t.Context()); ClassOf(err) != Timeout || len(metrics) != 1 {
		t.Errorf("long after: %d metrics, %v", len(metrics), err)
	}
}
