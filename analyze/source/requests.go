package source

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// readRequests reads the result files of every window that names some.
func readRequests(ctx context.Context, spec Spec, d Dataset) (Dataset, error) {
	for i, run := range d.Runs {
		if len(run.Window.JTL) == 0 {
			continue
		}
		r, inputs, problems, err := readRun(ctx, spec, run.Window)
		if err != nil {
			return d, err
		}
		for _, p := range problems {
			p.Window = i
			d.Problems = append(d.Problems, p)
		}
		d.Inputs = append(d.Inputs, inputs...)
		d.Runs[i].Window, d.Runs[i].Requests = r.window, r.requests
	}
	return d, nil
}

type runResult struct {
	window   Window
	requests *Requests
}

// readRun reads the shards of one window as one run. A window without start and
// end gets them from the rows, as whole seconds.
func readRun(ctx context.Context, spec Spec, w Window) (runResult, []Input, []Problem, error) {
	read, derived := readTally, w.Start.IsZero()
	if derived {
		read = readDerived
	}
	t, err := read(ctx, spec, w, spec.Labels[w.Grant])
	if err != nil {
		return runResult{}, nil, nil, err
	}
	if err := t.check(spec, derived); err != nil {
		return runResult{}, nil, nil, err
	}
	r := t.requests()
	for i := range t.inputs {
		t.inputs[i].Range = rangeText(r.First, r.Last)
	}
	return runResult{window: t.window, requests: r}, t.inputs, t.problems(r, derived), nil
}

// readDerived reads the files with the window that their first and last rows
// suggest. Rows are not sorted, so all of them are asked; where one lies before
// or behind, the files are read again with the window that all rows give.
func readDerived(ctx context.Context, spec Spec, w Window, label string) (*tally, error) {
	for _, name := range w.JTL {
		if info, err := os.Stat(spec.path(name)); name == jtl.Stdin || err == nil && !info.Mode().IsRegular() {
			return nil, &SpecError{fmt.Sprintf("%s can be read only once, which is not enough to find the beginning and the end of the run: save it as a file, or declare the window with start and end in an experiment file", name)}
		}
	}
	guess := guessSpan(spec, w, label)
	if !guess.sane() {
		guess = span{}
	}
	w.Start, w.End = guess.whole()
	t, err := readTally(ctx, spec, w, label)
	if err != nil {
		return nil, err
	}
	found := span{t.table.counted().first, t.table.counted().last}
	if start, end := found.whole(); t.labelError() != nil || start.Equal(w.Start) && end.Equal(w.End) {
		return t, nil
	}
	if !found.sane() {
		start, end := found.whole()
		return nil, &SpecError{fmt.Sprintf("the rows of %s span more than %d days (%s): give the window a start and an end", strings.Join(w.JTL, ", "), maxDays, rangeText(start, end))}
	}
	w.Start, w.End = found.whole()
	return readTally(ctx, spec, w, label)
}

// maxDays is how far the first and the last row of a run may lie apart when no
// window is declared: beyond it a clock was wrong.
const maxDays = 24

// span is the time between the start of the first and the end of the last row,
// in milliseconds since the epoch.
type span struct{ first, last int64 }

func (s span) whole() (start, end time.Time) {
	if s.last == 0 {
		return time.Time{}, time.Time{}
	}
	return time.UnixMilli(s.first).UTC().Truncate(time.Second), time.UnixMilli(s.last).UTC().Truncate(time.Second)
}

func (s span) sane() bool { return s.last-s.first < maxDays*24*3600*1000 }

// guessSpan looks at both ends of every file for the first and the last time.
// It is a guess, and none at all for compressed files: whoever uses it has to
// check it against all rows.
func guessSpan(spec Spec, w Window, label string) span {
	var s span
	for _, name := range w.JTL {
		err := jtl.Ends(spec.path(name), func(r jtl.Row) {
			if label == "" || string(r.Label) == label {
				s.include(r)
			}
		})
		if err != nil {
			return span{} // reading the whole file will say what is wrong
		}
	}
	return s
}

// include widens the span by one row.
func (s *span) include(r jtl.Row) {
	if s.first == 0 || r.Start < s.first {
		s.first = r.Start
	}
	s.last = max(s.last, r.End())
}

func rangeText(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	const ms = "2006-01-02T15:04:05.000Z07:00"
	return from.UTC().Format(ms) + "/" + to.UTC().Format(ms)
}
