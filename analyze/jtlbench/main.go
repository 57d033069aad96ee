// The bench program reads one large JMeter result file with our reader, DuckDB,
// gawk and a newline count, in interleaved rounds, and prints how long each
// took and what memory it used. Ours and DuckDB have to give the same counts.
//
//	make bench-jtl                              # 1 GB, 7 rounds
//	go run . --rows 100000 --rounds 1           # shows the way, not the figures
//
// It asserts no times: a busy machine makes figures bad and is no fault of the
// code. A program that is not there is reported as NOT RUN.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

type options struct {
	rows, rounds int
	seed         uint64
	dir          string
}

// run returns the exit status: 0 when ours and DuckDB agree, or DuckDB is not
// there; 1 when they differ or something could not be measured; 2 when the
// command was wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.rows, "rows", 7_700_000, "rows of the result file; 7.7 million are 1.1 GB")
	flags.IntVar(&o.rounds, "rounds", 7, "rounds; each runs every program once, in an order that rotates")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the result file")
	flags.StringVar(&o.dir, "dir", filepath.Join("..", ".cache", "bench"), "folder for the result file and the programs")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil || o.rows < 1 || o.rounds < 1 || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "bench: give --rows and --rounds of 1 or more, and nothing else")
		return 2
	}
	if err := measure(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func measure(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	path, size, err := resultFile(ctx, o, stderr)
	if err != nil {
		return err
	}
	candidates := programs(ctx, o.dir, path, stderr)
	if err := warm(path); err != nil {
		return err
	}
	for round := range o.rounds {
		for i := range candidates {
			c := &candidates[(i+round)%len(candidates)]
			if c.absent != "" {
				continue
			}
			fmt.Fprintf(stderr, "round %d of %d: %s\n", round+1, o.rounds, c.name)
			if err := c.run(ctx); err != nil {
				return err
			}
		}
	}
	printTable(stdout, candidates, size, o)
	return agree(stdout, candidates)
}
