package collector

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestLedgerCountsEachRowOnce lets rows appear with any lateness and be deleted,
// the clock be set back, and scrapes and settling passes read in any order.
// Every row that was read in time counts once, every other row never.
func TestLedgerCountsEachRowOnce(t *testing.T) {
	examples(t, 5000)
	rapid.Check(t, func(t *rapid.T) {
		w := newLedgerWorld(t)
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 60).Draw(t, "steps") {
			switch step {
			case 0:
				w.now++
			case 1:
				w.insert(rapid.Int64Range(0, 2*ledgerLateness).Draw(t, "age"))
			case 2:
				w.scrape()
			case 3:
				w.settle()
			case 4:
				w.remove(rapid.IntRange(0, 60).Draw(t, "row"))
			case 5:
				w.setBack(rapid.Int64Range(1, 4*ledgerLateness).Draw(t, "by"))
			}
			if got := w.l.read().observed[0]; got != w.counted {
				t.Fatalf("counted %v rows, want %v", got, w.counted)
			}
		}
		w.now = 10_000 // beyond every row
		w.settle()
		if got, p := w.l.read().observed[0], w.l.read(); got != w.counted || p.size != 0 {
			t.Fatalf("counted %v rows, want %v; %d are remembered", got, w.counted, p.size)
		}
	})
}

const ledgerLateness = 5

// ledgerWorld is a table and what a ledger should have counted of it.
type ledgerWorld struct {
	l       *ledger
	now     int64
	rows    []ledgerWorldRow
	settled int64
	counted float64
}

type ledgerWorldRow struct {
	tokenRow
	gone, done bool // deleted; counted, or never to count
}

func newLedgerWorld(t *rapid.T) *ledgerWorld {
	w := &ledgerWorld{l: newLedger(), now: 1000, settled: 1000 - ledgerLateness}
	for range rapid.IntRange(0, 5).Draw(t, "there at the start") {
		w.insert(rapid.Int64Range(0, 2*ledgerLateness).Draw(t, "age"))
		w.rows[len(w.rows)-1].done = true
	}
	w.l.begin(0, baseline{settled: w.settled, horizon: endOfTime, rows: w.between(w.settled, endOfTime, false)})
	return w
}

func (w *ledgerWorld) insert(age int64) {
	key := w.l.key([]byte(strconv.Itoa(len(w.rows))))
	w.rows = append(w.rows, ledgerWorldRow{tokenRow: tokenRow{second: w.now - age, key: key}})
}

// between reads the rows of some seconds; in the model they count if that is
// what they are read for and they are not too late.
func (w *ledgerWorld) between(from, before int64, count bool) (rows []tokenRow) {
	for i, row := range w.rows {
		if row.gone || row.second < from || row.second >= before {
			continue
		}
		rows = append(rows, row.tokenRow)
		if count && !row.done && row.second >= w.settled {
			w.rows[i].done = true
			w.counted++
		}
	}
	return rows
}

func (w *ledgerWorld) scrape() {
	p := w.l.read()
	rows := w.between(p.edge.second, w.now+1, true)
	w.l.add(p.epoch, rows)
	if len(rows) > 0 {
		w.l.advance(p.epoch, cursor{second: w.now})
	}
}

func (w *ledgerWorld) settle() {
	p := w.l.read()
	upTo := w.now - ledgerLateness
	w.l.add(p.epoch, w.between(p.settled, upTo, true))
	w.l.settle(p.epoch, upTo)
	w.settled = max(w.settled, upTo)
}

func (w *ledgerWorld) remove(i int) {
	if i < len(w.rows) {
		w.rows[i].gone = true
	}
}

// setBack sets the clock back and, where new rows would look settled, begins
// anew: the rows of settled seconds that are there never count.
func (w *ledgerWorld) setBack(by int64) {
	w.now -= by
	if w.now >= w.settled {
		return
	}
	for i, row := range w.rows {
		w.rows[i].done = row.done || !row.gone && row.second < w.settled
	}
	w.settled = w.now - ledgerLateness
	p := w.l.read()
	w.l.begin(p.epoch, baseline{tick: tick{back: true}, settled: w.settled, horizon: endOfTime, rows: w.between(w.settled, endOfTime, false)})
}

