package collector

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// CensusConfig says how often the census goes through the token tables and how
// much it may ask of the database.
type CensusConfig struct {
	Interval      time.Duration
	MaxRows       int // estimated rows above which it refuses; 0: never
	RowsPerSecond int
	ClockOffset   func() int64 // seconds by which the table's clock is ahead of UTC; nil: 0
}

// censusKept is for how many intervals, or passes where they take longer, a
// complete pass is shown while no newer one completes.
const censusKept = 3

// Census counts what no index can tell: rows by state, expired rows, rows that
// a cleanup would remove. It goes through the tables along their primary keys
// in short pieces on the background connection. A pass that fails shows nothing
// of what it counted.
type Census struct {
	cfg        CensusConfig
	background *Background
	tables     *Tables
	running    atomic.Int64  // rows of the pass under way
	begun      func()        // may be called again
	first      chan struct{} // closed when the first chunk has been read, or its pass has failed

	mu       sync.Mutex
	complete *censusResult // the last pass that did
	err      error         // how the last pass ended
	notes    []string      // what an administrator should know of it
}

type censusResult struct {
	metrics []prometheus.Metric
	until   time.Time // when it is too old to be shown
}

// NewCensus takes the background connection and the tables of its target.
func NewCensus(cfg CensusConfig, background *Background, tables *Tables) *Census {
	first := make(chan struct{})
	begun := sync.OnceFunc(func() { close(first) })
	return &Census{cfg: cfg, background: background, tables: tables, begun: begun, first: first}
}

// Name is census.
func (c *Census) Name() string { return "census" }

// Descs lists the families.
func (c *Census) Descs() []*prometheus.Desc { return censusDescs() }

// Run makes passes until ctx ends. After a failure the next one comes sooner,
// but never so soon that failing passes read more than half of the time.
func (c *Census) Run(ctx context.Context) error {
	for {
		start := time.Now()
		metrics, notes, err := c.pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		c.note(metrics, notes, time.Since(start), err)
		wait := max(c.cfg.Interval-time.Since(start), c.cfg.Interval/10)
		if err != nil && ClassOf(err) != Guard {
			wait = min(c.cfg.Interval, max(retryInterval, time.Since(start)))
		}
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

func (c *Census) note(metrics []prometheus.Metric, notes []string, took time.Duration, err error) {
	c.running.Store(0)
	defer c.begun()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err = err; err == nil {
		c.complete = &censusResult{metrics, time.Now().Add(censusKept * max(c.cfg.Interval, took))}
		c.notes = notes
	}
}

// Collect returns the last complete pass as long as it is not too old, how far
// the pass under way is, and why the last pass failed if it did. Scrapes that
// come before the first chunk has been read wait for it.
func (c *Census) Collect(ctx context.Context) ([]prometheus.Metric, error) {
	ctx, cancel := WithMargin(ctx)
	defer cancel()
	select {
	case <-c.first:
	case <-ctx.Done():
		return nil, fmt.Errorf("the first rows have not been read: %w", ctx.Err())
	}
	metrics := []prometheus.Metric{prometheus.MustNewConstMetric(censusRunningDesc, gauge, float64(c.running.Load()))}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.complete != nil && time.Now().Before(c.complete.until) {
		metrics = append(metrics, c.complete.metrics...)
	}
	return metrics, c.err
}

// Warnings names the tables that the last complete pass had to leave out.
func (c *Census) Warnings() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notes
}

// Needs are the columns that a pass reads, and the right to see which tables
// there are: not every generation has all of them.
func (c *Census) Needs(tables []string) []Need {
	needs := []Need{{Privilege: privilegeShowView}}
	for _, source := range censusSources() {
		for _, table := range tables {
			if source.of(strings.ToUpper(table)) {
				needs = append(needs, source.need(table))
			}
		}
	}
	return needs
}

// pass goes through all tables and returns what it found, with notes about
// tables that it had to leave out.
func (c *Census) pass(ctx context.Context) (metrics []prometheus.Metric, notes []string, err error) {
	start := time.Now()
	c.running.Store(0)
	p := &censusPass{
		background: c.background, max: c.cfg.MaxRows,
		pace: pace{perSecond: c.cfg.RowsPerSecond, ready: start}, rows: firstChunk,
		progress: func(rows int64) { c.running.Store(rows); c.begun() },
	}
	if c.cfg.ClockOffset != nil {
		p.at.offset = c.cfg.ClockOffset()
	}
	var plan []censusTable
	err = c.background.Do(ctx, pieceBudget, func(ctx context.Context, s *Session) (err error) {
		plan, err = p.plan(ctx, s, c.tables)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	t := newCensusTally()
	for _, table := range plan {
		err := p.count(ctx, table, t)
		if class := ClassOf(err); err != nil && table.source.missing != "" && (class == Permission || class == Schema) {
			t.forget(table.label())
			notes = append(notes, fmt.Sprintf("%s is not shown: %v", table.source.missing, err))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return t.metrics(p.at, time.Since(start), p.read), notes, nil
}

// censusTable is a table to go through: its kind and the server's name for it.
type censusTable struct {
	source *censusSource
	name   string
}

func (t censusTable) label() string { return strings.ToUpper(t.name) }

// plannedTables returns the tables of the census among those that are there.
func plannedTables(present []string) ([]censusTable, error) {
	var plan []censusTable
	sources := censusSources()
	for i := range sources {
		for _, name := range present {
			twin := strings.ToUpper(name) != name && slices.Contains(present, strings.ToUpper(name))
			if sources[i].of(strings.ToUpper(name)) && !twin {
				plan = append(plan, censusTable{&sources[i], name})
			}
		}
	}
	if len(plan) == 0 || plan[0].source.table != tokentable.AccessToken {
		return nil, &Failure{Schema, fmt.Errorf("%s is not there or not visible: check --mysqld.database and the account's SELECT privileges", tokentable.AccessToken)}
	}
	return plan, nil
}

var (
	_ Collector = (*Census)(nil)
	_ Runner    = (*Census)(nil)
	_ Needer    = (*Census)(nil)
	_ Warner    = (*Census)(nil)
)
