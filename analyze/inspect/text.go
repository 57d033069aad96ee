package inspect

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// mostLines bounds what is listed of labels, stretches and silences of a file;
// what is left out is counted.
const mostLines = 20

// Text writes what a person wants to know of the files before comparing them,
// in at most 80 columns: our own definitions, those of compare.
func Text(w io.Writer, files []File) error {
	for i, f := range files {
		var b strings.Builder
		if i > 0 {
			b.WriteString("\n")
		}
		if err := f.text(&b); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if _, err := io.WriteString(w, b.String()); err != nil {
			return fmt.Errorf("write the overview: %w", err)
		}
	}
	return nil
}

func (f File) text(b *strings.Builder) error {
	labels := f.fullest()
	fmt.Fprintf(b, "%s\n  %d rows, %d could not be read, %s\n", f.Name, f.Rows, f.BadRows, plural(len(labels), "label", "labels"))
	for _, line := range f.BadLines {
		fmt.Fprintf(b, "    %s\n", cut(line, 76))
	}
	if f.More {
		fmt.Fprintf(b, "  %d rows are of more labels than these and are left out here:\n  is there a label per request?\n", f.others())
	}
	if len(labels) == 0 {
		return nil
	}
	fmt.Fprintf(b, "\n  %-24s %9s %8s %9s %7s %6s %6s\n", "label", "results", "errors", "good/s", "p50 ms", "p95", "p99")
	stretches := make([][]Stretch, len(labels))
	for i, l := range labels {
		stretches[i] = Stretches(l)
		if i < mostLines {
			if err := labelText(b, l, stretches[i]); err != nil {
				return err
			}
		}
	}
	if len(labels) > mostLines {
		fmt.Fprintf(b, "  … and %d more\n", len(labels)-mostLines)
	}
	f.loadText(b, labels, stretches)
	return nil
}

// loadText lists the stretches of the labels, and what they say of a warm-up.
func (f File) loadText(b *strings.Builder, labels []source.Label, stretches [][]Stretch) {
	zone := "UTC"
	if f.Local != "" {
		zone = "in the local time of the file, which names no zone"
	}
	fmt.Fprintf(b, "\n  load, %s\n", zone)
	lines := 0
	var beginnings warmups
	for i, l := range labels {
		for _, s := range stretches[i] {
			beginnings.add(s)
			if lines++; lines <= mostLines {
				s.text(b, l.Name)
			}
		}
	}
	if lines > mostLines {
		fmt.Fprintf(b, "  … and %d more stretches\n", lines-mostLines)
	}
	for _, line := range beginnings.says() {
		fmt.Fprintf(b, "  warm-up: %s\n", line)
	}
}

// labelText writes a label's line: successes per second over the time of its
// stretches, quantiles of type 7 of the successful results.
func labelText(b *strings.Builder, l source.Label, stretches []Stretch) error {
	good, seconds := 0.0, 0
	for _, s := range stretches {
		good += s.Throughput() * float64(len(s.Successes))
		seconds += len(s.Successes)
	}
	throughput := "–"
	if seconds > 0 {
		throughput = fmt.Sprintf("%.1f", good/float64(seconds))
	}
	fmt.Fprintf(b, "  %-24s %9d %6.2f %% %9s", cut(l.Name, 24), l.Rows, 100*float64(l.Errors)/float64(l.Rows), throughput)
	for i, at := range []float64{0.50, 0.95, 0.99} {
		text := "–"
		if l.Errors < l.Rows {
			q, err := stats.HistogramQuantile(l.ElapsedMS, at, stats.Type7)
			if err != nil {
				return err
			}
			text = fmt.Sprintf("%.0f", q)
		}
		fmt.Fprintf(b, " %*s", []int{7, 6, 6}[i], text)
	}
	b.WriteString("\n")
	return nil
}

func (s Stretch) text(b *strings.Builder, label string) {
	fmt.Fprintf(b, "  %-24s %s – %s %6d s %8.1f/s\n", cut(label, 24), s.Start.Format(time.DateTime), s.End.Format(time.TimeOnly), len(s.Successes), s.Throughput())
	for i, silence := range s.Silences {
		if i == 3 {
			fmt.Fprintf(b, "    … and %d more silences\n", len(s.Silences)-3)
			break
		}
		fmt.Fprintf(b, "    silent for %d s from %s: an outage, or the load stopped\n", silence.Seconds, silence.Start.Format(time.TimeOnly))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// cut shortens text that must fit and takes out what is not printable.
func cut(text string, most int) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return '?'
		}
		return r
	}, text))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}
