package collector

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// zonedSession is a connection of API Manager whose session has a time zone, or
// the server's own.
func zonedSession(t *testing.T, db *sql.DB, zone string) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{"SET time_zone = " + zone, "SET sql_mode = ''"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// writeToken inserts a row as API Manager does: the wall clock of UTC as text,
// which the session takes for one of its own zone.
func writeToken(t *testing.T, conn *sql.Conn, at time.Time) {
	t.Helper()
	_, err := conn.ExecContext(t.Context(), "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES (?, 'password', ?)",
		uuid.NewString(), at.UTC().Format(time.DateTime))
	if err != nil {
		t.Fatal(err)
	}
}

// TestTokensOnServersOfOtherZones: whatever the zone of the server and of API
// Manager's sessions, the numbers are in UTC and every row counts once.
func TestTokensOnServersOfOtherZones(t *testing.T) {
	for _, zone := range []string{"-05:00", "+02:00"} {
		server := mysqltest.Run(t, mysqltest.Config{ExtraArgs: []string{"--default-time-zone=" + zone}})
		for name, session := range map[string]string{
			"its_own": "@@global.time_zone", "utc": "'+00:00'", "nepal": "'+05:45'", "west": "'-12:00'",
		} {
			t.Run(strings.NewReplacer(":", "", "-", "minus", "+", "plus").Replace(zone)+"_"+name, func(t *testing.T) {
				schema, db := tokenDatabase(t, server)
				checkZone(t, account(server, schema), zonedSession(t, db, session))
			})
		}
	}
}

func checkZone(t *testing.T, d Database, conn *sql.Conn) {
	t.Helper()
	var offset float64 // of the session, which the rows must show
	if err := conn.QueryRowContext(t.Context(), "SELECT TIMESTAMPDIFF(SECOND, NOW(), UTC_TIMESTAMP())").Scan(&offset); err != nil {
		t.Fatal(err)
	}
	var rows []string // of steady traffic until now, some of them ahead of UTC or hours behind
	for i := range 1500 {
		rows = append(rows, fmt.Sprintf("('before-%d', 'password', UTC_TIMESTAMP() - INTERVAL %d SECOND)", i, 60+10*i))
	}
	if _, err := conn.ExecContext(t.Context(), "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES "+strings.Join(rows, ", ")); err != nil {
		t.Fatal(err)
	}
	s, c := openSession(t, d), newTokens(t, d, 30*time.Second)
	collectTokens(t, c, s)
	for age := range 3 { // arrivals tell the zone
		writeToken(t, conn, time.Now().Add(time.Duration(age-4)*time.Second))
		collectTokens(t, c, s)
	}
	before := collectTokens(t, c, s)
	if got := before["wso2_token_clock_offset_seconds"]; got != offset || before["wso2_token_future_rows"] != 0 {
		t.Fatalf("offset %v of %v: %v", got, offset, before)
	}
	const n = 12
	for range n {
		writeToken(t, conn, time.Now())
	}
	writeToken(t, conn, time.Now().Add(time.Hour)) // of a node whose clock is wrong
	after := collectTokens(t, c, s)
	if got := after[rowsOfPassword] - before[rowsOfPassword]; got != n {
		t.Errorf("counted %v of %d rows", got, n)
	}
	if after["wso2_token_future_rows"] != 1 {
		t.Errorf("future rows: %v", after)
	}
	now := float64(time.Now().Unix())
	for _, name := range []string{"wso2_token_watermark_timestamp_seconds", "wso2_token_observed_since_timestamp_seconds"} {
		if math.Abs(after[name]-now) > 30 {
			t.Errorf("%s is %v, want about %v", name, after[name], now)
		}
	}
	if _, err := s.Conn.ExecContext(t.Context(), "SET TIMESTAMP = UNIX_TIMESTAMP() + 60"); err != nil {
		t.Fatal(err)
	}
	if err := c.settlePass(soon(t), s); err != nil {
		t.Error(err)
	}
	if again := collectTokens(t, c, s); sumRows(again) != sumRows(after) {
		t.Errorf("after settling %v rows, before %v", sumRows(again), sumRows(after))
	}
}

// TestTokensWithOddRows: rows that no healthy API Manager writes change no
// number that is not about them, and nothing is NaN.
func TestTokensWithOddRows(t *testing.T) {
	server := sharedServer(t)
	for _, tc := range []struct {
		name     string
		before   string // is there at the start
		after    string
		counted  float64
		other    float64 // of those counted
		future   float64
		noNewest bool // no watermark
	}{
		{name: "empty", noNewest: true},
		{name: "zero_timestamps", before: "('a', 'password', 0, 1000)", after: "('b', 'password', '0000-00-00 00:00:00', 1000)", noNewest: true},
		{name: "null_grant", after: "('a', NULL, NOW(), 1000)", counted: 1, other: 1},
		{name: "no_validity", after: "('a', 'password', NOW(), NULL), ('b', 'password', NOW(), -1), ('c', 'password', NOW(), -9223372036854775808)", counted: 3},
		{name: "one_of_the_epoch", before: "('a', 'password', '1970-01-01 00:00:01', 1)"},
		{name: "end_of_time", after: "('a', 'password', '2038-01-19 03:14:07', 1), ('b', 'password', NOW(), 1)", counted: 1, future: 1},
		{name: "end_of_time_first", before: "('a', 'password', '2038-01-19 03:14:07', 1)", after: "('b', 'password', NOW(), 1)", counted: 1, future: 1},
		{name: "fast_node", after: "('a', 'password', NOW() + INTERVAL 50 SECOND, 1)", counted: 1},
		{name: "too_fast_node", after: "('a', 'password', NOW() + INTERVAL 70 SECOND, 1)", future: 1, noNewest: true},
		{name: "slow_node", before: "('a', 'password', NOW(), 1)", after: "('b', 'password', NOW() - INTERVAL 20 SECOND, 1)"}, // later, by the background
		{name: "last_year", after: "('a', 'password', NOW() - INTERVAL 1 YEAR, 1)"},
		{name: "default_time", after: "('a', 'password', DEFAULT, 1)", counted: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			schema, db := tokenDatabase(t, server)
			conn := zonedSession(t, db, "'+00:00'")
			insert := func(rows string) {
				t.Helper()
				if rows == "" {
					return
				}
				if _, err := conn.ExecContext(t.Context(), "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE, TIME_CREATED, VALIDITY_PERIOD) VALUES "+rows); err != nil {
					t.Fatal(err)
				}
			}
			insert(tc.before)
			s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
			collectTokens(t, c, s)
			insert(tc.after)
			v := collectTokens(t, c, s)
			if sumRows(v) != tc.counted || v[rowsOfOther] != tc.other || v["wso2_token_future_rows"] != tc.future {
				t.Errorf("counted %v (other %v) with %v future rows: %v", sumRows(v), v[rowsOfOther], v["wso2_token_future_rows"], v)
			}
			if newest, ok := v["wso2_token_watermark_timestamp_seconds"]; ok == tc.noNewest {
				t.Errorf("watermark %v, %v", newest, ok)
			}
			for name, value := range v {
				if math.IsNaN(value) || math.IsInf(value, 0) {
					t.Errorf("%s is %v", name, value)
				}
			}
			if err := c.background.Do(t.Context(), settleBudget, c.settlePass); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTokensThroughDaylightSaving: API Manager's sessions live in a zone whose
// clock jumps, so that a UTC wall clock written through them falls into the
// hour that does not exist, where the server moves it, or into the one that
// comes twice. No row counts twice, the numbers show from when on none is
// missed, and from then on none is.
func TestTokensThroughDaylightSaving(t *testing.T) {
	t.Setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3") // for the server; needs no zone files
	server := mysqltest.Run(t, mysqltest.Config{})
	for _, tc := range []struct {
		name   string
		from   time.Time
		offset time.Duration // of the table's clock in the end
	}{
		{"gap", time.Date(2026, 3, 29, 1, 50, 0, 0, time.UTC), -2 * time.Hour},
		{"overlap", time.Date(2026, 10, 25, 1, 50, 0, 0, time.UTC), -time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			schema, db := tokenDatabase(t, server)
			conn := zonedSession(t, db, "SYSTEM")
			s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
			start := tc.from
			var written []time.Time
			var v map[string]float64
			sum := 0.0
			for at := start; at.Before(start.Add(90 * time.Minute)); at = at.Add(20 * time.Second) {
				if _, err := s.Conn.ExecContext(t.Context(), "SET TIMESTAMP = ?", at.Unix()); err != nil {
					t.Fatal(err)
				}
				if len(written) == 0 {
					collectTokens(t, c, s)
				}
				writeToken(t, conn, at)
				written = append(written, at)
				v = collectTokens(t, c, s)
				if sumRows(v) < sum || sumRows(v) > float64(len(written)) {
					t.Fatalf("at %v counted %v after %v, of %d rows", at, sumRows(v), sum, len(written))
				}
				sum = sumRows(v)
				if err := c.settlePass(soon(t), s); err != nil {
					t.Fatal(err)
				}
			}
			since := time.Unix(int64(v["wso2_token_observed_since_timestamp_seconds"]), 0)
			missed := 0.0
			for _, at := range written {
				if !at.After(since) {
					missed++
				}
			}
			if got := v["wso2_token_clock_offset_seconds"]; got != tc.offset.Seconds() {
				t.Errorf("offset %v, want %v", got, tc.offset)
			}
			if sum < float64(len(written))-missed {
				t.Errorf("counted %v of %d rows, of which %v were written before %v", sum, len(written), missed, since.UTC())
			}
			if limit := start.Add(80 * time.Minute); since.After(limit) {
				t.Errorf("observed since %v, later than %v", since.UTC(), limit)
			}
			t.Logf("counted %v of %d rows, none missed since %v", sum, len(written), since.UTC())
		})
	}
}
