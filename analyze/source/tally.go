package source

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// tally is what the result files of one window hold.
type tally struct {
	window    Window
	measured  time.Time
	label     string // "" where the files may hold one label only
	table     *table
	rows, bad uint64
	badLines  []string
	locals    uint64
	local     string
	inputs    []Input
}

// readTally reads the result files of a window whose start and end are known.
func readTally(ctx context.Context, spec Spec, w Window, label string) (*tally, error) {
	t := &tally{window: w, measured: w.Start.Add(spec.Warmup), label: label}
	f := frame{start: w.Start.UnixMilli(), end: w.End.UnixMilli(), measured: t.measured.UnixMilli()}
	t.table = newTable(f, label)
	for _, name := range w.JTL {
		var tables []*table
		file, err := jtl.Scan(ctx, name, spec.path(name), spec.bytesRead(), spec.workers(), func(n int) (handles []func(jtl.Row)) {
			tables, handles = newTables(n, f, label)
			return handles
		})
		if err != nil {
			return nil, err
		}
		for _, other := range tables {
			t.table.merge(other)
		}
		t.note(name, file)
	}
	return t, nil
}

func (t *tally) note(name string, f jtl.File) {
	t.rows += f.Rows
	t.bad += f.Bad
	t.badLines = append(t.badLines, f.BadLines[:min(len(f.BadLines), jtl.MaxBadLines-len(t.badLines))]...)
	if t.locals += f.Locals; t.local == "" {
		t.local = f.Local
	}
	t.inputs = append(t.inputs, Input{Kind: "jtl", Name: name, SHA256: f.SHA256, Count: int(f.Rows)})
}

// requests puts together what study gets.
func (t *tally) requests() *Requests {
	b := t.table.counted()
	seconds := 0
	if w := t.window; w.End.After(w.Start) {
		seconds = int(w.End.Sub(w.Start) / time.Second)
	}
	r := &Requests{
		Seconds: b.seconds.from(0, seconds), ElapsedMS: b.elapsed.dense(), FailedMS: b.failedMS, Measured: t.measured,
		Rows: t.rows, Counted: b.count, Outside: b.outside, BadRows: t.bad, BadLines: t.badLines,
	}
	if b.last > 0 {
		r.First, r.Last = time.UnixMilli(b.first).UTC(), time.UnixMilli(b.last).UTC()
	}
	return r
}

// check refuses files from which no window can be counted. derived says that
// the rows themselves gave the window.
func (t *tally) check(spec Spec, derived bool) error {
	if err := t.labelError(); err != nil {
		return err
	}
	files := strings.Join(t.window.JTL, ", ")
	switch {
	case t.table.room.lost:
		return &SpecError{fmt.Sprintf("the rows of %s are scattered over more than %d days: give the window a start and an end", files, maxDays)}
	case t.locals == 0:
	case t.locals < t.rows-t.bad:
		return &SpecError{fmt.Sprintf("%s, and other rows of the run are in UTC: set -Jjmeter.save.saveservice.timestamp_format=ms everywhere and measure again", t.local)}
	case !derived || spec.Kind != "":
		return &SpecError{fmt.Sprintf("%s, so it cannot be laid against a window or a time series: leave out start, end and source, or set -Jjmeter.save.saveservice.timestamp_format=ms and measure again", t.local)}
	}
	return nil
}

// labelError refuses files in which several samplers are mixed: without a
// filter, API calls would count as tokens.
func (t *tally) labelError() error {
	files := strings.Join(t.window.JTL, ", ")
	labels := slices.Sorted(maps.Keys(t.table.labels))
	const most = 10
	shown := strings.Join(labels[:min(len(labels), most)], ", ")
	if len(labels) > most {
		shown += ", …"
	}
	number := fmt.Sprint(len(labels))
	if t.table.more {
		number = fmt.Sprintf("more than %d", maxLabels)
	}
	if t.label == "" && len(labels) > 1 {
		return &SpecError{fmt.Sprintf("%s holds %s labels (%s): say which one is the token request of grant %s, with --label or under labels: in the experiment file", files, number, shown, t.window.Grant)}
	}
	if t.label != "" && t.table.counted().count == 0 && len(labels) > 0 {
		return &SpecError{fmt.Sprintf("%s has no row labelled %q (labels seen: %s): correct --label or labels: in the experiment file", files, t.label, shown)}
	}
	return nil
}

// problems says what the rows cannot give. A window derived from the rows
// themselves ends before their last, partial second.
func (t *tally) problems(r *Requests, derived bool) []Problem {
	w, strangers := t.window, t.table.counted().strangers
	files := strings.Join(w.JTL, ", ")
	var out []Problem
	add := func(id string, noData bool, format string, args ...any) {
		out = append(out, Problem{Text: fmt.Sprintf(format, args...), NoData: noData, Warning: id})
	}
	switch {
	case r.Rows == r.BadRows:
		add("no-rows", true, "%s holds no usable row", files)
	case r.Counted > 0 && r.Outside == r.Counted:
		add("outside", true, "%s lies outside its window: rows from %s, window %s; check the clocks and the time zone",
			files, rangeText(r.First, r.Last), rangeText(w.Start, w.End))
	case !r.Measured.Before(w.End):
		add("warm-up", true, "%s covers %s, which the warm-up uses up: give a shorter --warmup or measure longer", files, w.End.Sub(w.Start))
	case float64(strangers) > 0.01*float64(r.Counted):
		// Requests in flight when the window ended are expected; these are others.
		if derived {
			add("partial-second", false, "the last, partial second of %s is left out: %d of %d rows", files, strangers, r.Counted)
			break
		}
		add("outside", false, "%d of %d rows of %s lie outside the window %s and are left out", strangers, r.Counted, files, rangeText(w.Start, w.End))
	}
	if r.BadRows > 0 {
		add("bad-rows", false, "%d of %d rows of %s could not be read, for example %s", r.BadRows, r.Rows, files, r.BadLines[0])
	}
	if t.locals > 0 {
		add("local-time", false, "the times of %s are dates without a time zone: they are shown as UTC, and clocks put forward or back during the run would not be noticed", files)
	}
	return out
}