func TestLedgerIgnoresAnEarlierEpoch(t *testing.T) {
	l := newLedger()
	row := func(id string) []tokenRow { return []tokenRow{{second: 100, key: l.key([]byte(id))}} }
	l.begin(0, baseline{settled: 90})
	old := l.read().epoch
	l.add(old, row("a"))
	l.begin(old, baseline{settled: 95, tick: tick{offset: 900}})
	l.begin(old, baseline{settled: 50}) // of two that end the same epoch the second is late
	l.add(old, row("b"))
	l.settle(old, 200)
	l.advance(old, cursor{second: 300})
	if p := l.read(); p.observed[0] != 1 || p.settled != 95 || p.edge.second != 95 || p.offset != 900 {
		t.Errorf("got %+v", p)
	}
}

func TestClock(t *testing.T) {
	const now = 1_700_000_000
	row := func(after float64, present, newest int64) sighting {
		s := sighting{now: now + after}
		if present != 0 {
			s.present = now + int64(after) + present
		}
		if newest != 0 {
			s.newest = now + int64(after) + newest
		}
		return s
	}
	counts := func(n float64, s sighting) sighting {
		s.counted = n
		return s
	}
	const hour = 3600
	for _, tc := range []struct {
		name  string
		looks []sighting
		want  int64
	}{
		{"empty", []sighting{row(0, 0, 0), row(5, 0, 0)}, 0},
		{"idle for five hours", []sighting{row(0, -5*hour, -5*hour), {now: now + 5, present: now - 5*hour, newest: now - 5*hour}}, 0},
		{"steady", []sighting{row(0, -1, -1), row(5, -1, -1), row(10, 0, 0), row(15, -3, -3)}, 0},
		{"one odd row", []sighting{row(0, -1, -1), row(5, -1, 2*hour), row(10, -1, 2*hour-5), row(15, -1, 2*hour-10)}, 0},
		{"two hours ahead", []sighting{row(0, 0, 0), row(5, 0, 2*hour-1), row(10, 0, 2*hour-1)}, 2 * hour},
		{"five hours behind", []sighting{row(0, -9*hour, -9*hour), row(5, -5*hour-1, -5*hour-1), row(10, -5*hour-1, -5*hour-1)}, -5 * hour},
		{"one arrival is not enough", []sighting{row(0, 0, 0), row(5, 0, 2*hour)}, 0},
		{"two that disagree", []sighting{row(0, 0, 0), row(5, 0, 2*hour), row(10, 0, 3*hour)}, 0},
		{"beyond the earth", []sighting{row(0, 0, 0), row(5, 0, 20*hour), row(10, 0, 20*hour)}, 0},
		{"rows on a UTC clock win", []sighting{row(0, -1, -1), row(5, -1, 2*hour), row(10, -1, 2*hour)}, 0},
		{"a clock that is ahead passes over its own rows", []sighting{
			row(0, 60, 2*hour), row(5, 60, 2*hour), row(10, 60, 2*hour), row(15, 60, 2*hour), row(20, 60, 2*hour),
		}, 2 * hour},
		{"idle after that", []sighting{
			row(0, 60, 2*hour), row(5, 60, 2*hour), row(10, 60, 2*hour), row(15, 60, 2*hour-5), row(20, 60, 2*hour-10), row(25, 60, 2*hour-15),
		}, 2 * hour},
		{"a fast node beside rows that count", []sighting{
			row(0, -1, 2*hour), counts(1, row(5, -1, 2*hour)), counts(2, row(10, -1, 2*hour)), counts(3, row(100, -1, 2*hour)), counts(4, row(200, -1, 2*hour)),
		}, 0},
		{"behind, with a row of the far future", []sighting{
			row(0, -5*hour-1, 9_000_000), {now: now + 5, present: now + 5 - 5*hour, newest: now + 9_000_000}, {now: now + 10, present: now + 10 - 5*hour, newest: now + 9_000_000},
		}, -5 * hour},
		{"corrected back", []sighting{
			row(0, 0, 0), row(5, 0, 2*hour), row(10, 0, 2*hour), row(15, -1, 2*hour-5), row(20, -1, 2*hour-10),
		}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c clock
			var got int64
			for _, look := range tc.looks {
				got = c.observe(look).offset
			}
			if got != tc.want {
				t.Errorf("offset %d, want %d", got, tc.want)
			}
		})
	}
}
