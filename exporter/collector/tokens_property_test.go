package collector

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"pgregory.net/rapid"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// examples sets how many examples rapid tries in a test.
func examples(t *testing.T, n int) {
	t.Helper()
	before := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := flag.Set("rapid.checks", before); err != nil {
			t.Error(err)
		}
	})
}

// TestTokensCountsExactlyTheRowsInTime lets API Manager's transactions commit
// late, inside and beyond the lateness, rows be deleted and updated, exporters
// restart, two scrapers and the background pass read in any order, and the
// server's clock be set forward and back, in tables of several time zones. After
// every reading the counter is what a simple model of the definition says.
func TestTokensCountsExactlyTheRowsInTime(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_ACME LIKE IDN_OAUTH2_ACCESS_TOKEN")
	exec(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 2")
	defer exec(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
	d := account(server, schema)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w := &tokenWorld{ctx: ctx, db: db, background: newBackground(t, d), tables: &Tables{}}
	for i := range w.sessions {
		w.sessions[i] = openSession(t, d)
	}
	examples(t, 60)
	rapid.Check(t, func(r *rapid.T) {
		w.reset(r)
		r.Repeat(map[string]func(*rapid.T){
			"time passes":   func(r *rapid.T) { w.pass(rapid.Int64Range(0, 6).Draw(r, "seconds")) },
			"much time":     func(r *rapid.T) { w.pass(rapid.Int64Range(6, 3*worldLateness).Draw(r, "seconds")) },
			"clock is set":  func(r *rapid.T) { w.step(rapid.Int64Range(-60, 60).Draw(r, "by")) },
			"insert":        w.insert,
			"open":          w.open,
			"commit":        w.commit,
			"delete":        w.remove,
			"update":        w.update,
			"scrape":        w.scrape,
			"settle":        w.settle,
			"two scrape":    w.scrapeTwice,
			"exporter ends": w.restart,
		})
		w.end(r)
	})
}

const worldLateness = 10 // seconds

// worldRow is a row of a token; a row that counts or must never count is done.
type worldRow struct {
	id      string
	table   string
	second  int64
	visible bool
	done    bool
}

// worldTable is what the exporter should know of a table.
type worldTable struct{ settled, edge int64 }

// tokenWorld is API Manager, the database's clock, and the model.
type tokenWorld struct {
	ctx        context.Context
	db         *sql.DB
	sessions   [3]*Session // two scrapers and the background
	background *Background
	tables     *Tables

	c         *Tokens
	zone      int64 // seconds of the tables' clock ahead of UTC
	now       int64 // the server's clock
	monotonic time.Time
	stepped   int64 // how much the clock was set since anybody looked
	rows      []*worldRow
	held      []*worldTx
	known     map[string]*worldTable
	counted   float64
	before    float64 // the counter when the model began
	serial    int
}

type worldTx struct {
	tx   *sql.Tx
	rows []*worldRow
}

func orFail(r *rapid.T, err error) {
	if err != nil {
		r.Fatal(err)
	}
}

func (w *tokenWorld) reset(r *rapid.T) {
	for _, held := range w.held { // of an example that failed
		orFail(r, held.tx.Rollback())
	}
	w.held, w.rows, w.stepped = nil, nil, 0
	w.now, w.monotonic = 1_800_000_000, time.Now()
	w.zone = rapid.SampledFrom([]int64{0, 0, 2 * 3600, -5 * 3600}).Draw(r, "zone")
	for _, table := range []string{tokentable.AccessToken, "IDN_OAUTH2_ACCESS_TOKEN_ACME"} {
		_, err := w.db.ExecContext(w.ctx, "DELETE FROM "+table)
		orFail(r, err)
	}
	w.restart(r)
}

// end lets every transaction end and every second settle.
func (w *tokenWorld) end(r *rapid.T) {
	for len(w.held) > 0 {
		w.finish(r, 0, true)
	}
	w.scrape(r)
	w.pass(worldLateness + 121)
	w.settle(r)
	w.scrape(r)
	for _, row := range w.rows {
		if row.visible && !row.done && row.second >= w.known[row.table].settled && row.second < w.now+w.zone {
			r.Fatalf("row %s of second %d was never decided", row.id, row.second)
		}
	}
}

func (w *tokenWorld) pass(seconds int64) {
	w.now += seconds
	w.monotonic = w.monotonic.Add(time.Duration(seconds) * time.Second)
}

func (w *tokenWorld) step(by int64) {
	w.now += by
	w.stepped += by
}

// draw makes a row: fresh, late, too late, or a little in the future.
func (w *tokenWorld) draw(r *rapid.T) *worldRow {
	w.serial++
	age := rapid.OneOf(rapid.Int64Range(-2, 2), rapid.Int64Range(0, 2*worldLateness), rapid.Int64Range(-120, 0)).Draw(r, "age")
	return &worldRow{
		id:     fmt.Sprintf("token-%d", w.serial),
		table:  rapid.SampledFrom([]string{tokentable.AccessToken, "IDN_OAUTH2_ACCESS_TOKEN_ACME"}).Draw(r, "table"),
		second: w.now + w.zone - age,
	}
}

func (w *tokenWorld) write(r *rapid.T, db interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, row *worldRow,
) {
	_, err := db.ExecContext(w.ctx, "INSERT INTO "+row.table+" (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES (?, 'password', FROM_UNIXTIME(?))", row.id, row.second)
	orFail(r, err)
	w.rows = append(w.rows, row)
}

func (w *tokenWorld) insert(r *rapid.T) {
	for range rapid.IntRange(1, 3).Draw(r, "rows") {
		row := w.draw(r)
		w.write(r, w.db, row)
		row.visible = true
	}
}

func (w *tokenWorld) open(r *rapid.T) {
	if len(w.held) == 4 {
		r.Skip("enough")
	}
	tx, err := w.db.BeginTx(w.ctx, nil)
	orFail(r, err)
	held := &worldTx{tx: tx}
	for range rapid.IntRange(1, 2).Draw(r, "rows") {
		row := w.draw(r)
		w.write(r, tx, row)
		held.rows = append(held.rows, row)
	}
	w.held = append(w.held, held)
}

func (w *tokenWorld) commit(r *rapid.T) {
	if len(w.held) == 0 {
		r.Skip("none is open")
	}
	w.finish(r, rapid.IntRange(0, len(w.held)-1).Draw(r, "transaction"), rapid.IntRange(0, 4).Draw(r, "outcome") > 0)
}

func (w *tokenWorld) finish(r *rapid.T, i int, commit bool) {
	held := w.held[i]
	w.held = append(w.held[:i:i], w.held[i+1:]...)
	if !commit {
		orFail(r, held.tx.Rollback())
		return
	}
	orFail(r, held.tx.Commit())
	for _, row := range held.rows {
		row.visible = true
	}
}

// one picks a visible row.
func (w *tokenWorld) one(r *rapid.T) *worldRow {
	var visible []*worldRow
	for _, row := range w.rows {
		if row.visible {
			visible = append(visible, row)
		}
	}
	if len(visible) == 0 {
		r.Skip("no rows")
	}
	return rapid.SampledFrom(visible).Draw(r, "row")
}

func (w *tokenWorld) remove(r *rapid.T) {
	row := w.one(r)
	_, err := w.db.ExecContext(w.ctx, "DELETE FROM "+row.table+" WHERE TOKEN_ID = ?", row.id)
	orFail(r, err)
	row.visible = false
}

func (w *tokenWorld) update(r *rapid.T) {
	row := w.one(r)
	_, err := w.db.ExecContext(w.ctx, "UPDATE "+row.table+" SET TOKEN_STATE = 'INACTIVE', TOKEN_STATE_ID = TOKEN_ID WHERE TOKEN_ID = ?", row.id)
	orFail(r, err)
}

// restart starts an exporter and, where the tables have a clock of their own,
// lets it find that out from two arrivals.
func (w *tokenWorld) restart(r *rapid.T) {
	w.c = NewTokens(worldLateness*time.Second, w.background, w.tables)
	w.c.monotonic = func() time.Time { return w.monotonic }
	w.stepped, w.known = 0, map[string]*worldTable{}
	read := w.read(r, 0)
	for i := 0; i < 2 && w.zone != 0; i++ {
		w.pass(300) // beyond everything that was written before
		w.serial++
		row := &worldRow{id: fmt.Sprintf("token-%d", w.serial), table: tokentable.AccessToken, second: w.now + w.zone, visible: true}
		w.write(r, w.db, row)
		read = w.read(r, 0)
	}
	if got := w.c.clock.read().offset; got != w.zone {
		r.Fatalf("offset %d, want %d", got, w.zone)
	}
	w.before, w.counted = read, 0
	w.rebase()
	w.expectScrape() // the first reading has moved the edge
}

// rebase makes what is visible in every table the baseline.
func (w *tokenWorld) rebase() {
	for _, table := range []string{tokentable.AccessToken, "IDN_OAUTH2_ACCESS_TOKEN_ACME"} {
		w.known[table] = &worldTable{}
		w.rebaseTable(w.known[table], math.MaxInt64)
	}
}

// look is what every reading begins with.
func (w *tokenWorld) look() {
	for _, known := range w.known {
		if w.stepped < -1 && w.now+w.zone < known.settled {
			w.rebaseTable(known, known.settled)
		}
	}
	w.stepped = 0
}

// rebaseTable makes what is visible of the seconds before a second the baseline:
// it will never count again.
func (w *tokenWorld) rebaseTable(known *worldTable, before int64) {
	known.settled = w.now + w.zone - worldLateness
	known.edge = known.settled
	for _, row := range w.rows {
		row.done = row.done || row.visible && row.second < before && w.known[row.table] == known
	}
}

// expect counts the rows of some seconds of a table.
func (w *tokenWorld) expect(table string, from, before int64) (newest int64) {
	for _, row := range w.rows {
		if row.table != table || !row.visible || row.second < from || row.second >= before {
			continue
		}
		newest = max(newest, row.second)
		if !row.done && row.second >= w.known[table].settled {
			row.done = true
			w.counted++
		}
	}
	return newest
}

// read lets a session of the exporter scrape at the server's present time.
func (w *tokenWorld) read(r *rapid.T, session int) float64 {
	metrics, err := w.c.Collect(w.ctx, w.at(r, session))
	orFail(r, err)
	var sum float64
	for _, m := range metrics {
		if m.Desc() == tokenRowsDesc {
			var v dto.Metric
			orFail(r, m.Write(&v))
			sum += v.GetCounter().GetValue()
		}
	}
	return sum
}

// at sets a session's clock to the server's.
func (w *tokenWorld) at(r *rapid.T, session int) *Session {
	s := w.sessions[session]
	_, err := s.Conn.ExecContext(w.ctx, fmt.Sprintf("SET TIMESTAMP = %d", w.now))
	orFail(r, err)
	return s
}

func (w *tokenWorld) scrape(r *rapid.T) {
	got := w.read(r, rapid.IntRange(0, 1).Draw(r, "scraper"))
	w.expectScrape()
	if got-w.before != w.counted {
		r.Fatalf("the counter rose by %v, want %v", got-w.before, w.counted)
	}
}

func (w *tokenWorld) expectScrape() {
	w.look()
	for table, known := range w.known {
		known.edge = max(known.edge, w.expect(table, known.edge, w.now+w.zone+futureSlack+1))
	}
}

func (w *tokenWorld) scrapeTwice(r *rapid.T) {
	a, b := w.at(r, 0), w.at(r, 1)
	var both sync.WaitGroup
	var errs [2]error
	for i, s := range []*Session{a, b} {
		both.Go(func() { _, errs[i] = w.c.Collect(w.ctx, s) })
	}
	both.Wait()
	orFail(r, errs[0])
	orFail(r, errs[1])
	w.expectScrape()
	w.scrape(r)
}

func (w *tokenWorld) settle(r *rapid.T) {
	orFail(r, w.c.settlePass(w.ctx, w.at(r, 2)))
	w.look()
	for table, known := range w.known {
		upTo := w.now + w.zone - worldLateness
		if upTo <= known.settled {
			continue
		}
		w.expect(table, known.settled, upTo)
		known.settled, known.edge = upTo, max(known.edge, upTo)
	}
}
