package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tokenpersistence/toolkit/testbed/rig"
)

// demoOptions are the few minutes of the demonstration.
func demoOptions() rig.Options {
	return rig.Options{
		Out:   resultFolder("demo-results"),
		Pairs: 5, Warmup: 2 * time.Second, Measure: 4 * time.Second,
		Formats: []string{"text", "html", "json"},
	}
}

// studyOptions are the hour that settles the question for the rig: more pairs,
// windows long enough to judge steadiness, and a table that is not empty.
func studyOptions() rig.Options {
	return rig.Options{
		Out:   resultFolder("study-results"),
		Pairs: 8, Warmup: 10 * time.Second, Measure: time.Minute, Preload: 1_000_000,
		Formats: []string{"text", "html", "json", "markdown", "csv"},
	}
}

// resultFolder is a new folder for each run.
func resultFolder(parent string) string {
	return filepath.Join(parent, time.Now().UTC().Format("20060102T150405Z"))
}

// onRig parses the flags of a command that loads the rig, and runs it.
func onRig(ctx context.Context, command string, defaults rig.Options, args []string, stdout, stderr io.Writer,
	run func(context.Context, rig.Options, io.Writer) error,
) int {
	o, err := parseFlags(command, defaults, args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return statusDone
	case err != nil:
		fmt.Fprintf(stderr, "testbed %s: %v (testbed %s --help lists the flags)\n", command, err, command)
		return statusUsage
	}
	return status(ctx, stderr, run(ctx, o, stdout))
}

// dsnVariable names the environment variable that stands in for --dsn.
const dsnVariable = "TOKEN_PERSISTENCE_DSN"

// parseFlags turns the flags into options.
func parseFlags(command string, o rig.Options, args []string, stdout io.Writer) (rig.Options, error) {
	o.Grants, o.PlainText = rig.Grants(), !isTerminal(stdout)
	flags := flag.NewFlagSet("testbed "+command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.Out, "out", o.Out, "folder for what is kept")
	flags.BoolVar(&o.Serve, "serve", false, "keep everything up after the report, until Ctrl-C")
	flags.IntVar(&o.Pairs, "pairs", o.Pairs, "pairs of windows per grant, persistence on and off in random order")
	flags.DurationVar(&o.Warmup, "warmup", o.Warmup, "discarded at the start of each window")
	flags.DurationVar(&o.Measure, "measure", o.Measure, "measured in each window")
	flags.IntVar(&o.Users, "users", 100, "users in the closed loop")
	flags.IntVar(&o.Applications, "applications", 10, "applications the users share")
	flags.Float64Var(&o.Rate, "rate", 0, "offered tokens per second over all users; 0 is a closed loop")
	flags.Func("grants", "grants to run, separated by commas (default "+strings.Join(rig.Grants(), ",")+")", func(text string) error {
		o.Grants = strings.Split(text, ",")
		return nil
	})
	flags.Uint64Var(&o.Seed, "seed", randomSeed(), "seed of the order of windows and of the device scopes (default random)")
	flags.IntVar(&o.Preload, "preload", o.Preload, "rows in the token table before the first window")
	flags.DurationVar(&o.Quiesce, "quiesce", time.Second, "longest wait for the database's purge between windows")
	flags.StringVar(&o.DSN, "dsn", "", "use this MySQL or MariaDB server, user:password@tcp(host:port)/database, instead of a private one; "+
		"the variable "+dsnVariable+" keeps the password out of the process list")
	flags.BoolVar(&o.UseExisting, "dsn-use-existing", false, "with --dsn: add to token tables the testbed did not create")
	flags.StringVar(&o.PrometheusURL, "prometheus-url", "", "use this Prometheus, which scrapes the exporter and, for annotations, the test windows, instead of one in this process")
	flags.StringVar(&o.Listen, "exporter-listen", "", "address of the exporter (default a free port; 127.0.0.1:9851 with --prometheus-url)")
	flags.StringVar(&o.WindowsListen, "windows-listen", "", "address where the test windows are a metric (default a free port; 127.0.0.1:9852 with --prometheus-url)")
	flags.StringVar(&o.CloudWatch, "cloudwatch-listen", "", "address of the CloudWatch endpoint, for exporters beside the rig's own (default a free port)")
	flags.StringVar(&o.Exporter, "exporter", "", "path of the exporter program (default beside the testbed, else built)")
	flags.StringVar(&o.Analyze, "analyze", "", "path of the analyze program (default beside the testbed, else built)")
	for _, part := range []struct {
		name, text string
		cpus       *[]int
	}{
		{"cpus-db", "CPUs of the database, like 0,2-3", &o.CPUs.Database},
		{"cpus-km", "CPUs of the key managers", &o.CPUs.KeyManagers},
		{"cpus-users", "CPUs of users, exporter and Prometheus", &o.CPUs.Users},
	} {
		flags.Func(part.name, part.text+" (default: split by their number)", func(text string) (err error) {
			*part.cpus, err = rig.ParseCPUs(text)
			return err
		})
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stdout)
			flags.PrintDefaults()
		}
		return o, err
	}
	if o.DSN == "" {
		o.DSN = os.Getenv(dsnVariable)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// randomSeed is short enough to be typed again.
func randomSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) % 1_000_000
}

// isTerminal reports whether out is a terminal.
func isTerminal(out io.Writer) bool {
	file, ok := out.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}
