// Matrix runs the tests of what talks to the database against several servers,
// one after the other, and ends with a table of what passed on which.
//
//	matrix NAME=PROGRAM... [--missing NAME]...
//
// PROGRAM is a server program; without one the tests find it themselves. Where
// mysqltest.DSNVariable names a server that is there already, it comes last: tests
// that need only SQL run on it, one at a time, and what they leave behind counts as
// a failure. --missing is a server that could not be had. Exit status: 0 when
// nothing failed, 1 when something did, 2 when the command was wrong.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// packages are those with tests that talk to the database.
var packages = []string{"./exporter", "./exporter/bench", "./exporter/collector", "./internal/mysqltest", "./internal/preload", "./internal/tokentable", "./compose"}

// runVariables choose the server; each run sets its own.
var runVariables = []string{mysqltest.ProgramVariable, mysqltest.DSNVariable}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var missing []string
	flags := flag.NewFlagSet("matrix", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Func("missing", "name of a server that could not be had", func(name string) error {
		missing = append(missing, name)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var tallies []*tally
	for _, arg := range flags.Args() {
		name, program, ok := strings.Cut(arg, "=")
		if !ok {
			fmt.Fprintf(stderr, "matrix: %q: want NAME=PROGRAM\n", arg)
			return 2
		}
		var env []string
		if program != "" {
			env = []string{mysqltest.ProgramVariable + "=" + program}
		}
		tallies = append(tallies, try(ctx, name, env, nil, stdout, stderr))
	}
	if dsn := os.Getenv(mysqltest.DSNVariable); dsn != "" {
		tallies = append(tallies, tryThere(ctx, dsn, stdout, stderr))
	}
	if len(tallies)+len(missing) == 0 {
		fmt.Fprintln(stderr, "matrix: no server: give NAME=PROGRAM, or set "+mysqltest.DSNVariable+" (make test-matrix: SERVERS or DSN)")
		return 2
	}
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "matrix: interrupted: the table would not be whole")
		return 1
	}
	return write(stdout, tallies, missing)
}

// tryThere runs the tests on the server that is there already, and looks whether
// it is as before.
func tryThere(ctx context.Context, dsn string, stdout, stderr io.Writer) *tally {
	before, err := look(ctx, dsn)
	if err != nil {
		t := newTally("DSN")
		t.broken = append(t.broken, err.Error())
		return t
	}
	// The tests use the same names, so that only one may run.
	t := try(ctx, "DSN", []string{mysqltest.DSNVariable + "=" + dsn}, []string{"-p=1", "-parallel=1"}, stdout, stderr)
	after, err := look(ctx, dsn)
	if err != nil {
		t.broken = append(t.broken, err.Error())
	}
	t.broken = append(t.broken, changes(before, after)...)
	return t
}

// try runs the tests on one server, shows each package as it ends, and counts.
func try(ctx context.Context, name string, env, args []string, stdout, stderr io.Writer) *tally {
	t := newTally(name)
	fmt.Fprintf(stdout, "== %s\n", name)
	args = append([]string{"test", "-json", "-count=1", "-parallel=4", "-timeout=20m"}, args...)
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.Env = append(without(os.Environ(), runVariables), env...)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.broken = append(t.broken, fmt.Sprintf("go test: %v", err))
		return t
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(stdout, lines.Text()) // of a build that failed
			continue
		}
		if text := t.add(e); text != "" {
			fmt.Fprint(stdout, text)
		}
	}
	// The events say which test failed; without one, how go test ended is what is left.
	if err := cmd.Wait(); err != nil && t.failures() == 0 {
		t.broken = append(t.broken, fmt.Sprintf("go test: %v", err))
	}
	return t
}

// without returns the environment without some variables.
func without(environment, names []string) []string {
	var left []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		keep := true
		for _, n := range names {
			keep = keep && n != name
		}
		if keep {
			left = append(left, variable)
		}
	}
	return left
}
