package collector

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestLedgerCountsEachRowOnce lets rows appear with any lateness, and scrapes
// and settling passes read them in any order. Every row that was there when
// its second was settled counts once, every other row never.
func TestLedgerCountsEachRowOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const lateness = 5
		l := newLedger()
		now := int64(1000)
		var table []tokenRow
		insert := func(second int64) {
			table = append(table, tokenRow{second: second, key: l.key([]byte(strconv.Itoa(len(table))))})
		}
		between := func(from, before int64) (rows []tokenRow) {
			for _, row := range table {
				if row.second >= from && row.second < before {
					rows = append(rows, row)
				}
			}
			return rows
		}
		for range rapid.IntRange(0, 5).Draw(t, "there at the start") {
			insert(now - rapid.Int64Range(0, 2*lateness).Draw(t, "age"))
		}
		baselineRows := len(table)
		l.begin(0, baseline{settled: now - lateness, rows: between(now-lateness, now+1)})

		inTime := 0
		steps := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 60).Draw(t, "steps")
		for _, step := range steps {
			switch step {
			case 0:
				now++
			case 1:
				age := rapid.Int64Range(0, 2*lateness).Draw(t, "age")
				insert(now - age)
				if now-age >= l.read().settled {
					inTime++
				}
			case 2:
				p := l.read()
				rows := between(p.edge.second, now+1)
				l.add(p.epoch, rows)
				if len(rows) > 0 {
					l.advance(p.epoch, cursor{second: now})
				}
			case 3:
				p := l.read()
				l.add(p.epoch, between(p.settled, now-lateness))
				l.settle(p.epoch, now-lateness)
			}
		}
		p := l.read()
		l.add(p.epoch, between(p.settled, now+1))
		if got := l.read().observed[0]; got != float64(inTime) {
			t.Fatalf("counted %v rows of %d (%d at the start)", got, inTime, baselineRows)
		}
	})
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
