package collector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A pass is cut into chunks, so that other background work never waits for
// longer than one of them and no snapshot stays open for longer.
const (
	pieceBudget = 2 * time.Second       // most for one chunk
	chunkAim    = 50 * time.Millisecond // the number of rows is adapted to this
	firstChunk  = 1000
	minChunk    = 100
	maxChunk    = 10_000
	chunkTries  = 3 // with a quarter of the rows after each timeout
)

// censusPass is one walk through the tables.
type censusPass struct {
	background *Background
	max        int
	pace       pace
	progress   func(rows int64) // told after each chunk

	at       moment
	instance string // the server on which the pass began
	rows     int    // of the next chunk
	read     int64
}

// plan finds out what there is to count, whether it may be counted, and when.
func (p *censusPass) plan(ctx context.Context, s *Session, tables *Tables) ([]censusTable, error) {
	present, err := tables.present(ctx, s)
	if err != nil {
		return nil, err
	}
	plan, err := plannedTables(present)
	if err != nil {
		return nil, err
	}
	if err := p.guard(ctx, s, plan); err != nil {
		return nil, err
	}
	p.instance = s.Server.Instance
	err = s.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&p.at.now) }, "SELECT UNIX_TIMESTAMP()")
	return plan, err
}

// guard refuses tables that are too large by the storage engine's estimate.
func (p *censusPass) guard(ctx context.Context, s *Session, plan []censusTable) error {
	if p.max <= 0 {
		return nil
	}
	args := []any{s.Schema}
	for _, table := range plan {
		args = append(args, table.name)
	}
	var sum, largest int64
	var name string
	err := s.each(ctx, func(rows *sql.Rows) error {
		var table string
		var n sql.NullInt64
		if err := rows.Scan(&table, &n); err != nil {
			return err
		}
		if sum += n.Int64; n.Int64 > largest {
			largest, name = n.Int64, table
		}
		return nil
	}, "SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?"+
		strings.Repeat(", ?", len(plan)-1)+")", args...)
	if err != nil {
		return fmt.Errorf("estimate the rows of the token tables: %w", err)
	}
	if sum > int64(p.max) {
		return tooMany(fmt.Sprintf("an estimated %d rows, %d of them in %s", sum, largest, name), p.max)
	}
	return nil
}

// tooMany says how the refusal can be lifted.
func tooMany(what string, most int) error {
	return &Failure{Guard, fmt.Errorf("the census would read %s, more than --collector.census.max-rows=%d: raise it, or give 0 to count whatever there is", what, most)}
}

// count goes through one table.
func (p *censusPass) count(ctx context.Context, table censusTable, t *censusTally) error {
	t.begin(table.label())
	var at *string
	for {
		next, n, err := p.chunk(ctx, table, at, t)
		if err != nil {
			return fmt.Errorf("count the rows of %s: %w", table.label(), err)
		}
		p.read += n
		p.progress(p.read)
		// The estimate may be half of what there is.
		if p.max > 0 && p.read > 2*int64(p.max) {
			return tooMany(fmt.Sprintf("more than %d rows", p.read), p.max)
		}
		if !p.pace.wait(ctx, n) {
			return ctx.Err()
		}
		if next == nil {
			return nil
		}
		at = next
	}
}

// chunk counts the rows after a key, nil for the beginning, and returns the
// last key of the chunk, nil at the end. A chunk that takes too long is tried
// again with fewer rows.
func (p *censusPass) chunk(ctx context.Context, table censusTable, at *string, t *censusTally) (next *string, n int64, err error) {
	rows := p.pace.atMost(p.rows)
	for range chunkTries {
		err = p.background.Do(ctx, pieceBudget, func(ctx context.Context, s *Session) error {
			if s.Server.Instance != p.instance {
				return &Failure{Connection, errors.New("another server answers than the one on which the pass began")}
			}
			start := time.Now()
			var groups []censusGroup
			var err error
			if next, groups, err = table.read(ctx, s, at, rows, p.at); err != nil {
				need := table.source.need(table.name)
				need.Optional = ""
				return withNeeds(s, err, []Need{need})
			}
			n = 0
			for _, g := range groups {
				table.source.add(t, table.label(), g.by, g.counts)
				n += int64(g.counts[0])
			}
			p.adapt(rows, time.Since(start))
			return nil
		})
		if ClassOf(err) != Timeout || ctx.Err() != nil || rows <= minChunk {
			break
		}
		rows = max(minChunk, rows/4)
		p.rows = rows
	}
	return next, n, err
}

// adapt sets the next chunk's rows by how long so many took.
func (p *censusPass) adapt(rows int, took time.Duration) {
	better := int(float64(rows) * float64(chunkAim) / float64(max(took, time.Millisecond)))
	p.rows = min(max(better, rows/4, minChunk), 2*rows, maxChunk)
	p.rows = max(p.rows, minChunk)
}

// censusGroup is a row of countQuery: raw values and their counts, that of rows
// first.
type censusGroup struct {
	by     [][]byte
	counts []float64
}

// read counts up to so many rows after a key.
func (t censusTable) read(ctx context.Context, s *Session, at *string, rows int, when moment) (next *string, groups []censusGroup, err error) {
	name := quoteName(s.Schema) + "." + quoteName(t.name)
	from, args := " >= ?", []any{""}
	if at != nil {
		from, args[0] = " > ?", *at
	}
	err = s.each(ctx, func(r *sql.Rows) error {
		next = new(string)
		return r.Scan(next)
	}, t.source.edgeQuery(name, from), args[0], rows-1)
	if err != nil {
		return nil, nil, err
	}
	if next != nil {
		args = append(args, *next)
	}
	err = s.each(ctx, func(r *sql.Rows) error {
		g, err := t.source.scan(r)
		groups = append(groups, g)
		return err
	}, t.source.countQuery(name, from, next == nil, when), args...)
	return next, groups, err
}

// scan reads a row of countQuery. No time of an empty group is 0.
func (c *censusSource) scan(r *sql.Rows) (censusGroup, error) {
	raw := make([][]byte, len(c.groups)+1+len(c.counts))
	into := make([]any, len(raw))
	for i := range raw {
		into[i] = &raw[i]
	}
	if err := r.Scan(into...); err != nil {
		return censusGroup{}, err
	}
	g := censusGroup{by: raw[:len(c.groups)]}
	for _, text := range raw[len(c.groups):] {
		var v float64
		if text != nil {
			var err error
			if v, err = strconv.ParseFloat(string(text), 64); err != nil {
				return g, fmt.Errorf("read a count: %w", err)
			}
		}
		g.counts = append(g.counts, v)
	}
	return g, nil
}

// pace spreads rows over time.
type pace struct {
	perSecond int
	ready     time.Time // when the next rows are due
}

// atMost bounds a chunk to what half a second allows.
func (p *pace) atMost(rows int) int { return max(1, min(rows, p.perSecond/2)) }

// wait sleeps until n rows have used up their time, or until ctx ends. Time
// lost to a slow server is not caught up.
func (p *pace) wait(ctx context.Context, n int64) bool {
	now := time.Now()
	if p.ready.Before(now.Add(-time.Second)) {
		p.ready = now
	}
	p.ready = p.ready.Add(time.Duration(float64(n) / float64(p.perSecond) * float64(time.Second)))
	if d := p.ready.Sub(now); d > 0 {
		return sleep(ctx, d)
	}
	return ctx.Err() == nil
}
