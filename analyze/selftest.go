package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/study"
)

// selfTest prints a line per built-in experiment, and the reason where the gate
// judged one wrongly. Its status is 0 when the gate can fail.
func selfTest(o study.Options, stdout io.Writer) (int, error) {
	cases := study.SelfTest(o)
	fmt.Fprintf(stdout, "%-38s %-13s %-13s %s\n", "built-in data", "must be", "is", "status")
	for _, c := range cases {
		mark := ""
		if !c.OK() {
			mark = "  !"
		}
		fmt.Fprintf(stdout, "%-38s %-13s %-13s %6d%s\n", c.Name, c.Want, c.Got, c.ExitCode, mark)
		if !c.OK() {
			indented(stdout, c.Why)
		}
	}
	if study.CanFail(cases) {
		fmt.Fprintln(stdout, "The gate can fail.")
		return 0, nil
	}
	if !slices.Contains(o.FailOn, study.FailOnFail) {
		fmt.Fprintln(stdout, "The gate cannot fail: --fail-on does not list fail, so FAIL ends with status 0.")
	} else {
		fmt.Fprintln(stdout, "The gate misjudges the cases marked !: choose other limits.")
	}
	return exitFailure, nil
}

// indented writes a text in lines of at most 80 columns.
func indented(w io.Writer, text string) {
	line := " "
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 80 && line != " " {
			fmt.Fprintln(w, line)
			line = " "
		}
		line += " " + word
	}
	fmt.Fprintln(w, line)
}
