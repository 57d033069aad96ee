package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// outcome is how a test, or a part of one, ended.
type outcome struct {
	pkg    string
	action string // empty until it ends
	output []string
}

// tally is what the tests did on one server.
type tally struct {
	server   string
	versions map[string]bool     // of the servers that the tests met
	onServer map[string]bool     // tests that met one, by package and name
	tests    map[string]*outcome // by package and name, parts after a slash
	broken   []string            // what failed and was no test
}

func newTally(server string) *tally {
	return &tally{server: server, versions: map[string]bool{}, onServer: map[string]bool{}, tests: map[string]*outcome{}}
}

// add takes an event and returns what to show of it.
func (t *tally) add(e event) string {
	if e.Test == "" {
		switch e.Action {
		case "fail":
			if t.failedIn(e.Package) == 0 {
				t.broken = append(t.broken, e.Package+" failed outside its tests")
			}
			return fmt.Sprintf("FAIL  %s  %.0f s\n", e.Package, e.Elapsed)
		case "pass":
			return fmt.Sprintf("ok    %s  %.0f s\n", e.Package, e.Elapsed)
		}
		return ""
	}
	name := e.Package[strings.LastIndexByte(e.Package, '/')+1:] + "." + e.Test
	test := t.tests[name]
	if test == nil {
		test = &outcome{pkg: e.Package}
		t.tests[name] = test
	}
	switch e.Action {
	case "output":
		test.output = append(test.output, e.Output)
		if _, version, ok := strings.Cut(e.Output, mysqltest.OnServer); ok {
			t.versions[strings.TrimSpace(version)] = true
			t.onServer[whole(name)] = true
		}
	case "pass", "skip":
		test.action = e.Action
	case "fail":
		test.action = e.Action
		return strings.Join(test.output, "")
	}
	return ""
}

// whole is the name of the test of which this may be a part.
func whole(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

// failedIn counts the tests of a package, of all for the empty name, that failed
// or did not end.
func (t *tally) failedIn(pkg string) (n int) {
	for name, test := range t.tests {
		if whole(name) == name && (pkg == "" || pkg == test.pkg) && (test.action == "fail" || test.action == "") {
			n++
		}
	}
	return n
}

// failures counts failed tests and what else went wrong.
func (t *tally) failures() int { return t.failedIn("") + len(t.broken) }

// passed counts tests that met the server and passed.
func (t *tally) passed() (n int) {
	for name, test := range t.tests {
		if test.action == "pass" && t.onServer[name] {
			n++
		}
	}
	return n
}

// reasonOf is what a test said when it was skipped.
var reasonOf = regexp.MustCompile(`^\s*\w+\.go:\d+: `)

// notRun returns the names of tests and parts that did not run, by reason.
func (t *tally) notRun() map[string][]string {
	reasons := map[string][]string{}
	for name, test := range t.tests {
		if test.action != "skip" {
			continue
		}
		reason := "no reason given"
		for _, line := range test.output {
			if reasonOf.MatchString(line) && !strings.Contains(line, mysqltest.OnServer) {
				reason = strings.TrimSpace(reasonOf.ReplaceAllString(line, ""))
			}
		}
		reasons[reason] = append(reasons[reason], name)
	}
	return reasons
}

// write prints what did not run, what failed outside of tests, and the table.
func write(w io.Writer, tallies []*tally, missing []string) (status int) {
	for _, t := range tallies {
		reasons := t.notRun()
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			slices.Sort(reasons[reason])
			fmt.Fprintf(w, "\nNOT RUN on %s, %s:\n%s\n", t.server, reason, wrapped(reasons[reason]))
		}
		for _, text := range t.broken {
			fmt.Fprintf(w, "\nFAIL on %s: %s\n", t.server, text)
		}
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "server\tversion\tpassed\tfailed\tnot run")
	for _, t := range tallies {
		not := 0
		for _, names := range t.notRun() {
			not += len(names)
		}
		version := cmp.Or(strings.Join(slices.Sorted(maps.Keys(t.versions)), ", "), "none met")
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\n", t.server, version, t.passed(), t.failures(), not)
		if t.failures() > 0 || t.passed() == 0 {
			status = 1
		}
	}
	for _, name := range missing {
		fmt.Fprintf(table, "%s\tNOT RUN: it cannot be fetched from here\n", name)
	}
	_ = table.Flush() // what cannot be written is on its way to a terminal
	return status
}

// wrapped breaks names into lines of at most 80 columns.
func wrapped(names []string) string {
	var b strings.Builder
	column := 80
	for _, name := range names {
		if column+1+len(name) > 80 {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteByte(' ')
			column = 1
		}
		b.WriteString(" " + name)
		column += 1 + len(name)
	}
	return b.String()
}
