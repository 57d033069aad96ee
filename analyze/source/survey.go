package source

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Survey is everything that result files hold, label by label, in no window and
// without a warm-up: what one looks at before an experiment is declared.
type Survey struct {
	Inputs   []Input
	Labels   []Label // by name
	More     bool    // the files hold more labels than these
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

// ReadSurvey reads result files in one pass; what it returns does not depend
// on the number of workers, of which 0 means one for each CPU. The name - is
// standard input.
func ReadSurvey(ctx context.Context, names []string, workers int) (Survey, error) {
	t, err := readTally(ctx, Spec{Workers: workers}, Window{Start: time.UnixMilli(0), End: time.UnixMilli(math.MaxInt64), JTL: names}, "")
	if err != nil {
		return Survey{}, err
	}
	if t.table.room.lost {
		return Survey{}, scattered(names)
	}
	s := Survey{Inputs: t.inputs, More: t.table.more, Rows: t.rows, BadRows: t.bad, BadLines: t.badLines, Local: t.local}
	room := uint64(maxDays * 24 * 3600) // seconds of all labels together
	for _, e := range t.table.labels {
		first, last := uint64(e.bins.first)/1000, uint64(e.bins.last)/1000
		if last-first >= room {
			return Survey{}, scattered(names)
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

func scattered(names []string) error {
	return &SpecError{fmt.Sprintf("the rows of %s, counted label by label, span more than %d days: a clock was wrong, or a label is made for every request", strings.Join(names, ", "), maxDays)}
}
