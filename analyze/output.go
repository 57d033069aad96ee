package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// write writes one format.
func (o compareOptions) write(w io.Writer, r report.Report, format string, color bool) error {
	for _, writer := range report.Writers {
		if writer.Format == format {
			if err := writer.Write(w, r, report.Options{Color: color, FailOn: o.failOn.chosen}); err != nil {
				return fmt.Errorf("write the %s report: %w", format, err)
			}
			return nil
		}
	}
	return usage("--format %q is unknown", format)
}

// writeAll writes the chosen formats into the output folder, all of them when
// none was chosen, and the plots below it. Text goes to the terminal too. Then
// it says what it wrote.
func (o compareOptions) writeAll(r report.Report, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(o.output, 0o755); err != nil {
		return fmt.Errorf("create --output: %w", err)
	}
	formats := o.formats.chosen
	if !o.formats.given {
		formats = report.Formats()
	}
	var written []string
	for _, writer := range report.Writers {
		if !slices.Contains(formats, writer.Format) {
			continue
		}
		path := filepath.Join(o.output, writer.File)
		if err := replaceFile(path, func(w io.Writer) error { return o.write(w, r, writer.Format, false) }); err != nil {
			return err
		}
		written = append(written, path)
		if writer.Format == "text" {
			if err := o.write(stdout, r, writer.Format, o.color && wantsColor(stdout)); err != nil {
				return err
			}
		}
	}
	plots, err := o.writePlots(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "wrote %s\n", strings.Join(append(written, plots...), ", "))
	return nil
}

// writePlots draws every figure into the folder plots below --output, and says
// in a few words what it wrote.
func (o compareOptions) writePlots(r report.Report) ([]string, error) {
	if len(o.plots.chosen) == 0 {
		return nil, nil
	}
	dir := filepath.Join(o.output, "plots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the folder for --plots: %w", err)
	}
	pictures := report.Pictures(r)
	var drawing errgroup.Group
	drawing.SetLimit(runtime.GOMAXPROCS(0))
	for _, picture := range pictures {
		drawing.Go(func() error {
			// One after the other: drawing changes the plot.
			for _, format := range o.plots.chosen {
				path := filepath.Join(dir, picture.Name+"."+format)
				if err := replaceFile(path, func(w io.Writer) error { return picture.Write(w, format) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := drawing.Wait(); err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("%d plots in %s", len(pictures)*len(o.plots.chosen), dir)}, nil
}

// replaceFile writes a file beside its place and renames it, so that a report
// is either the old one or complete.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write to --output: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put %s in place: %w", path, err)
	}
	return nil
}

// isTerminal tells whether somebody is looking at a writer.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// wantsColor tells whether colours make sense on a writer.
func wantsColor(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && isTerminal(w) }

// document is what plan and project print.
type document interface {
	WriteText(io.Writer, report.Options) error
	WriteJSON(io.Writer) error
}

// writeDocument writes a document as text or as JSON.
func writeDocument(w io.Writer, d document, format string, color bool) error {
	write := func() error { return d.WriteText(w, report.Options{Color: color && isTerminal(w)}) }
	if format == "json" {
		write = func() error { return d.WriteJSON(w) }
	}
	if err := write(); err != nil {
		return fmt.Errorf("write the result as %s: %w", format, err)
	}
	return nil
}
