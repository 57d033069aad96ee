package collector

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// handlerReads counts what the server has read for a session, row by row.
func handlerReads(t *testing.T, s *Session) (n float64) {
	t.Helper()
	for _, v := range []string{"key", "next", "prev", "rnd", "rnd_next", "first", "last"} {
		var name string
		var one float64
		if err := s.Conn.QueryRowContext(t.Context(), "SHOW SESSION STATUS LIKE 'Handler_read_"+v+"'").Scan(&name, &one); err != nil {
			t.Fatal(err)
		}
		n += one
	}
	return n
}

// TestTokensReadsFewRows holds the figure of the design: at 100 inserts a second
// and a scrape every 5 s at most three rows are read per row inserted, whatever
// else is in the table and however many partitions are idle.
func TestTokensReadsFewRows(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	tables := []string{"IDN_OAUTH2_ACCESS_TOKEN", partition(t, db, "A"), partition(t, db, "B")}
	for i := range 5 {
		insertInto(t, db, partition(t, db, fmt.Sprintf("IDLE%d", i)), 10, time.Hour)
	}
	bulkInsert(t, db, 20_000, "NOW() - INTERVAL 1 DAY - INTERVAL i SECOND")
	scrape, background := openSession(t, account(server, schema)), openSession(t, account(server, schema))
	c := newTokens(t, account(server, schema), 30*time.Second)
	now := time.Now().Unix()
	var v map[string]float64
	read := func() {
		t.Helper()
		for _, s := range []*Session{scrape, background} {
			if _, err := s.Conn.ExecContext(t.Context(), fmt.Sprintf("SET TIMESTAMP = %d", now)); err != nil {
				t.Fatal(err)
			}
		}
		v = collectTokens(t, c, scrape)
		if err := c.settlePass(soon(t), background); err != nil {
			t.Fatal(err)
		}
	}
	read()
	before := handlerReads(t, scrape) + handlerReads(t, background)
	const rounds, perSecond = 16, 100
	inserted := 0
	for range rounds {
		for i, table := range tables { // a third of the rows each
			var values []string
			for n := range 5 * perSecond / 3 {
				values = append(values, fmt.Sprintf("('%d-%d-%d', 'password', FROM_UNIXTIME(%d))", now, i, n, now+int64(n)%5))
			}
			exec(t, db, "INSERT INTO "+table+" (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES "+strings.Join(values, ", "))
			inserted += len(values)
		}
		now += 5
		read()
	}
	for range 8 { // until all is settled
		now += 5
		read()
	}
	reads := handlerReads(t, scrape) + handlerReads(t, background) - before
	if v[rowsOfPassword] != float64(inserted) {
		t.Errorf("counted %v of %d rows", v[rowsOfPassword], inserted)
	}
	t.Logf("%.2f reads per row inserted", reads/float64(inserted))
	if reads > 3*float64(inserted) {
		t.Errorf("%v reads for %d rows inserted", reads, inserted)
	}
}
