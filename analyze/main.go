// Command analyze compares runs of WSO2 API Manager with persistent tokens to
// runs without: throughput, errors, latency, CPU and I/O per grant type, and
// what the published measurements say about the same question. It reads load
// test results and Prometheus data; it refuses to call a difference an effect
// when the runs cannot carry that.
//
//	analyze compare experiment.yaml
//	analyze compare --on on-1.jtl --off off-1.jtl --grant password --warmup 2m
//	analyze plan report.json --max-loss 5%
//	analyze project report.json --apim-vcpus 8
//	analyze estimate --prometheus.url http://localhost:9090 --start 2026-07-01T10:00:00Z --end 2026-07-01T12:00:00Z --apim-vcpus 4 --database-vcpus 8
//	analyze calibrate
//	analyze inspect on-1.jtl off-1.jtl
//	analyze windows --prometheus.url http://localhost:9090 --start 2026-07-01T10:00:00Z --end 2026-07-01T18:00:00Z
//	analyze reference
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/internal/reference"
)

// Exit codes of the program itself; 10 to 13 are those of a verdict.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program. It returns the exit status and reports every error on
// stderr, once.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := kingpin.New("analyze", "What does persisting OAuth2 tokens cost, and what would switching it off change?")
	// kingpin exits by itself after --help and --version; note it instead.
	terminated := false
	status := 0
	app.Terminate(func(code int) { terminated, status = true, code })
	app.UsageWriter(stdout).ErrorWriter(stdout)
	app.Version(version.Print("analyze"))
	app.HelpFlag.Short('h')
	compare := addCompare(app)
	project := addProject(app)
	plan := addPlan(app)
	estimate := addEstimate(app)
	calibrate := addCalibrate(app)
	look := addInspect(app)
	propose := addWindows(app)
	published := app.Command("reference", "Print the throughput that WSO2 published, both editions, and what follows from it.")

	if len(args) == 0 {
		app.UsageWriter(stderr).Usage(nil)
		return exitUsage
	}
	command, err := app.Parse(args)
	if terminated {
		return status
	}
	if err != nil {
		fmt.Fprintf(stderr, "analyze: %v (analyze --help lists commands and flags)\n", err)
		return exitUsage
	}
	code := 0
	switch command {
	case published.FullCommand():
		err = report.Published(stdout, reference.Editions())
	case "project":
		err = runProject(*project, stdout)
	case "plan":
		err = runPlan(*plan, stdout)
	case "estimate":
		err = runEstimate(ctx, *estimate, stdout, stderr)
	case "calibrate":
		err = runCalibrate(ctx, *calibrate, stdout)
	case "inspect":
		err = runInspect(ctx, *look, stdout, stderr)
	case "windows":
		err = runWindows(ctx, *propose, stdout, stderr)
	default:
		compare.arguments = shownArguments(args)
		code, err = runCompare(ctx, *compare, stdout, stderr)
	}
	if err == nil {
		return code
	}
	fmt.Fprintf(stderr, "analyze: %v\n", err)
	if _, ok := errors.AsType[*source.SpecError](err); ok {
		return exitUsage
	}
	return exitFailure
}
