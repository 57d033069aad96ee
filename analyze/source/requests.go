package source

import (
	"context"
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
		spec.advance(spec.bytes(run.Window))
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
	derived := w.Start.IsZero()
	if derived {
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
	return runResult{window: w, requests: t.req}, inputs, t.problems(w, derived), nil
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

func rangeText(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	const ms = "2006-01-02T15:04:05.000Z07:00"
	return from.UTC().Format(ms) + "/" + to.UTC().Format(ms)
}
