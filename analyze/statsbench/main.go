// The statsbench program measures what the statistics of analyze promise: sizes,
// coverage, power and abstention, in simulated experiments whose truth is known.
// Verdicts and intervals come from the same study.Run that users get.
//
//	make bench-stats                # every figure at its full size, a few minutes
//	make bench-stats QUICK=1        # a twentieth of the replications, under 30 s
//	go run ./analyze/statsbench --only=coverage,abstention --seed=2
//
// The same seed gives the same table on any number of cores. It refuses to call a
// figure measured that an error interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options say what is simulated.
type options struct {
	seed    uint64
	divide  int      // the replications of every figure by this
	only    []string // parts of names; none is all
	workers int
}

// quickDivisor makes a quick run of a full one.
const quickDivisor = 20

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{workers: runtime.GOMAXPROCS(0)}
	f := flag.NewFlagSet("statsbench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Uint64Var(&o.seed, "seed", 1, "of every random number")
	quick := f.Bool("quick", false, fmt.Sprintf("a %dth of the replications: shows the way, not the figures", quickDivisor))
	only := f.String("only", "", "parts of the names of figures, separated by commas")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: all figures are chosen with --only", f.Arg(0))
	}
	o.divide = 1
	if *quick {
		o.divide = quickDivisor
	}
	for part := range strings.SplitSeq(*only, ",") {
		if part = strings.TrimSpace(part); part != "" {
			o.only = append(o.only, part)
		}
	}
	if len(o.only) > 0 && len(chosen(o)) == 0 {
		return o, fmt.Errorf("--only=%s: no figure has such a name", *only)
	}
	return o, nil
}

// run returns the exit status: 0 when every bar is met, 1 when one is missed or
// a figure could not be measured, 2 when the command was wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "statsbench:", err)
		return 2
	}
	start := time.Now()
	missed := 0
	printHead(stdout)
	for _, f := range chosen(o) {
		r, err := measure(ctx, f, o)
		if err != nil {
			fmt.Fprintf(stderr, "statsbench: %s: %v\n", f.name, err)
			return 1
		}
		if !r.met {
			missed++
		}
		printRow(stdout, r)
	}
	fmt.Fprintf(stderr, "statsbench: %d missed, seed %d, %d workers, %.0f s\n", missed, o.seed, o.workers, time.Since(start).Seconds())
	if missed > 0 {
		return 1
	}
	return 0
}
