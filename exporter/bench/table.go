package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// row is a line of the printed table.
type row struct {
	figure string
	found  string  // the measured values in words, with their number
	got    float64 // what the bar is about
	bar    bar
}

// bar is what a figure has to reach.
type bar struct {
	limit   float64
	atLeast bool // the limit is a least value, not a most
	unit    string
}

// none is the bar of a figure that is only reported.
var none = bar{unit: "reported"}

func atMost(limit float64, unit string) bar  { return bar{limit: limit, unit: unit} }
func atLeast(limit float64, unit string) bar { return bar{limit: limit, atLeast: true, unit: unit} }

func (b bar) String() string {
	switch {
	case b == none:
		return "–"
	case b.atLeast:
		return fmt.Sprintf("≥ %g %s", b.limit, b.unit)
	}
	return fmt.Sprintf("≤ %g %s", b.limit, b.unit)
}

// verdict says whether the bar is met and by how much.
func (r row) verdict() string {
	if r.bar == none {
		return r.bar.unit
	}
	met := r.got <= r.bar.limit
	if r.bar.atLeast {
		met = r.got >= r.bar.limit
	}
	by := ""
	if r.bar.limit != 0 {
		by = fmt.Sprintf(", %+.0f %%", 100*(r.got/r.bar.limit-1))
	}
	if met {
		return "met" + by
	}
	return "MISSED" + by
}

// printTable prints Markdown that reads well as text too.
func printTable(w io.Writer, rows []row) {
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(table, "| figure\t| measured\t| bar\t| verdict\t|")
	fmt.Fprintln(table, "|---\t|---\t|---\t|---\t|")
	for _, r := range rows {
		fmt.Fprintf(table, "| %s\t| %s\t| %s\t| %s\t|\n", r.figure, r.found, r.bar, r.verdict())
	}
	_ = table.Flush() // to a terminal
}
