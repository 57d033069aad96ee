package report

import (
	"io"
)

// Options are what a writer may vary without touching a number.
type Options struct {
	Color bool // text: ANSI colours, for terminals only
}

// Writer puts a report into one format. File is its name inside --output.
type Writer struct {
	Format string
	File   string
	Write  func(io.Writer, Report, Options) error
}

// Writers are the formats, in the order in which they are offered.
var Writers = []Writer{
	{"text", "report.txt", Text},
	{"json", "report.json", JSON},
	{"html", "report.html", HTML},
}

// Formats lists the names of all writers.
func Formats() []string {
	out := make([]string, len(Writers))
	for i, w := range Writers {
		out[i] = w.Format
	}
	return out
}
