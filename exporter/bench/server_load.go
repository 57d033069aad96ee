package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// fillDigests fills the digest table, so that whoever reads it reads all of it.
// A little room stays for statements of the exporters that come later: what
// they examine is looked up there.
func (s *stand) fillDigests(ctx context.Context) error {
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for sent := 0; ; {
		have := 0
		err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest").Scan(&have)
		if err != nil {
			return fmt.Errorf("count digests: %w", err)
		}
		missing := s.o.digests*98/100 - have
		if missing <= 0 {
			return nil
		}
		if sent > 2*s.o.digests {
			return fmt.Errorf("the digest table holds %d statements after %d different ones", have, sent)
		}
		for range missing {
			s.filler++
			sent++
			if _, err := conn.ExecContext(ctx, fmt.Sprintf("DO (SELECT 1 AS filler_%d)", s.filler)); err != nil {
				return fmt.Errorf("fill the digest table: %w", err)
			}
		}
	}
}

// scan runs full scans of the large table until stop is called.
func (s *stand) scan(ctx context.Context, clients int) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	var ids []int64
	for range clients {
		conn, err := s.tables[large].Conn(ctx)
		if err != nil {
			cancel()
			return nil, err
		}
		var id int64
		if err := conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&id); err != nil {
			cancel()
			return nil, err
		}
		ids = append(ids, id)
		group.Go(func() {
			defer conn.Close()
			for ctx.Err() == nil {
				// No index holds the column, and no row the value.
				var n int
				if conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN WHERE SUBJECT_IDENTIFIER = 'nobody'").Scan(&n) != nil {
					return
				}
			}
		})
	}
	time.Sleep(time.Second)
	return func() {
		cancel()
		group.Wait()
		for _, id := range ids { // MySQL does not notice that a client has gone
			_, _ = s.admin.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("KILL %d", id)) // gone already, then
		}
	}, nil
}
