package report

import (
	"io"
)

// Options are what a writer may vary without touching a number.
type Options struct {
	Color bool // text: ANSI colours, for terminals only
	// FailOn are the conditions of --fail-on. JUnit reports an INCONCLUSIVE grant,
	// and a published ratio that differs, as a failure where they are listed.
	FailOn []string
}

// Conditions of --fail-on that a writer has to know.
const (
	failOnInconclusive = "inconclusive"
	failOnReference    = "reference"
)

// Writer puts a report into one format. File is its name inside --output.
type Writer struct {
	Format string
	File   string
	Write  func(io.Writer, Report, Options) error
}

// Writers are the formats, in the order in which they are offered.
var Writers = []Writer{
	{"text", "report.txt", Text},
	{"markdown", "report.md", Markdown},
	{"html", "report.html", HTML},
	{"json", "report.json", JSON},
	{"csv", "report.csv", CSV},
	{"junit", "report.xml", JUnit},
}

// Formats lists the names of all writers.
func Formats() []string {
	out := make([]string, len(Writers))
	for i, w := range Writers {
		out[i] = w.Format
	}
	return out
}
