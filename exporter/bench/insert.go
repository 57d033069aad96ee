package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// writers insert at the same time, as requests at API Manager do.
const writers = 16

// insertToken is a token row as API Manager writes it; TIME_CREATED is the
// writer's clock.
const insertToken = `INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, ACCESS_TOKEN, CONSUMER_KEY_ID, AUTHZ_USER, TENANT_ID, USER_DOMAIN,
 USER_TYPE, GRANT_TYPE, TIME_CREATED, REFRESH_TOKEN_TIME_CREATED, VALIDITY_PERIOD, REFRESH_TOKEN_VALIDITY_PERIOD, TOKEN_SCOPE_HASH,
 SUBJECT_IDENTIFIER, ACCESS_TOKEN_HASH, IDP_ID)
 SELECT ?, ?, MIN(A.ID), 'admin', -1234, 'PRIMARY', 'APPLICATION', 'client_credentials', ?, ?, 3600000, 84600000, LEFT(SHA2(?, 256), 32), 'admin', ?, 1
 FROM IDN_OAUTH_CONSUMER_APPS A`

// insert inserts single rows, a transaction each, at a rate per second. It
// returns how many were committed. A server that cannot keep up gets fewer.
func (s *stand) insert(ctx context.Context, db *sql.DB, rate int, length time.Duration) (int64, error) {
	var next, done atomic.Int64
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range writers {
		group.Go(func() error {
			conn, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			defer conn.Close()
			for {
				at := start.Add(time.Duration(next.Add(1)-1) * time.Second / time.Duration(rate))
				if at.After(start.Add(length)) || time.Since(start) > length {
					return nil
				}
				time.Sleep(time.Until(at))
				if err := insertOne(ctx, conn); err != nil {
					return fmt.Errorf("insert a token row: %w", err)
				}
				done.Add(1)
			}
		})
	}
	err := group.Wait()
	return done.Load(), err
}

func insertOne(ctx context.Context, conn *sql.Conn) error {
	id := uuid.NewString()
	now := time.Now().UTC().Format(time.DateTime)
	_, err := conn.ExecContext(ctx, insertToken, id, uuid.NewString(), now, now, id, `{"hash":"`+id+id+`","algorithm":"SHA-256"}`)
	return err
}

// scraper scrapes an exporter at an interval, as Prometheus does.
type scraper struct {
	cancel   context.CancelFunc
	group    sync.WaitGroup
	took     []float64 // milliseconds
	resident float64   // most MiB
	err      error
}

func (s *stand) scrapeEvery(ctx context.Context, p *program, interval time.Duration) *scraper {
	c := &scraper{}
	ctx, c.cancel = context.WithCancel(ctx)
	c.group.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			ms, err := p.scrapeOK(ctx)
			if ctx.Err() != nil {
				return
			}
			resident, residentErr := residentMiB(p.process.PID())
			if c.err = errors.Join(err, residentErr); c.err != nil {
				return
			}
			c.took, c.resident = append(c.took, ms), max(c.resident, resident)
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return c
}

// stop ends the scrapes and says whether one failed.
func (c *scraper) stop() error {
	c.cancel()
	c.group.Wait()
	return c.err
}
