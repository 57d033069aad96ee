package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/tokenpersistence/toolkit/analyze/calibrate"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// calibrateOptions are the flags of calibrate as given.
type calibrateOptions struct {
	engine  string
	java    string
	bits    string
	round   time.Duration
	rounds  int
	threads int
	warmUp  time.Duration
	format  string
	color   bool
}

func addCalibrate(app *kingpin.Application) *calibrateOptions {
	o := &calibrateOptions{}
	c := app.Command("calibrate", "What an RS256 signature takes of this host's processor, for estimate: run it on API Manager's host, with its JVM.")
	c.Flag("engine", "java (a JDK, 11 or later), go, or auto: java where there is one.").Default("auto").EnumVar(&o.engine, "auto", "java", "go")
	c.Flag("java", "The JVM to measure with. (default that of JAVA_HOME, then of PATH)").PlaceHolder("PATH").StringVar(&o.java)
	c.Flag("bits", "Size of the RSA key: 2048, 3072 or 4096.").Default("2048").EnumVar(&o.bits, "2048", "3072", "4096")
	c.Flag("round", "Length of a round.").Default("500ms").DurationVar(&o.round)
	c.Flag("rounds", "Rounds of each operation.").Default("7").IntVar(&o.rounds)
	c.Flag("threads", "Threads that keep all vCPUs busy. (default one for each vCPU)").PlaceHolder("N").IntVar(&o.threads)
	c.Flag("warmup", "Before the first round, for each operation.").Default("2s").DurationVar(&o.warmUp)
	c.Flag("format", "text or json.").Default("text").EnumVar(&o.format, "text", "json")
	c.Flag("color", "Colour on a terminal; NO_COLOR switches it off too.").Default("true").BoolVar(&o.color)
	return o
}

// runCalibrate measures and prints.
func runCalibrate(ctx context.Context, o calibrateOptions, stdout io.Writer) error {
	bits, err := strconv.Atoi(o.bits)
	if err != nil {
		return usage("--bits %q is not a number", o.bits)
	}
	if o.threads == 0 {
		o.threads = runtime.NumCPU()
	}
	switch {
	case o.round < time.Millisecond:
		return usage("--round %s is too short: give 1ms or more", o.round)
	case o.rounds < 1:
		return usage("--rounds %d: give 1 or more", o.rounds)
	case o.threads < 1:
		return usage("--threads %d: give 1 or more", o.threads)
	case o.warmUp < 0:
		return usage("--warmup %s is negative", o.warmUp)
	case o.java != "" && o.engine == "go":
		return usage("--java %s has no meaning for --engine go: leave one out", o.java)
	}
	c, err := o.measure(ctx, calibrate.Settings{Bits: bits, Round: o.round, Rounds: o.rounds, Threads: o.threads, WarmUp: o.warmUp})
	if err != nil {
		return err
	}
	c.Program = programName()
	return writeDocument(stdout, c, o.format, o.color)
}

// measure chooses the engine. auto falls back to Go where there is no JVM, and
// says so; a JVM that is there and fails is an error.
func (o calibrateOptions) measure(ctx context.Context, s calibrate.Settings) (report.Calibration, error) {
	const notJVM = "Go's crypto/rsa is not what API Manager runs: for estimate, measure on its host with its JVM"
	if o.engine != "go" {
		java, err := calibrate.FindJava(o.java, os.Getenv("JAVA_HOME"))
		switch {
		case err == nil:
			return calibrate.Java(ctx, java, s)
		case o.engine == "java" || o.java != "":
			return report.Calibration{}, usage("no JVM: %v: give a JDK of version 11 or later as --java, or measure with --engine go", err)
		}
	}
	c, err := calibrate.Go(ctx, s)
	if err != nil {
		return c, fmt.Errorf("calibrate: %w", err)
	}
	c.Notes = append(c.Notes, notJVM)
	return c, nil
}
