package main

import (
	"context"
	"sync"
	"time"
)

const (
	// idleLimit is how long a target of the configuration file is watched without
	// a scrape. Prometheus asks every few minutes at most, so whoever asks less
	// often than once an hour does not count tokens.
	idleLimit = time.Hour
	// idlePass is how often idle targets are looked for.
	idlePass = time.Minute
)

// letGoIdle lets idle targets go until ctx ends.
func (f *fleet) letGoIdle(ctx context.Context) error {
	tick := time.NewTicker(idlePass)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			f.letGo(ctx, now)
		}
	}
}

// letGo ends the watches of named targets that nobody has scraped for idleLimit:
// their connections and their memory are given back, and CloudWatch is not asked
// for them. The next scrape starts each again, as after a start of the exporter.
func (f *fleet) letGo(ctx context.Context, now time.Time) {
	f.loading.Lock() // no reload meanwhile
	defer f.loading.Unlock()
	for name, w := range f.all() {
		if name == "" || !f.idle(w, now) {
			continue
		}
		next, err := f.watch(ctx, w.target, nil)
		if err != nil {
			f.logger.Warn("a target that nobody scrapes is watched on: its settings cannot be read", "target", name, "err", w.target.locate(err))
			continue
		}
		released := make(chan struct{})
		next.wake = sync.OnceFunc(func() {
			<-released // the account may not have connections for both
			next.start(ctx, f.group)
		})
		f.mu.Lock()
		f.watches[name] = next
		f.mu.Unlock()
		f.end(w)
		close(released)
		f.logger.Info("nobody has scraped a target for long: it is let go until somebody does", "target", name, "after", idleLimit)
	}
}

// idle says whether a watch is at work and nobody has used it for long.
func (f *fleet) idle(w *watch, now time.Time) bool {
	select {
	case <-w.ready:
	default:
		return false // let go already
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Sub(w.used) > idleLimit
}
