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
		t.note(t.background.Do(ctx, settleBudget, t.settlePass))
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// settlePass reads each second that has become older than the lateness once.
func (t *Tokens) settlePass(ctx context.Context, s *Session) error {
	seen, p, err := t.open(ctx, s)
	if err != nil {
		return err
	}
	upTo := seen.second(p.offset) - seconds(t.lateness)
	from := cursor{second: p.settled}
	if t.resumeEpoch == p.epoch && t.resume.second >= from.second {
		from = t.resume
	}
	if upTo <= from.second {
		return nil
	}
	reached, err := t.readRows(ctx, s, from, upTo, t.count(p.epoch))
	if err != nil {
		t.resume, t.resumeEpoch = reached, p.epoch
		return err
	}
	t.resume = cursor{}
	t.ledger.settle(p.epoch, upTo)
	return nil
}

func (t *Tokens) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure = err; err == nil {
		t.settled = time.Now()
	}
}

// overdue returns an error when late rows have not been read for so long that
// the counter can no longer be trusted to catch up.
func (t *Tokens) overdue() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure == nil || time.Since(t.settled) < 3*t.lateness+time.Minute {
		return nil
	}
	return fmt.Errorf("late rows have not been read since %s: %w", t.settled.UTC().Format(time.RFC3339), t.failure)
}
