package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// figures are measured in this order: those that freeze the server last. To
// add one, write its file and its row.
var figures = []struct {
	name    string
	measure func(context.Context, *stand) ([]row, error)
}{
	{"tail", tailFigure},
	{"steady", steadyFigure},
	{"scans", scansFigure},
	{"size", sizeFigure},
	{"series", seriesFigure},
	{"tokens", tokensFigure},
	{"effect", effectFigure},
	{"memory", memoryFigure},
	{"targets", targetsFigure},
	{"faults", faultsFigure},
}

// figureNames are the values of --only, in a list of their own because the
// options that name them come before the figures.
func figureNames() []string {
	return []string{"tail", "steady", "scans", "size", "series", "tokens", "effect", "memory", "targets", "faults"}
}

// measure measures the figures asked for. A figure that fails does not keep
// the others from being measured.
func measure(ctx context.Context, o options, out io.Writer) (rows []row, err error) {
	s, err := newStand(o, out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var failed []error
	for _, f := range figures {
		if len(o.only) > 0 && !slices.Contains(o.only, f.name) || ctx.Err() != nil {
			continue
		}
		s.say("figure %s", f.name)
		found, err := f.measure(ctx, s)
		if err != nil {
			failed = append(failed, fmt.Errorf("figure %s: %w", f.name, err))
			s.say("figure %s: %v", f.name, err)
		}
		for _, r := range found {
			s.say("  %s: %s; bar %s: %s", r.figure, r.found, r.bar, r.verdict())
		}
		rows = append(rows, found...)
	}
	return rows, errors.Join(append(failed, ctx.Err())...)
}
