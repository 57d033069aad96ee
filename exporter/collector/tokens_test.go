package collector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

// insertToken inserts a row that says it was created at a time that differs by
// age from the server's.
func insertToken(ctx context.Context, db interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, grant any, age time.Duration,
) error {
	_, err := db.ExecContext(ctx, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES (?, ?, NOW() - INTERVAL ? SECOND)",
		uuid.NewString(), grant, int(age.Seconds()))
	return err
}

func insertTokens(t *testing.T, db *sql.DB, n int, grant any, age time.Duration) {
	t.Helper()
	for range n {
		if err := insertToken(t.Context(), db, grant, age); err != nil {
			t.Fatal(err)
		}
	}
}

// bulkInsert inserts n rows in one statement; created is an expression of the
// row's number i.
func bulkInsert(t *testing.T, db *sql.DB, n int, created string) {
	t.Helper()
	const digit = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4" +
		" UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	exec(t, db, fmt.Sprintf(`INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE, TIME_CREATED)
		SELECT UUID(), 'password', %[1]s FROM (SELECT a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d AS i
		FROM %[2]s a, %[2]s b, %[2]s c, %[2]s e, %[2]s f) n WHERE i < %[3]d`, created, digit, n))
}

func newTokens(t *testing.T, d Database, lateness time.Duration) *Tokens {
	t.Helper()
	return NewTokens(lateness, newBackground(t, d), &Tables{})
}

func collectTokens(t *testing.T, c *Tokens, s *Session) map[string]float64 {
	t.Helper()
	metrics, err := c.Collect(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	return collectortest.Values(t, metrics)
}

const (
	rowsOfPassword    = "wso2_token_rows_observed_total{password}"
	rowsOfCredentials = "wso2_token_rows_observed_total{client_credentials}"
	rowsOfOther       = "wso2_token_rows_observed_total{other}"
)

// sumRows adds the rows of all grants.
func sumRows(v map[string]float64) (sum float64) {
	for name, n := range v {
		if strings.HasPrefix(name, "wso2_token_rows_observed_total{") {
			sum += n
		}
	}
	return sum
}

func TestTokensCountsFromItsStart(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	insertTokens(t, db, 3, "password", 0)
	insertTokens(t, db, 2, "password", time.Hour)
	s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)

	before := float64(time.Now().Add(-time.Second).Unix())
	v := collectTokens(t, c, s)
	if v[rowsOfPassword] != 0 || sumRows(v) != 0 {
		t.Errorf("rows that were there at the start count: %v", v)
	}
	if since := v["wso2_token_observed_since_timestamp_seconds"]; since < before || since > before+10 {
		t.Errorf("observed since %v, want about %v", since, before)
	}
	if w := v["wso2_token_watermark_timestamp_seconds"]; w < before-5 || w > before+5 {
		t.Errorf("watermark %v, want about %v", w, before)
	}

	insertTokens(t, db, 4, "password", 0)
	insertTokens(t, db, 1, "client_credentials", 0)
	insertTokens(t, db, 1, nil, 0)
	insertTokens(t, db, 1, "Password", 0)
	insertTokens(t, db, 1, "urn:custom:\x00\n", 0)
	for range 2 { // the second reading adds nothing
		v = collectTokens(t, c, s)
		if v[rowsOfPassword] != 4 || v[rowsOfCredentials] != 1 || v[rowsOfOther] != 3 || sumRows(v) != 8 {
			t.Errorf("got %v", v)
		}
	}

	insertTokens(t, db, 1, "password", -time.Hour)
	v = collectTokens(t, c, s)
	if v["wso2_token_future_rows"] != 1 || sumRows(v) != 8 {
		t.Errorf("a row of the future: got %v", v)
	}
	insertTokens(t, db, 1, "password", 0)
	if v = collectTokens(t, c, s); sumRows(v) != 9 {
		t.Errorf("the edge was dragged into the future: %v", v)
	}
}

func TestTokensSettlesLateRows(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
	collectTokens(t, c, s)
	insertTokens(t, db, 1, "password", 0)
	if v := collectTokens(t, c, s); v[rowsOfPassword] != 1 {
		t.Fatalf("got %v", v)
	}
	// Behind the edge of the scrapes, inside and beyond the lateness.
	insertTokens(t, db, 5, "password", 20*time.Second)
	insertTokens(t, db, 7, "password", 50*time.Second)
	if v := collectTokens(t, c, s); v[rowsOfPassword] != 1 {
		t.Errorf("the scrape re-read old rows: %v", v)
	}
	if err := c.background.Do(t.Context(), settleBudget, c.settlePass); err != nil {
		t.Fatal(err)
	}
	if v := collectTokens(t, c, s); v[rowsOfPassword] != 1 {
		t.Errorf("rows were settled before the lateness has passed: %v", v)
	}
	c.lateness = 10 * time.Second // as if twenty seconds had passed
	if err := c.background.Do(t.Context(), settleBudget, c.settlePass); err != nil {
		t.Fatal(err)
	}
	if v := collectTokens(t, c, s); v[rowsOfPassword] != 6 {
		t.Errorf("want the 5 late rows and not the 7 that came too late: %v", v)
	}
	if n := remembered(c); n > 1 {
		t.Errorf("%d rows are still remembered after they were settled", n)
	}
}

func remembered(c *Tokens) (n int) {
	for _, b := range c.books {
		n += b.ledger.read().size
	}
	return n
}

// TestTokensExactUnderLoad is the rig in small: concurrent writers, some commit
// late, two scrapers, a background pass; from idle to idle the count is exact.
func TestTokensExactUnderLoad(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	const lateness = 2 * time.Second
	c := newTokens(t, account(server, schema), lateness)
	scrapers := [2]*Session{openSession(t, account(server, schema)), openSession(t, account(server, schema))}
	collectTokens(t, c, scrapers[0])

	ctx, cancel := context.WithCancel(t.Context())
	var background, writers, readers sync.WaitGroup
	background.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	var written atomic.Int64
	stop := time.Now().Add(5 * time.Second)
	for w := range 8 {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(w)))
			for time.Now().Before(stop) {
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					t.Error(err)
					return
				}
				n := 1 + random.IntN(3)
				for range n {
					err = errors.Join(err, insertToken(ctx, tx, "client_credentials", 0))
				}
				if random.IntN(4) == 0 {
					time.Sleep(time.Duration(random.IntN(1200)) * time.Millisecond)
				}
				if err := errors.Join(err, tx.Commit()); err != nil {
					t.Error(err)
					return
				}
				written.Add(int64(n))
			}
		})
	}
	for _, s := range scrapers {
		readers.Go(func() {
			for time.Now().Before(stop) {
				if _, err := c.Collect(soon(t), s); err != nil {
					t.Error(err)
				}
				time.Sleep(200 * time.Millisecond)
			}
		})
	}
	writers.Wait()
	readers.Wait()
	deadline := time.Now().Add(30 * time.Second)
	var v map[string]float64
	for {
		v = collectTokens(t, c, scrapers[0])
		if v[rowsOfCredentials] >= float64(written.Load()) && remembered(c) == 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	cancel()
	background.Wait()
	if v[rowsOfCredentials] != float64(written.Load()) || sumRows(v) != float64(written.Load()) {
		t.Errorf("counted %v of %d rows", v[rowsOfCredentials], written.Load())
	}
	if n := remembered(c); n != 0 {
		t.Errorf("%d rows are still remembered when all is idle", n)
	}
}

func TestTokensCorrectsTheClock(t *testing.T) {
	server := sharedServer(t)
	for _, offset := range []time.Duration{2 * time.Hour, -5 * time.Hour, 5*time.Hour + 45*time.Minute} {
		t.Run(fmt.Sprint(int(offset.Minutes())), func(t *testing.T) {
			schema, db := tokenDatabase(t, server)
			insertTokens(t, db, 3, "password", -offset+10*time.Second)
			s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
			if v := collectTokens(t, c, s); v["wso2_token_clock_offset_seconds"] != 0 {
				t.Errorf("an idle table tells nothing about the clock: %v", v)
			}
			for age := 4; age > 2; age-- { // two arrivals make it known
				insertTokens(t, db, 1, "password", -offset+time.Duration(age)*time.Second)
				collectTokens(t, c, s)
			}
			before := collectTokens(t, c, s)
			if before["wso2_token_clock_offset_seconds"] != offset.Seconds() || before["wso2_token_future_rows"] != 0 {
				t.Fatalf("got %v", before)
			}
			insertTokens(t, db, 6, "password", -offset)
			after := collectTokens(t, c, s)
			if got := after[rowsOfPassword] - before[rowsOfPassword]; got != 6 {
				t.Errorf("counted %v rows of 6 after the correction", got)
			}
			if w, now := after["wso2_token_watermark_timestamp_seconds"], float64(time.Now().Unix()); w < now-10 || w > now+10 {
				t.Errorf("watermark %v, want about %v", w, now)
			}
		})
	}
}

func TestTokensWorksOffABacklog(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
	collectTokens(t, c, s)
	const n = 2*chunkRows + 123 // in one second: longer than a statement's result, and no second to stop at
	bulkInsert(t, db, n, "NOW()")
	if v := collectTokens(t, c, s); v[rowsOfPassword] != n {
		t.Errorf("counted %v of %d", v[rowsOfPassword], n)
	}
}

func TestTokensExplainsItself(t *testing.T) {
	server := sharedServer(t)
	for _, tc := range []struct {
		name  string
		spoil string
		class Class
		says  string
	}{
		{"no_index", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC", Guard, "CREATE INDEX IDX_TC ON"},
		{"no_table", "DROP TABLE IDN_OAUTH2_ACCESS_TOKEN_SCOPE, IDN_OAUTH2_ACCESS_TOKEN", Schema, "--mysqld.database"},
		{"no_column", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP COLUMN GRANT_TYPE", Schema, "GRANT_TYPE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			schema, db := tokenDatabase(t, server)
			exec(t, db, tc.spoil)
			s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
			_, err := c.Collect(soon(t), s)
			if ClassOf(err) != tc.class || !strings.Contains(fmt.Sprint(err), tc.says) {
				t.Errorf("got class %s: %v; want %s and %q", ClassOf(err), err, tc.class, tc.says)
			}
		})
	}
}

// TestTokensReadsFromTheIndexOnly holds the plan of both statements: no scan of
// the table and no sort, whatever its size.
func TestTokensReadsFromTheIndexOnly(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	const old, fresh = 20_000, 50
	bulkInsert(t, db, old, "NOW() - INTERVAL 1 DAY - INTERVAL i SECOND")
	s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
	collectTokens(t, c, s)
	insertTokens(t, db, fresh, "password", 0)
	exec(t, db, "FLUSH STATUS")
	read := func() (n float64) {
		var name string
		for _, v := range []string{"key", "next", "prev", "rnd", "rnd_next", "first", "last"} {
			var one float64
			if err := s.Conn.QueryRowContext(t.Context(), "SHOW SESSION STATUS LIKE 'Handler_read_"+v+"'").Scan(&name, &one); err != nil {
				t.Fatal(err)
			}
			n += one
		}
		return n
	}
	before := read()
	collectTokens(t, c, s)
	if n := read() - before; n < fresh || n > 2*fresh+200 {
		t.Errorf("a scrape made %v reads in a table of %d old and %d fresh rows", n, old, fresh)
	}
}

// TestTokensNeedsItsBackground: without it late rows are never counted, and
// that must not go unnoticed.
func TestTokensNeedsItsBackground(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	d := account(server, schema)
	s := openSession(t, d)
	d.Password = "wrong"
	c := newTokens(t, d, 10*time.Second)
	c.note(nil, c.background.Do(t.Context(), settleBudget, c.settlePass))
	insertTokens(t, db, 1, "password", 0)
	if _, err := c.Collect(soon(t), s); err != nil {
		t.Errorf("one failed pass is caught up with later: %v", err)
	}
	c.state.last = c.state.last.Add(-3*c.lateness - time.Minute)
	before := remembered(c)
	insertTokens(t, db, 1, "password", 0)
	if _, err := c.Collect(soon(t), s); ClassOf(err) != Auth || !strings.Contains(err.Error(), "late rows have not been read since") {
		t.Errorf("got %v", err)
	}
	if n := remembered(c); n != before {
		t.Errorf("%d rows are remembered instead of %d, and nobody forgets them", n, before)
	}
}
