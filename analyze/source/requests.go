package source

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
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
// end gets them from a first pass over the files, as whole seconds.
func readRun(ctx context.Context, spec Spec, w Window) (runResult, []Input, []Problem, error) {
	label := spec.Labels[w.Grant]
	if w.Start.IsZero() {
		span, err := findSpan(ctx, spec, w, label)
		if err != nil {
			return runResult{}, nil, nil, err
		}
		w.Start, w.End = span.whole()
	}
	t := newTally(w, spec.Warmup, label)
	inputs := []Input{}
	for _, name := range w.JTL {
		file, err := scanJTL(ctx, name, spec.path(name), t.add)
		if err != nil {
			return runResult{}, nil, nil, err
		}
		t.note(file)
		inputs = append(inputs, Input{Kind: "jtl", Name: name, SHA256: file.sha256, Count: int(file.rows)})
	}
	if err := t.labelError(w); err != nil {
		return runResult{}, nil, nil, err
	}
	for i := range inputs {
		inputs[i].Range = rangeText(t.req.First, t.req.Last)
	}
	return runResult{window: w, requests: t.req}, inputs, t.problems(w), nil
}

// span is the time between the start of the first and the end of the last row.
type span struct{ first, last int64 }

func (s span) whole() (start, end time.Time) {
	if s.last == 0 {
		return time.Time{}, time.Time{}
	}
	return time.UnixMilli(s.first).UTC().Truncate(time.Second), time.UnixMilli(s.last).UTC().Truncate(time.Second)
}

func findSpan(ctx context.Context, spec Spec, w Window, label string) (span, error) {
	s := span{}
	for _, name := range w.JTL {
		_, err := scanJTL(ctx, name, spec.path(name), func(r jtlRow) {
			if label != "" && string(r.label) != label {
				return
			}
			if s.first == 0 || r.start < s.first {
				s.first = r.start
			}
			s.last = max(s.last, r.end())
		})
		if err != nil {
			return span{}, err
		}
	}
	return s, nil
}

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

// problems says what the rows cannot give.
func (t *tally) problems(w Window) []Problem {
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
		add("outside", false, "%d of %d rows of %s lie outside the window %s and are left out", t.strangers, counted, files, rangeText(w.Start, w.End))
	}
	if t.req.BadRows > 0 {
		add("bad-rows", false, "%d of %d rows of %s could not be read, for example %s", t.req.BadRows, t.req.Rows, files, t.req.BadLines[0])
	}
	return out
}

func rangeText(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	const ms = "2006-01-02T15:04:05.000Z07:00"
	return from.UTC().Format(ms) + "/" + to.UTC().Format(ms)
}
