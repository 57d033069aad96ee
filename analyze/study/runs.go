package study

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// run is one window with what was measured in it.
type run struct {
	source.Run
	index    int // in Dataset.Runs
	span     span
	measures map[string]measure
	missing  map[string]error // metric to the reason for its absence
	silence  silence
	tested   bool // for a step and a drift
	// movements are those of judged metrics that were not steady, as far as their
	// series tell.
	movements map[string]*movement
}

// summarise measures every metric of every window, in the order of grant,
// start and mode.
func summarise(d source.Dataset, o Options) []run {
	runs := make([]run, 0, len(d.Runs))
	for i, r := range d.Runs {
		s := measured(r.Window, o)
		out := run{Run: r, index: i, span: s, measures: map[string]measure{}, missing: map[string]error{}, silence: findSilence(seconds(r, s))}
		for _, m := range metrics() {
			value, err := m.measure(r, s, o)
			if err == nil && number(value.value) == nil {
				err = errors.New("a sample is NaN or infinite")
			}
			if err != nil {
				out.missing[m.id] = err
				continue
			}
			out.measures[m.id] = value
		}
		runs = append(runs, out)
	}
	slices.SortStableFunc(runs, func(a, b run) int {
		return cmp.Or(
			cmp.Compare(a.Window.Grant, b.Window.Grant),
			a.Window.Start.Compare(b.Window.Start),
			cmp.Compare(a.Window.Mode, b.Window.Mode),
		)
	})
	findMovements(runs, judged(o))
	return runs
}

// String names the window as a reader of the experiment file knows it.
func (r run) String() string {
	if r.Window.Block == 0 {
		return fmt.Sprintf("%s, %s", r.Window.Grant, r.Window.Mode)
	}
	return fmt.Sprintf("%s, %s, block %d", r.Window.Grant, r.Window.Mode, r.Window.Block)
}

// ofMode are the runs of one mode, in their order.
func ofMode(runs []run, mode source.Mode) []run {
	var out []run
	for _, r := range runs {
		if r.Window.Mode == mode {
			out = append(out, r)
		}
	}
	return out
}
