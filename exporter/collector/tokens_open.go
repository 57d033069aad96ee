package collector

import (
	"context"
	"time"
)

// open looks at every table, learns of the table's clock, and makes the rows
// that are there the baseline of a table that has none yet or whose clock has
// turned out to be another.
func (t *Tokens) open(ctx context.Context, s *Session) ([]*visit, leftOut, error) {
	tables, left, err := t.openBooks(ctx, s)
	if err != nil {
		return nil, left, err
	}
	known := t.clock.read()
	visits, err := t.each(ctx, tables, &left, func(v *visit) (err error) {
		if v.index, err = s.guard(ctx, v.table, t.lateness, known.offset); err != nil {
			return t.explain(s, v, "look for an index", err)
		}
		v.seen, err = t.look(ctx, s, v, known.offset)
		return err
	})
	if err != nil {
		return nil, left, err
	}
	var all sighting
	for _, v := range visits {
		all = all.with(v.seen)
	}
	for _, n := range t.observed() {
		all.counted += n
	}
	tick := t.clock.observe(all)
	visits, err = t.each(ctx, visits, &left, func(v *visit) error {
		if err := t.ensureBaseline(ctx, s, v, tick); err != nil {
			return err
		}
		v.ledger.sight(v.seen.latest(v.ledger.read().offset))
		return nil
	})
	return visits, left, err
}

// each does something with every table and returns those with which it went
// well. A failure of the main table or of the connection is one of all.
func (t *Tokens) each(ctx context.Context, visits []*visit, left *leftOut, do func(*visit) error) ([]*visit, error) {
	var well []*visit
	for _, v := range visits {
		err := do(v)
		switch {
		case err == nil:
			well = append(well, v)
		case t.fatal(ctx, v.book, err):
			return nil, err
		default:
			t.miss(v.book, err)
			left.add(v.name, err)
		}
	}
	return well, nil
}

// ensureBaseline starts an epoch of a table's ledger where one is due.
func (t *Tokens) ensureBaseline(ctx context.Context, s *Session, v *visit, now tick) error {
	p := v.ledger.read()
	second := v.seen.second(now.offset)
	switch {
	case p.epoch == 0 && !v.born.IsZero():
		age := t.monotonic().Sub(v.born)
		v.ledger.begin(0, baseline{tick: now, settled: second - seconds(age) - seconds(t.lateness), horizon: endOfTime})
		return nil
	case p.epoch == 0, p.generation < now.generation, second+futureSlack >= p.horizon:
	case now.back && second < p.settled:
		// Set back by more than the lateness: new rows would look settled.
	default:
		return nil
	}
	b, err := t.readBaseline(ctx, s, v, now)
	if err != nil {
		return err
	}
	v.ledger.begin(p.epoch, b)
	return nil
}

// futureChunks bounds how many rows of the future a baseline remembers.
const futureChunks = 10

// readBaseline reads the rows that are there and may be read again: those of
// the lateness window and those of the future, which the clock will reach.
func (t *Tokens) readBaseline(ctx context.Context, s *Session, v *visit, now tick) (baseline, error) {
	second := v.seen.second(now.offset)
	b := baseline{tick: now, since: v.seen.now, settled: second - seconds(t.lateness), horizon: endOfTime}
	take := func(chunk []tokenRow, _ cursor) { b.rows = append(b.rows, chunk...) }
	if _, err := t.readRows(ctx, s, v, t.readChunk, cursor{second: b.settled}, second+futureSlack+1, take); err != nil {
		return b, err
	}
	at := cursor{second: second + futureSlack + 1}
	for range futureChunks {
		next, full, err := t.readChunk(ctx, s, v, at, endOfTime, take)
		if err != nil {
			return b, err
		}
		if at = next; !full {
			return b, nil
		}
	}
	b.horizon = at.second
	return b, nil
}

// settling is how a background pass fares.
type settling struct {
	last    time.Time // when one succeeded
	failure error     // why those since have failed
}
