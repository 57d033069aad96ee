package source

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// database answers PromQL. Both methods leave stale markers out, and return
// what the database had to say about its answer.
type database interface {
	// fetch returns the raw samples of a selector in [from, to].
	fetch(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error)
	// evaluate returns the values of an expression at from, from+step … to.
	evaluate(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]rawSeries, []string, error)
}

// parallelWindows bounds how many windows are read at a time: a server answers
// several as fast as one, but it may have other users.
const parallelWindows = 4

// readSeries fills the series of every window from a profile's queries.
func readSeries(ctx context.Context, spec Spec, d Dataset, db database) (Dataset, error) {
	rows, problems, err := rowsOf(spec)
	if err != nil {
		return d, err
	}
	d.Problems = append(d.Problems, problems...)
	for _, row := range rows {
		if text := row.overlap(); text != "" {
			d.Problems = append(d.Problems, Problem{Window: -1, Series: row.series, Text: text, Warning: "range-step"})
		}
	}
	readers := make([]*windowReader, len(d.Runs))
	for i, run := range d.Runs {
		if run.Window.End.After(run.Window.Start) { // else its result files hold nothing, which is a Problem already
			readers[i] = &windowReader{spec: spec, window: run.Window, index: i, db: db, seen: map[string]answer{}, series: map[string]Series{}, queries: queriesOf(rows)}
		}
	}
	if err := readWindows(ctx, readers, rows); err != nil {
		return d, err
	}
	missing := make(map[string][]int) // series to the windows without it
	read := 0
	for i, r := range readers {
		if r == nil {
			continue
		}
		read++
		maps.Copy(d.Runs[i].Series, r.series)
		for _, name := range r.missing {
			missing[name] = append(missing[name], i)
		}
		d.Inputs = append(d.Inputs, r.inputs...)
		d.Problems = append(d.Problems, r.problems...)
	}
	d.Problems = append(d.Problems, missingProblems(d, wantedOf(rows), missing, read, "is the collector on, and do the matchers fit?")...)
	return d, nil
}

