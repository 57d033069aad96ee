package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// The bars of the figures table: the design's, for a file of 1 GB.
const (
	mostRatio   = 1.0
	mostAnonMiB = 128
	aim         = 0.6 // seconds for 1.09 GB
	aimBytes    = 1.09e9
)

// printTable prints Markdown.
func printTable(w io.Writer, all []program, size int64, o options) {
	fmt.Fprintf(w, "%d rows, %.2f GB, seed %d, %d rounds, interleaved, from the page cache\n\n", o.rows, float64(size)/1e9, o.seed, o.rounds)
	fmt.Fprintln(w, "| program | median | least to most | CPU | GB/s | ratio to ours | anonymous memory | gives |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	ours := &all[0]
	for i := range all {
		p := &all[i]
		if p.absent != "" {
			fmt.Fprintf(w, "| %s | NOT RUN | %s | | | | | %s |\n", p.name, p.absent, p.note)
			continue
		}
		m := median(p.walls)
		fmt.Fprintf(w, "| %s | %.2f s | %.2f to %.2f s | %.2f s | %.2f | %s | %.0f MiB | %s |\n", p.name, m.Seconds(), slices.Min(p.walls).Seconds(), slices.Max(p.walls).Seconds(),
			median(p.cpus).Seconds(), float64(size)/m.Seconds()/1e9, ratio(p, ours), float64(p.anonKiB)/1024, p.note)
	}
	if ours.absent != "" {
		return
	}
	fmt.Fprintln(w)
	if duck := &all[1]; duck.absent == "" {
		bar(w, "median of the rounds' ratios, ours to DuckDB", middle(ratios(ours, duck)), mostRatio, "×")
	}
	bar(w, "anonymous memory of ours", float64(ours.anonKiB)/1024, mostAnonMiB, "MiB")
	bar(w, "median of ours against the aim", median(ours.walls).Seconds(), aim*float64(size)/aimBytes, "s")
}

func bar(w io.Writer, what string, got, most float64, unit string) {
	word := "met"
	if got > most {
		word = "MISSED"
	}
	fmt.Fprintf(w, "%s: %.2f %s, at most %.2f: %s, %+.0f %%\n", what, got, unit, most, word, 100*(got/most-1))
}

func ratio(p, ours *program) string {
	if len(ours.walls) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f ×", middle(ratios(p, ours)))
}

// ratios compares two programs round by round: what slowed the machine down
// slowed both.
func ratios(p, q *program) []float64 {
	var out []float64
	for i := range p.walls {
		out = append(out, p.walls[i].Seconds()/q.walls[i].Seconds())
	}
	return out
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func median(d []time.Duration) time.Duration {
	values := make([]float64, len(d))
	for i := range d {
		values[i] = d[i].Seconds()
	}
	return time.Duration(middle(values) * float64(time.Second))
}

// agree compares what ours and DuckDB counted.
func agree(w io.Writer, all []program) error {
	ours, duck := &all[0], &all[1]
	switch {
	case ours.absent != "":
		return errors.New("ours was not run: " + ours.absent)
	case duck.absent != "":
		return nil
	}
	a, b := lines(ours.output), lines(duck.output)
	if !slices.Equal(a, b) {
		return fmt.Errorf("ours and DuckDB counted differently: %d and %d figures, first difference %s", len(a), len(b), difference(a, b))
	}
	fmt.Fprintf(w, "ours and DuckDB agree in %d figures\n", len(a))
	return nil
}

func lines(text []byte) []string {
	var out []string
	for line := range bytes.Lines(text) {
		out = append(out, string(bytes.TrimSpace(line)))
	}
	slices.Sort(out)
	return out
}

func difference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%q and %q", a[i], b[i])
		}
	}
	return "at the end"
}
