package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are the flags. The defaults are the sizes that the bars name.
type options struct {
	exporter string
	rivals   []string
	only     []string

	small, large int           // rows of the two token tables
	pool         int           // MiB of the server's buffer pool at most
	digests      int           // statements in the digest table
	samples      int           // scrapes of each exporter per comparison
	rate         int           // token rows inserted per second
	inserting    time.Duration // how long
	interval     time.Duration // between scrapes meanwhile
	scrapes      int           // of the memory figure
	targets      int           // of one exporter at most
	faults       int           // scrapes under each fault
	pairs        int           // of the throughput study
	window       time.Duration // of each half of a pair
	warmup       time.Duration // before it
	lateness     time.Duration // of our exporter's tokens collector
}

// quick are sizes that fit into five minutes and say little.
func (o *options) quick() {
	o.small, o.large = 5_000, 100_000
	o.samples, o.scrapes, o.faults = 200, 2_000, 5
	o.inserting, o.pairs, o.window = 40*time.Second, 3, 5*time.Second
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.exporter, "exporter", "bin/exporter", "our program")
	flags.Func("rival", "a mysqld_exporter to compare with; repeatable (default: what testbed/install.sh mysqld-exporter brought)", func(path string) error {
		o.rivals = append(o.rivals, path)
		return nil
	})
	only := flags.String("only", "", "figures to measure, comma-separated: "+strings.Join(figureNames(), ","))
	o.addSizes(flags)
	flags.BoolFunc("quick", "small sizes; flags after it win", func(string) error {
		o.quick()
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for name := range strings.SplitSeq(*only, ",") {
		if name == "" {
			continue
		}
		if !slices.Contains(figureNames(), name) {
			return o, fmt.Errorf("--only=%s: want some of %s", name, strings.Join(figureNames(), ","))
		}
		o.only = append(o.only, name)
	}
	if o.rivals == nil {
		found, err := filepath.Glob(".cache/mysqld-exporter*/prometheus-mysqld-exporter")
		if err != nil {
			return o, err
		}
		o.rivals = found
	}
	return o, o.check()
}

func (o *options) addSizes(flags *flag.FlagSet) {
	flags.IntVar(&o.small, "small", 50_000, "rows of the small token table")
	flags.IntVar(&o.large, "large", 5_000_000, "rows of the large token table")
	flags.IntVar(&o.pool, "pool", 10_240, "MiB of the server's buffer pool at most; the full size needs 10 GiB, with less the preload takes long")
	flags.IntVar(&o.digests, "digests", 10_000, "statements in the digest table")
	flags.IntVar(&o.samples, "samples", 1000, "scrapes of each exporter per comparison")
	flags.IntVar(&o.rate, "rate", 1000, "token rows inserted per second")
	flags.DurationVar(&o.inserting, "inserting", 10*time.Minute, "how long rows are inserted")
	flags.DurationVar(&o.interval, "interval", 5*time.Second, "time between scrapes while rows are inserted")
	flags.IntVar(&o.scrapes, "scrapes", 100_000, "scrapes of the memory figure")
	flags.IntVar(&o.targets, "targets", 50, "targets of one exporter at most")
	flags.IntVar(&o.faults, "faults", 20, "scrapes under each fault")
	flags.IntVar(&o.pairs, "pairs", 12, "pairs of the throughput study")
	flags.DurationVar(&o.warmup, "warmup", 3*time.Second, "load before each half of a pair")
	flags.DurationVar(&o.lateness, "lateness", 30*time.Second, "--collector.tokens.lateness of our exporter")
	flags.DurationVar(&o.window, "window", 8*time.Second, "length of each half of a pair")
}

func (o *options) check() error {
	for _, n := range []int{o.small, o.large, o.digests, o.samples, o.rate, o.scrapes, o.targets, o.faults} {
		if n < 1 {
			return fmt.Errorf("sizes must be 1 or more, not %d", n)
		}
	}
	if o.pairs < 2 {
		return fmt.Errorf("--pairs=%d: an interval needs two pairs", o.pairs)
	}
	return nil
}
