package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// tally bins the rows of one window.
type tally struct {
	req                  *Requests
	label                string
	start, end, measured int64 // milliseconds since the epoch
	seen                 map[string]uint64
	first, last          int64
	strangers            uint64 // rows that neither started nor ended inside the window
}

// maxLabels bounds what a file with a label per request can use up.
const maxLabels = 1000

func newTally(w Window, warmup time.Duration, label string) *tally {
	measured := w.Start.Add(warmup)
	seconds := 0
	if w.End.After(w.Start) {
		seconds = int(w.End.Sub(w.Start) / time.Second)
	}
	return &tally{
		req:      &Requests{Seconds: make([]Second, seconds), Measured: measured},
		label:    label,
		start:    w.Start.UnixMilli(),
		end:      w.End.UnixMilli(),
		measured: measured.UnixMilli(),
		seen:     map[string]uint64{},
	}
}

// add counts one row in the second in which it ends.
func (t *tally) add(r jtlRow) {
	if len(t.seen) < maxLabels || t.seen[string(r.label)] > 0 {
		t.seen[string(r.label)]++
	}
	if t.label != "" && string(r.label) != t.label {
		return
	}
	t.req.Counted++
	if t.first == 0 || r.start < t.first {
		t.first = r.start
	}
	t.last = max(t.last, r.end())
	end := r.end()
	if end < t.start || end >= t.end {
		t.req.Outside++
		if r.start < t.start || r.start >= t.end {
			t.strangers++
		}
		return
	}
	if i := int((end - t.start) / 1000); i < len(t.req.Seconds) {
		if r.success {
			t.req.Seconds[i].Successes++
		} else {
			t.req.Seconds[i].Errors++
		}
	}
	if r.success && end >= t.measured {
		t.req.ElapsedMS = grow(t.req.ElapsedMS, int(r.elapsed))
		t.req.ElapsedMS[r.elapsed]++
	}
}

func grow(bins []uint64, i int) []uint64 {
	if i < len(bins) {
		return bins
	}
	return append(bins, make([]uint64, i+1-len(bins))...)
}

func (t *tally) note(f jtlFile) {
	t.req.Rows += f.rows
	t.req.BadRows += f.bad
	t.req.BadLines = append(t.req.BadLines, f.badLines[:min(len(f.badLines), maxBadLines-len(t.req.BadLines))]...)
	if t.last > 0 {
		t.req.First, t.req.Last = time.UnixMilli(t.first).UTC(), time.UnixMilli(t.last).UTC()
	}
}

// labelError refuses files in which several samplers are mixed: without a
// filter, API calls would count as tokens.
func (t *tally) labelError(w Window) error {
	files := strings.Join(w.JTL, ", ")
	labels := slices.Sorted(maps.Keys(t.seen))
	const most = 10
	shown := strings.Join(labels[:min(len(labels), most)], ", ")
	if len(labels) > most {
		shown += ", …"
	}
	if t.label == "" && len(labels) > 1 {
		return &SpecError{fmt.Sprintf("%s holds %d labels (%s): say which one is the token request of grant %s, with --label or under labels: in the experiment file", files, len(labels), shown, w.Grant)}
	}
	if t.label != "" && t.req.Counted == 0 && len(labels) > 0 {
		return &SpecError{fmt.Sprintf("%s has no row labelled %q (labels seen: %s): correct --label or labels: in the experiment file", files, t.label, shown)}
	}
	return nil
}

// problems says what the rows cannot give. A window derived from the rows
// themselves ends before their last, partial second.
func (t *tally) problems(w Window, derived bool) []Problem {
	files := strings.Join(w.JTL, ", ")
	var out []Problem
	add := func(id string, noData bool, format string, args ...any) {
		out = append(out, Problem{Text: fmt.Sprintf(format, args...), NoData: noData, Warning: id})
	}
	counted := t.req.Counted
	switch {
	case t.req.Rows == t.req.BadRows:
		add("no-rows", true, "%s holds no usable row", files)
	case counted > 0 && t.req.Outside == counted:
		add("outside", true, "%s lies outside its window: rows from %s, window %s; check the clocks and the time zone",
			files, rangeText(t.req.First, t.req.Last), rangeText(w.Start, w.End))
	case !t.req.Measured.Before(w.End):
		add("warm-up", true, "%s covers %s, which the warm-up uses up: give a shorter --warmup or measure longer", files, w.End.Sub(w.Start))
	case float64(t.strangers) > 0.01*float64(counted):
		// Requests in flight when the window ended are expected; these are others.
		if derived {
			add("partial-second", false, "the last, partial second of %s is left out: %d of %d rows", files, t.strangers, counted)
			break
		}
		add("outside", false, "%d of %d rows of %s lie outside the window %s and are left out", t.strangers, counted, files, rangeText(w.Start, w.End))
	}
	if t.req.BadRows > 0 {
		add("bad-rows", false, "%d of %d rows of %s could not be read, for example %s", t.req.BadRows, t.req.Rows, files, t.req.BadLines[0])
	}
	return out
}
