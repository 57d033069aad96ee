package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// state is how a collector stands.
type state string

const (
	stateOK   state = "ok"
	stateFail state = "FAIL"
	stateOff  state = "off"
)

// result is what check says of one collector.
type result struct {
	collector string
	state     state
	reason    string
}

// report is what check found out about one target.
type report struct {
	target     string // empty for that of the flags
	everything bool   // show what is there already as well
	address    string
	schema     string
	facts      *collector.Facts
	missing    map[string][]collector.Need // required ones, by collector
	excess     []collector.Right

	wantsPolicy bool // AWS refused something

	results    []result
	warnings   []string
	statements []string // to paste
	parameters []string // of the server
	policies   []document
	notes      []string
}

func (r *report) add(name string, s state, reason string) {
	r.results = append(r.results, result{name, s, reason})
}

// write prints the report, at most 80 columns wide where words allow it.
func (r *report) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) } // kept for Flush
	if r.target != "" {
		line("Target %s", r.target)
	}
	r.writeServer(line)
	for _, res := range r.results {
		line("%s", hang(fmt.Sprintf("%-4s  %-11s ", res.state, res.collector), res.reason))
	}
	for _, text := range r.warnings {
		line("%s", hang("!     ", text))
	}
	if len(r.statements) > 0 {
		line("\nPaste as an administrator:\n")
		for _, s := range r.statements {
			line("%s", s)
		}
	}
	if len(r.parameters) > 0 {
		line("\nSet below [mysqld] in my.cnf, or in the RDS parameter group, and restart the\nserver (on RDS: reboot):\n")
		for _, p := range r.parameters {
			line("%s", p)
		}
	}
	for _, p := range r.policies {
		line("\n%s:\n\n%s", p.title, p)
	}
	for _, text := range r.notes {
		line("\n%s", hang("", text))
	}
	return out.Flush()
}

// writeServer prints what is known of the database.
func (r *report) writeServer(line func(string, ...any)) {
	if r.address == "" {
		return
	}
	line("%s", hang("Database    ", r.address+", schema "+r.schema))
	f := r.facts
	if f == nil {
		line("")
		return
	}
	role := "writable"
	if f.Server.ReadOnly {
		role = "read-only: a replica or a reader endpoint"
	}
	line("%s", hang("Server      ", fmt.Sprintf("%s %s, %s", f.Server.Flavor, f.Server.Version, role)))
	line("%s", hang("Account     ", f.Account))
	line("%s", hang("Encryption  ", cmp.Or(f.Cipher, "none")))
	line("%s", hang("Clock       ", fmt.Sprintf("%+.1f s against ours, time zone %s%s", f.Ahead.Seconds(), f.TimeZone, newestRow(f))))
	line("%s", hang("performance_schema ", map[bool]string{true: "on", false: "off"}[f.Server.PerformanceSchema]))
	visible := fmt.Sprintf("%d token tables visible", len(f.Tables))
	if !f.AllVisible {
		visible += "; there may be others"
	}
	line("%s\n", hang("Tables      ", visible))
}

// newestRow says how old the newest token is. One in the future tells of API
// Manager's time zone.
func newestRow(f *collector.Facts) string {
	if f.Newest.IsZero() {
		return ""
	}
	age := time.Since(f.Newest) + f.Ahead
	if age < -time.Minute {
		return fmt.Sprintf("; the newest token row is %v in the future, because sessions of API Manager or the server are not in UTC: the exporter corrects that as rows arrive", -age.Round(time.Minute))
	}
	return fmt.Sprintf("; the newest token row is %v old", age.Round(time.Second))
}

// width of the report.
const width = 80

// hang wraps text into lines behind first, the later ones indented as far.
func hang(first, text string) string {
	var b strings.Builder
	b.WriteString(first)
	column := len(first)
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteString("\n" + strings.Repeat(" ", len(first)))
			column = len(first)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return strings.TrimRight(b.String(), " ")
}
