package collector

import (
	"context"
	"time"
)

// Trial is how one collector fared in a run.
type Trial struct {
	Collector string
	Err       error // nil for a success
	Took      time.Duration
}

// trialPause is between runs of which a collector still awaits its first
// reading.
const trialPause = 300 * time.Millisecond

// Try runs every collector, as a scrape does and with its background work going
// on, and returns how each fared. It repeats the run within the budget while a
// collector needs more time for its first reading.
func (s *Set) Try(ctx context.Context, budget time.Duration) []Trial {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Run(ctx) // what goes wrong is in the collectors' own results
	}()
	defer func() { cancel(); <-ended }()
	for {
		deadline, _ := ctx.Deadline()
		r := s.join(time.Until(deadline))
		<-r.done
		trials, waiting := r.trials()
		if !waiting || !sleep(ctx, trialPause) {
			return trials
		}
	}
}

// trials returns the outcomes of a run that has ended, and whether any
// collector was too slow for it.
func (r *run) trials() (trials []Trial, waiting bool) {
	for _, o := range r.outcomes {
		trials = append(trials, Trial{o.name, o.err, o.took})
		waiting = waiting || o.err != nil && ClassOf(o.err) == Timeout
	}
	return trials, waiting
}

// NeedsOf is what one collector needs of the database.
type NeedsOf struct {
	Collector string
	Needs     []Need
}

// Needs returns what the enabled collectors need, given these token tables.
func (s *Set) Needs(tables []string) []NeedsOf {
	var all []NeedsOf
	add := func(name string, c any) {
		if n, ok := c.(Needer); ok {
			all = append(all, NeedsOf{name, n.Needs(tables)})
		}
	}
	for _, c := range s.sql {
		add(c.Name(), c)
	}
	for _, c := range s.others {
		add(c.Name(), c)
	}
	return all
}

// Notes returns what the collectors have to tell the administrator although they
// work, each text once.
func (s *Set) Notes() []string {
	var notes []string
	add := func(c any) {
		if w, ok := c.(Warner); ok {
			notes = union(notes, w.Warnings())
		}
	}
	for _, c := range s.sql {
		add(c)
	}
	for _, c := range s.others {
		add(c)
	}
	return notes
}
