package collector

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// reading is what one pass found in performance_schema.
type reading struct {
	instance string    // the server that answered
	at       time.Time // its clock when the reading began
	started  time.Time // when it started, less than a second late
	withCPU  bool      // whether it measures the processor time of statements

	binaryDigests bool // whether statements of the binary protocol have digests

	rows   []digestRow      // digests used since the reading before
	events map[string]usage // by event name, all of them
	asked  uint64           // statements that clients sent, by the server's status
}

// digestRow is a row of the digests. What it says was used is counted from
// first, which moves when somebody truncates the table.
type digestRow struct {
	key    digestKey
	first  string
	digest digest
	lost   bool // the row of all statements that found the table full
	usage
}

// counts reports whether the ledger has a place for the row.
func (r digestRow) counts() bool {
	return r.digest.kind != kindNone || r.lost || r.digest.hidden || r.digest.cut
}

// digestKey is the table's own key.
type digestKey struct{ schema, digest string }

// seenDigest is a token statement's digest as it was when last read.
type seenDigest struct {
	first string
	at    time.Time
	token bool // of a kind, or the row of lost digests
	usage
}

// missing says why executions cannot be attributed to a kind, as an index into
// missingReasons.
type missing int

const (
	missingLost missing = iota
	missingBinary
	missingPrepared
	missingCut
	missingUncounted
	missingCount
)

var missingReasons = [missingCount]string{
	missingLost:      "digest_lost",
	missingBinary:    "binary_protocol",
	missingPrepared:  "prepared",
	missingCut:       "text_cut",
	missingUncounted: "uncounted",
}

// statementSums are what statements used between two moments.
type statementSums struct {
	kinds   [kindCount]usage
	total   usage
	missing [missingCount]uint64
}

func (s *statementSums) add(o statementSums) {
	for i := range s.kinds {
		s.kinds[i].add(o.kinds[i])
	}
	s.total.add(o.total)
	for i := range s.missing {
		s.missing[i] += o.missing[i]
	}
}

// maxSeen bounds the digests that are remembered: of token statements a server
// has some tens.
const maxSeen = 5000

// statementLedger adds up what readings find, from the first one on. It knows
// every token digest's last values, so that a table that was truncated, a
// restart or another server never shows as use.
type statementLedger struct {
	last reading // without its rows
	seen map[digestKey]seenDigest
	sums statementSums
}

// enter adds a reading and returns what was used since the one before; the
// first reading of a server only sets the start.
func (l *statementLedger) enter(r reading) (interval statementSums, known bool) {
	known = l.seen != nil && r.instance == l.last.instance
	if !known {
		l.seen = map[digestKey]seenDigest{}
		l.last = reading{}
	}
	// Both are a second too late at most, and no server starts twice in two.
	restarted := known && r.started.Sub(l.last.started) > 1500*time.Millisecond
	for _, row := range r.rows {
		l.enterRow(&interval, r, row, known)
	}
	if known {
		l.enterTotals(&interval, r, restarted)
		l.sums.add(interval)
	}
	r.rows = nil
	l.last = r
	l.forget()
	return interval, known
}

// enterRow adds one digest.
func (l *statementLedger) enterRow(interval *statementSums, r reading, row digestRow, known bool) {
	before, seen := l.seen[row.key]
	l.seen[row.key] = seenDigest{row.first, r.at, row.lost || row.digest.kind != kindNone, row.usage}
	var used usage
	switch {
	case !known:
		return
	case seen && before.first == row.first:
		used = row.since(before.usage)
	case seen || row.first >= firstSeenText(l.last.at):
		used = row.usage // all of it is newer than the last reading
	default:
		return // an old digest that was forgotten: nobody knows what is new
	}
	used = l.measured(r, used)
	switch n := used[executions]; {
	case row.lost:
		interval.missing[missingLost] += n
	case row.digest.hidden:
		interval.missing[missingPrepared] += n
	case row.digest.cut:
		interval.missing[missingCut] += n
	default:
		if row.digest.prepares {
			used[executions] = 0
		}
		interval.kinds[row.digest.kind].add(used)
	}
}

// measured leaves out processor time that may be older than the last reading:
// its measurement was off.
func (l *statementLedger) measured(r reading, used usage) usage {
	if !r.withCPU || !l.last.withCPU {
		used[cpuTime] = 0
	}
	return used
}

// firstSeenText is a moment as FIRST_SEEN would show it at the latest, a little
// before for servers that keep whole seconds.
func firstSeenText(t time.Time) string {
	return t.Add(-2 * time.Second).UTC().Format("2006-01-02 15:04:05")
}

// enterTotals adds the server's totals. Statements inside procedures are part of
// the CALL, and a binlog dump would bring days at once when it ends.
func (l *statementLedger) enterTotals(interval *statementSums, r reading, restarted bool) {
	var answered uint64
	for name, u := range r.events {
		used := u
		if before, ok := l.last.events[name]; ok && !restarted {
			used = u.since(before)
		}
		used = l.measured(r, used)
		sql, command := strings.HasPrefix(name, "statement/sql/"), strings.HasPrefix(name, "statement/com/")
		switch {
		case name == executeEvent && !r.binaryDigests:
			interval.missing[missingBinary] += used[executions]
		case name == prepareEvent:
			used[executions] = 0
		}
		if sql || command {
			answered += used[executions]
		}
		if sql || name == executeEvent || name == prepareEvent || name == "statement/scheduler/event" {
			interval.total.add(used)
		}
	}
	asked := r.asked
	if asked >= l.last.asked && !restarted {
		asked -= l.last.asked
	}
	if asked > answered {
		interval.missing[missingUncounted] += asked - answered
	}
}

// Statements of the binary protocol.
const (
	executeEvent = "statement/com/Execute"
	prepareEvent = "statement/com/Prepare"
)

// forget keeps memory bounded: it drops digests that are only counted as
// missing, and then those not used for longest.
func (l *statementLedger) forget() {
	if len(l.seen) <= maxSeen {
		return
	}
	first := func(a, b digestKey) int {
		x, y := l.seen[a], l.seen[b]
		if x.token != y.token {
			return map[bool]int{false: -1, true: 1}[x.token]
		}
		return x.at.Compare(y.at)
	}
	// Half of them, so that a server full of new digests is not sorted at every
	// reading.
	for _, key := range slices.SortedFunc(maps.Keys(l.seen), first)[:len(l.seen)-maxSeen/2] {
		delete(l.seen, key)
	}
}
