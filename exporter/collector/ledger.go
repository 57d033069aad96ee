package collector

import (
	"hash/maphash"
	"math"
	"sync"
)

// ledger counts each token row once, however often and by whomever it is read.
// It remembers the rows of the seconds that are not settled yet and nothing
// older: a row that turns up in a settled second came too late to count.
//
// Seconds are Unix seconds as TIME_CREATED shows them, on the table's clock.
type ledger struct {
	seeds [2]maphash.Seed

	mu       sync.Mutex
	epoch    int                           // grows with every new baseline
	baseline baseline                      // of this epoch
	settled  int64                         // rows created before this second are final
	edge     cursor                        // where the next scrape reads on
	newest   int64                         // creation second of the newest row ever seen
	seen     map[int64]map[rowKey]struct{} // per unsettled second
	size     int                           // rows in seen
	observed [len(grantTypes)]float64
}

// rowKey is a hash of TOKEN_ID under two seeds of this process: 128 bits keep
// the memory of a row small and a collision out of reach.
type rowKey [2]uint64

// tokenRow is what the ledger needs of a row.
type tokenRow struct {
	second int64
	key    rowKey
	grant  int // index into grantTypes
}

// cursor is a position in the order of (TIME_CREATED, TOKEN_ID). An empty id is
// the start of the second.
type cursor struct {
	second int64
	id     string
}

func newLedger() *ledger {
	return &ledger{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func (l *ledger) key(id []byte) rowKey {
	return rowKey{maphash.Bytes(l.seeds[0], id), maphash.Bytes(l.seeds[1], id)}
}

// baseline is what an epoch starts from.
type baseline struct {
	tick               // the state of the table's clock
	since   float64    // Unix seconds, UTC; 0 if the table is younger than our first look
	settled int64      // rows created before this second are of no interest
	horizon int64      // from this second on not all rows of the future are in rows
	rows    []tokenRow // are there already and will never count
}

// begin ends an epoch and starts the next. Of two that end the same epoch the
// second has no effect. Where only the server's clock was set back, what is
// remembered stays so and what is not settled may still count.
func (l *ledger) begin(epoch int, b baseline) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch != epoch {
		return
	}
	known := int64(math.MaxInt64) // the baseline's rows before it will never count
	if epoch > 0 && b.back && b.generation == l.baseline.generation {
		known = l.settled
	} else {
		l.seen, l.size, l.newest = map[int64]map[rowKey]struct{}{}, 0, 0
	}
	l.epoch++
	l.settled, l.edge = b.settled, cursor{second: b.settled}
	for _, row := range b.rows {
		if row.second < known {
			l.note(row)
		}
	}
	l.baseline, l.baseline.rows = b, nil
}

// note remembers a row and reports whether it is new and in time.
func (l *ledger) note(row tokenRow) bool {
	if row.second < l.settled {
		return false
	}
	second := l.seen[row.second]
	if second == nil {
		second = map[rowKey]struct{}{}
		l.seen[row.second] = second
	}
	if _, old := second[row.key]; old {
		return false
	}
	second[row.key] = struct{}{}
	l.size++
	return true
}

// knows reports whether a row would change nothing: it is remembered, or too late.
func (l *ledger) knows(row tokenRow) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.seen[row.second][row.key]
	return known || row.second < l.settled
}

// add counts the rows that are new. Rows read in an earlier epoch are ignored.
func (l *ledger) add(epoch int, rows []tokenRow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch != epoch {
		return
	}
	for _, row := range rows {
		if l.note(row) {
			l.observed[row.grant]++
		}
		l.newest = max(l.newest, row.second)
	}
}

// advance moves the edge to where a scrape stopped reading.
func (l *ledger) advance(epoch int, edge cursor) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch == epoch && edge.second >= l.edge.second {
		l.edge = edge
	}
}

// settle declares the seconds before upTo final, after every row of them that
// is there has been added, and forgets their rows.
func (l *ledger) settle(epoch int, upTo int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch != epoch || upTo <= l.settled {
		return
	}
	l.settled = upTo
	for second, rows := range l.seen {
		if second < upTo {
			l.size -= len(rows)
			delete(l.seen, second)
		}
	}
	if l.edge.second < upTo {
		l.edge = cursor{second: upTo}
	}
}

// close ends the ledger of a table that has vanished and returns what it had
// counted: whatever is still read of the table has no effect.
func (l *ledger) close() [len(grantTypes)]float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch = -1
	return l.observed
}

// sight takes note of the newest row's second, which deletes may take back.
func (l *ledger) sight(second int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest = max(l.newest, second)
}

// page is a consistent copy of what the ledger shows.
type page struct {
	baseline
	epoch    int
	settled  int64 // hides that of the baseline, from which it has moved on
	edge     cursor
	newest   int64
	size     int
	observed [len(grantTypes)]float64
}

func (l *ledger) read() page {
	l.mu.Lock()
	defer l.mu.Unlock()
	return page{l.baseline, l.epoch, l.settled, l.edge, l.newest, l.size, l.observed}
}
