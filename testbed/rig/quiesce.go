package rig

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Quiet is what was found when the wait for the database between two windows
// ended.
type Quiet struct {
	Waited  float64 `json:"waited_seconds"`
	History int64   `json:"history_list_length"` // undo records that purge has not removed yet
	Dirty   int64   `json:"dirty_pages"`
}

// historySettled is a backlog of purge that costs the next window nothing one
// could measure: the server keeps a few records even when idle.
const historySettled = 50

// quiesce waits, no longer than limit, until purge has caught up. Dirty pages
// are recorded only: the servers write them at leisure, for minutes.
func (d *database) quiesce(ctx context.Context, limit time.Duration) (Quiet, error) {
	start := time.Now()
	for {
		var q Quiet
		var err error
		if q.History, err = d.historyLength(ctx); err != nil {
			return q, err
		}
		q.Waited = time.Since(start).Seconds()
		if q.History <= historySettled || time.Since(start) >= limit {
			q.Dirty, err = d.status(ctx, "Innodb_buffer_pool_pages_dirty")
			return q, err
		}
		select {
		case <-ctx.Done():
			return q, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// historyLength reads MariaDB's status variable or MySQL's InnoDB metric.
func (d *database) historyLength(ctx context.Context) (int64, error) {
	n, err := d.status(ctx, "Innodb_history_list_length")
	if !errors.Is(err, sql.ErrNoRows) {
		return n, err
	}
	err = d.db.QueryRowContext(ctx, "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME='trx_rseg_history_len'").Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read the history list length: %w", err)
	}
	return n, nil
}

func (d *database) status(ctx context.Context, name string) (int64, error) {
	var n int64
	if err := d.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(new(string), &n); err != nil {
		return 0, fmt.Errorf("read status %s: %w", name, err)
	}
	return n, nil
}
