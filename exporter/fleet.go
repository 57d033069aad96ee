package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// fleet is the targets being watched, by name; the one of the flags has the
// empty name. A reload replaces those that changed and leaves the others, with
// their counters and connections, alone.
type fleet struct {
	group  *errgroup.Group // of the work between scrapes
	logger *slog.Logger

	loading sync.Mutex // one apply at a time

	mu      sync.Mutex // guards what follows
	watches map[string]*watch
}

// watch is one target being watched.
type watch struct {
	set     *collector.Set
	gate    *collector.Gate
	summary string         // of everything that needs another set when it changes
	ready   chan struct{}  // closed when what was watched under this name before has ended
	scrapes sync.WaitGroup // those that use the set; Add needs the fleet's mu
	cancel  context.CancelFunc
	ended   chan struct{} // closed when the work between scrapes has ended
	target  *target
	used    time.Time // of the last scrape, else of its making; guarded by the fleet's mu
	wake    func()    // of a target that was let go: starts it, once; else nil
}

func newFleet(group *errgroup.Group, logger *slog.Logger) *fleet {
	return &fleet{group: group, logger: logger, watches: map[string]*watch{}}
}

// apply makes the fleet watch these targets and no others. On an error nothing
// has changed. Otherwise it returns when what it replaced or removed has ended;
// the budget of the scrape in flight bounds that. ctx ends the work between
// scrapes.
func (f *fleet) apply(ctx context.Context, targets []*target) error {
	f.loading.Lock()
	defer f.loading.Unlock()
	before := f.all()
	next, err := f.build(ctx, targets, before)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.watches = next
	f.mu.Unlock()
	var changes sync.WaitGroup
	for name, w := range next {
		have := before[name]
		switch have {
		case w:
			w.gate.Open() // its password file may hold another password now
		case nil:
			w.start(ctx, f.group)
		default:
			changes.Go(func() {
				f.end(have)
				w.start(ctx, f.group)
			})
		}
	}
	for name, have := range before {
		if next[name] == nil {
			changes.Go(func() { f.end(have) })
		}
	}
	changes.Wait()
	return nil
}

// build returns a watch per target, the one that exists where nothing changed.
func (f *fleet) build(ctx context.Context, targets []*target, before map[string]*watch) (map[string]*watch, error) {
	next := map[string]*watch{}
	var errs []error
	for _, t := range targets {
		w, err := f.watch(ctx, t, before[t.name])
		if err != nil {
			errs = append(errs, t.locate(err))
			continue
		}
		next[t.name] = w
	}
	if len(errs) == 0 {
		return next, nil
	}
	for name, w := range next {
		if before[name] != w {
			errs = append(errs, w.set.Close())
		}
	}
	return nil, errors.Join(errs...)
}

// watch returns have if it watches the target already, else a new one.
func (f *fleet) watch(ctx context.Context, t *target, have *watch) (*watch, error) {
	d, given, err := t.database()
	if err != nil {
		return nil, err
	}
	summary := fmt.Sprint(t.values(), given, d.Network, d.Address, d.User, d.Schema)
	if have != nil && have.summary == summary {
		return have, nil
	}
	logger := f.logger
	if t.name != "" {
		logger = logger.With("target", t.name)
	}
	w := &watch{gate: &collector.Gate{}, summary: summary, ready: make(chan struct{}), ended: make(chan struct{}), target: t, used: time.Now()}
	w.set, err = newSet(ctx, t, w.gate, logger)
	return w, err
}

// start opens the watch to scrapes and begins the work between them.
func (w *watch) start(ctx context.Context, group *errgroup.Group) {
	ctx, w.cancel = context.WithCancel(ctx)
	close(w.ready)
	group.Go(func() error {
		defer close(w.ended)
		return w.set.Run(ctx)
	})
}

// end waits for the scrapes that use the watch, which must have left the fleet,
// and closes its connections.
func (f *fleet) end(w *watch) {
	w.scrapes.Wait()
	select {
	case <-w.ready:
		w.cancel()
		<-w.ended
	default: // let go, and never asked for since
	}
	if err := w.set.Close(); err != nil {
		f.logger.Warn("close the connections of a target", "err", err)
	}
}

// close ends every watch; no scrape may come any more.
func (f *fleet) close() {
	for _, w := range f.all() {
		f.end(w)
	}
}

// all returns the watches by name.
func (f *fleet) all() map[string]*watch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.watches)
}

// names lists the targets of the configuration file, sorted.
func (f *fleet) names() []string {
	names := slices.Sorted(maps.Keys(f.all()))
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// errUnknown says that there is no target of that name.
var errUnknown = errors.New("no such target")

// use calls scrape with the set that watches a target. During a reload that
// replaces the target it waits for the next set.
func (f *fleet) use(ctx context.Context, name string, scrape func(*collector.Set)) error {
	f.mu.Lock()
	w, ok := f.watches[name]
	if ok {
		w.scrapes.Add(1)
		w.used = time.Now()
	}
	f.mu.Unlock()
	if !ok {
		return errUnknown
	}
	defer w.scrapes.Done()
	if w.wake != nil {
		w.wake()
	}
	select {
	case <-w.ready:
	case <-ctx.Done():
		return fmt.Errorf("the target is being replaced: %w", ctx.Err())
	}
	scrape(w.set)
	return nil
}