// readWindows runs the readers, a few at a time. What each of them found stays
// with it, so the order of the answers does not matter. Of several errors the
// one of the first window is returned.
func readWindows(ctx context.Context, readers []*windowReader, rows []row) error {
	var group errgroup.Group
	group.SetLimit(parallelWindows)
	errs := make([]error, len(readers))
	var failed atomic.Bool
	for i, r := range readers {
		if r == nil {
			continue
		}
		group.Go(func() error {
			if failed.Load() {
				return nil
			}
			if errs[i] = r.readAll(ctx, rows); errs[i] != nil {
				failed.Store(true)
			}
			r.finish()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// windowReader reads the rows of a profile for one window, each query once.
type windowReader struct {
	spec      Spec
	window    Window
	index     int
	db        database
	seen      map[string]answer
	series    map[string]Series
	missing   []string // series without samples and without a Problem of their own
	inputs    []Input
	problems  []Problem
	explained map[string]bool // series whose absence has a Problem of its own
	queries   int             // about how many will be asked
	told      int64           // of the window's work, as progress
}

// advance tells that a part of one query's range was read.
func (r *windowReader) advance(part, whole time.Duration) {
	if r.queries > 0 && whole > 0 {
		n := min(int64(float64(windowWork)/float64(r.queries)*float64(part)/float64(whole)), windowWork-r.told)
		r.told += n
		r.spec.advance(n)
	}
}

// finish tells that the window was read.
func (r *windowReader) finish() {
	r.spec.advance(windowWork - r.told)
	r.told = windowWork
}

// queriesOf counts what is asked in a window, each query once.
func queriesOf(rows []row) int {
	all := map[string]bool{}
	for _, r := range rows {
		for _, s := range []string{r.ask(), r.clock.String(), r.stamp.String(), r.plus.String()} {
			all[s] = true
		}
	}
	delete(all, "")
	return len(all)
}

// answer is what a query gave.
type answer struct {
	series []rawSeries
	gap    string // why it is not complete, "" when it is
}

func (r *windowReader) readAll(ctx context.Context, rows []row) error {
	for _, row := range rows {
		s, err := r.read(ctx, row)
		if err != nil {
			return err
		}
		if text := wrongUnit(row.series, s); text != "" && !r.explained[row.series] {
			r.explain(row.series, "unit", text)
		}
		switch {
		case r.explained[row.series]: // part of a series would be taken for all of it
		case len(s.Points)+len(s.Intervals) > 0:
			r.series[row.series] = s
		default:
			r.missing = append(r.missing, row.series)
		}
	}
	return nil
}

func (r *windowReader) read(ctx context.Context, row row) (Series, error) {
	switch row.kind {
	case counted:
		return r.counter(ctx, row)
	case idle:
		return r.busy(ctx, row)
	case rated:
		return r.rate(ctx, row)
	default:
		return r.gauge(ctx, row)
	}
}

// counter adds the increments of a row's counters.
func (r *windowReader) counter(ctx context.Context, row row) (Series, error) {
	var clock []rawSeries
	if row.clock.metric != "" {
		var err error
		if clock, err = r.fetch(ctx, row, row.clock.String(), r.window.End); err != nil {
			return Series{}, err
		}
	}
	found, err := r.fetch(ctx, row, row.ask(), r.window.End)
	if err != nil {
		return Series{}, err
	}
	return sumCounters(found, clock, r.window.Start.UnixMilli(), r.window.End.UnixMilli()), nil
}

func (r *windowReader) explain(series, id, text string) {
	if r.explained[series] {
		return
	}
	if r.explained == nil {
		r.explained = map[string]bool{}
	}
	r.explained[series] = true
	r.problems = append(r.problems, Problem{Window: r.index, Series: series, Text: text, Warning: id})
}

// fetch gets the samples of a query from the window's start to a time, once,
// and notes query, range and a hash of the samples. An answer that is not
// complete counts as none: what it lacks cannot be told from idleness.
func (r *windowReader) fetch(ctx context.Context, row row, query string, to time.Time) ([]rawSeries, error) {
	from := r.window.Start
	key := query + rangeText(from, to)
	got, ok := r.seen[key]
	if !ok {
		var err error
		if got, err = r.ask(ctx, row, query, from, to); err != nil {
			return nil, err
		}
		r.seen[key] = got
	}
	if got.gap != "" {
		r.explain(row.series, "partial", fmt.Sprintf("the answer to %s is not complete, so it is left out: %s", query, got.gap))
		return nil, nil
	}
	return got.series, nil
}

func (r *windowReader) ask(ctx context.Context, row row, query string, from, to time.Time) (answer, error) {
	var found []rawSeries
	var notes []string
	input := Input{Kind: r.spec.Kind, Name: row.series, Query: query, Range: rangeText(from, to)}
	from, to = from.Truncate(time.Millisecond), to.Truncate(time.Millisecond)
	grain := time.Millisecond
	if row.kind == evaluated {
		input.Kind, input.Name = "evaluated", fmt.Sprintf("%s, every %s", row.series, row.step)
		grain = row.step
	}
	parts := []piece{{from, to}}
	if r.spec.Kind == "prometheus" {
		parts = pieces(from, to, grain, longestPiece)
	}
	for _, p := range parts {
		var part []rawSeries
		var said []string
		var err error
		if row.kind == evaluated {
			part, said, err = r.db.evaluate(ctx, query, p.from, p.to, row.step)
		} else {
			part, said, err = r.db.fetch(ctx, query, p.from, p.to)
		}
		if err == nil && r.spec.Kind == "prometheus" && !r.spec.AllowPartial && incomplete(said) != "" {
			err = partialError(query, p.to, incomplete(said))
		}
		if err != nil {
			return answer{}, err
		}
		found, notes = joined(found, part), append(notes, said...)
		r.advance(p.to.Sub(p.from), to.Sub(from))
	}
	notes = unique(notes)
	found, note := dropReplicas(found)
	for _, n := range remarks(notes, note) {
		r.problems = append(r.problems, Problem{Window: r.index, Series: row.series, Text: query + ": " + n, Warning: "source"})
	}
	input.SHA256, input.Count = hashSamples(found)
	r.inputs = append(r.inputs, input)
	return answer{found, incomplete(notes)}, nil
}

// partialError refuses an answer that the server calls incomplete: what it lacks
// cannot be told from idleness, and might turn a loss into a gain.
func partialError(query string, at time.Time, note string) error {
	return fmt.Errorf("query %s at %s: the server calls its answer incomplete: %s (wait until all its stores reply, or ask only those that matter: of Thanos by matchers for external labels, or --prometheus.param 'storeMatch[]={__address__=~\"…\"}'; --prometheus.allow-partial goes on without such series)",
		query, at.UTC().Format(time.RFC3339), note)
}

// unique are the notes of several pieces, each once.
func unique(notes []string) []string {
	var out []string
	for _, n := range notes {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// annotation starts the notes of the query engine about the query itself; all
// others are about data that could not be read.
const annotation = "PromQL "

// incomplete is the first note that says that data are missing from an answer,
// as Thanos and Mimir do when a store does not reply; "" when none does.
func incomplete(notes []string) string {
	for _, n := range notes {
		if !strings.HasPrefix(n, annotation) {
			return n
		}
	}
	return ""
}

// remarks are the notes that leave an answer usable.
func remarks(notes []string, more string) []string {
	var out []string
	for _, n := range notes {
		if strings.HasPrefix(n, annotation) {
			out = append(out, n)
		}
	}
	if more != "" {
		out = append(out, more)
	}
	return out
}
