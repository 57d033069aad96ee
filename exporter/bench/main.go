// The bench program measures the figures that the exporter promises, each with
// its bar, on this machine: against a real server that it starts, beside
// Debian's prometheus-mysqld-exporter on the same server in the same run.
//
//	make bench                # everything, about 40 minutes
//	make bench QUICK=1        # small sizes, about 5 minutes; shows the way, not the figures
//	go run ./exporter/bench --exporter=bin/exporter --only=steady,scans
//
// It asserts nothing: a busy machine makes figures bad and is no fault of the
// code. It refuses to touch a server that it did not start.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0 when every figure was measured, whether its
// bar is met or not, 1 when one could not be, 2 when the command was wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	rows, err := measure(ctx, o, stderr)
	if len(rows) > 0 {
		printTable(stdout, rows)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}
