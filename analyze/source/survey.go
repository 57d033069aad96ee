package source

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Survey is everything that a result file holds, label by label, in no window
// and without a warm-up: what one looks at before an experiment is declared.
type Survey struct {
	Input    Input
	Labels   []Label // by name
	More     bool    // the file holds more labels than these, the first in order of the alphabet
	Rows     uint64
	BadRows  uint64
	BadLines []string // the first few as file:line: reason
	Local    string   // the first time that is a date without a zone, read as UTC; "" when there is none
}

// Label is one label of a survey. A row belongs to the second in which it ends.
type Label struct {
	Name        string
	Rows        uint64
	Errors      uint64
	First, Last time.Time // earliest start and latest end of a row
	Start       time.Time // of Seconds[0]: the second of First
	Seconds     []Second
	ElapsedMS   []uint64 // ElapsedMS[i] is the number of successes that took i milliseconds
}

// ReadSurveys reads result files, each in one pass and for itself; what it
// returns does not depend on the number of workers. Of the spec Base, Workers
// and Progress count. The name - is standard input. Errors are those of [Read].
func ReadSurveys(ctx context.Context, spec Spec, names []string) ([]Survey, error) {
	runs := make([][]string, len(names))
	for i, name := range names {
		runs[i] = []string{name}
	}
	return ReadRuns(ctx, spec, runs)
}

// ReadRuns is ReadSurveys for runs whose rows lie in several files each.
func ReadRuns(ctx context.Context, spec Spec, runs [][]string) ([]Survey, error) {
	spec = spec.wholeRuns(runs)
	out := make([]Survey, 0, len(runs))
	for _, w := range spec.Windows {
		s, err := readSurvey(ctx, spec, w)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// wholeFiles makes each file a window that leaves nothing out.
func (s Spec) wholeFiles(names []string) Spec {
	runs := make([][]string, len(names))
	for i, name := range names {
		runs[i] = []string{name}
	}
	return s.wholeRuns(runs)
}

func (s Spec) wholeRuns(runs [][]string) Spec {
	s.Windows, s.Kind, s.Warmup = nil, "", 0
	for _, files := range runs {
		s.Windows = append(s.Windows, Window{Start: time.UnixMilli(0), End: time.UnixMilli(math.MaxInt64), JTL: files})
	}
	s.begin()
	return s
}

func readSurvey(ctx context.Context, spec Spec, w Window) (Survey, error) {
	t, err := readTally(ctx, spec, w, "")
	if err != nil {
		return Survey{}, err
	}
	if t.table.room.lost {
		return Survey{}, scattered(w)
	}
	s := Survey{Input: t.inputs[0], More: t.table.more, Rows: t.rows, BadRows: t.bad, BadLines: t.badLines, Local: t.local}
	room := uint64(maxDays * 24 * 3600) // seconds of all labels together
	for _, e := range t.table.labels {
		first, last := uint64(e.bins.first)/1000, uint64(e.bins.last)/1000
		if last-first >= room {
			return Survey{}, scattered(w)
		}
		room -= last - first
		s.Labels = append(s.Labels, Label{
			Name: e.name, Rows: e.rows, Errors: e.bins.errors,
			First: time.UnixMilli(e.bins.first).UTC(), Last: time.UnixMilli(e.bins.last).UTC(),
			Start:     time.Unix(int64(first), 0).UTC(),
			Seconds:   e.bins.seconds.from(first, int(last-first)+1),
			ElapsedMS: e.bins.elapsed.dense(),
		})
	}
	slices.SortFunc(s.Labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return s, nil
}

func scattered(w Window) error {
	return &SpecError{fmt.Sprintf("the rows of %s, counted label by label, span more than %d days: a clock was wrong, a label is made for every request, or the file has to be cut into several", strings.Join(w.JTL, ", "), maxDays)}
}
