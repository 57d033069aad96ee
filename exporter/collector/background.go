package collector

import (
	"context"
	"time"
)

// Background is the second connection to the database: what is read between
// scrapes, one piece of work at a time, in the order in which it was asked for.
// Work should come in short pieces, so that nobody waits long for a turn.
type Background struct {
	link *Link
	turn chan struct{} // holds a token while somebody works; waiters queue in order
}

// NewBackground takes the link over.
func NewBackground(link *Link) *Background {
	return &Background{link: link, turn: make(chan struct{}, 1)}
}

// Do waits for its turn and runs work with a session, for at most budget from
// then on. A session that work leaves unusable is dropped.
func (b *Background) Do(ctx context.Context, budget time.Duration, work func(context.Context, *Session) error) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	s, err := b.link.Session(ctx)
	if err != nil {
		return overdue(ctx, err)
	}
	if err := work(ctx, s); err != nil {
		err = overdue(ctx, err)
		if !b.link.Alive() {
			b.link.Drop()
		}
		return err
	}
	return nil
}

// Close ends the connection after the work that is going on.
func (b *Background) Close() error {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	return b.link.Close()
}
