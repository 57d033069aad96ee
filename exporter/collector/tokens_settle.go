package collector

import (
	"context"
	"fmt"
	"time"
)

// The background pass runs at least this often, so that rows are settled soon
// after the lateness and a database that comes up late is noticed.
const settleInterval = 5 * time.Second

// settleBudget bounds one background pass; a longer backlog takes several.
const settleBudget = 10 * time.Second

// Run settles what is older than the lateness until ctx ends. A pass that
// fails leaves its rows to the next one.
func (t *Tokens) Run(ctx context.Context) error {
	ticker := time.NewTicker(min(t.lateness, settleInterval))
	defer ticker.Stop()
	for {
		t.note(nil, t.background.Do(ctx, settleBudget, t.settlePass))
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// settlePass reads each second that has become older than the lateness once.
func (t *Tokens) settlePass(ctx context.Context, s *Session) error {
	visits, _, err := t.open(ctx, s) // the scrapes tell which are left out
	if err != nil {
		return err
	}
	for _, v := range visits {
		err := t.settleTable(ctx, s, v)
		t.note(v.book, err)
		if err != nil && t.fatal(ctx, v.book, err) {
			return err
		}
	}
	return nil
}

// settleTable settles one table. Every chunk settles the seconds before its
// last row, so that a backlog takes no more memory than its fullest second.
func (t *Tokens) settleTable(ctx context.Context, s *Session, v *visit) error {
	p := v.ledger.read()
	upTo := v.seen.second(p.offset) - seconds(t.lateness)
	from := cursor{second: p.settled}
	if v.resumeEpoch == p.epoch && v.resume.second >= from.second {
		from = v.resume
	}
	if upTo <= from.second {
		return nil
	}
	reached, err := t.readRows(ctx, s, v, t.readLate, from, upTo, func(rows []tokenRow, at cursor) {
		v.ledger.add(p.epoch, rows)
		v.ledger.settle(p.epoch, at.second)
	})
	if err != nil {
		v.resume, v.resumeEpoch = reached, p.epoch
		return err
	}
	v.resume = cursor{}
	v.ledger.settle(p.epoch, upTo)
	return nil
}

// note remembers how a pass went, as a whole or for one table.
func (t *Tokens) note(b *book, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	state := &t.state
	if b != nil {
		state = &b.state
	}
	if state.failure = err; err == nil {
		state.last = time.Now()
	}
}

// overdue returns an error when late rows have not been read for so long that
// the counter can no longer be trusted to catch up.
func (t *Tokens) overdue(b *book) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	state := t.state
	if b != nil {
		state = b.state
	}
	if state.failure == nil || time.Since(state.last) < 3*t.lateness+time.Minute {
		return nil
	}
	return fmt.Errorf("late rows have not been read since %s: %w", state.last.UTC().Format(time.RFC3339), state.failure)
}
