// The exporter program shows what OAuth2 token persistence of WSO2 API Manager
// does to its database: rows in the token tables, MySQL's counters, CloudWatch's
// CPU and IOPS, and requests to the token endpoint, as Prometheus metrics.
//
// It reads and never writes, keeps two connections to the database whatever the
// number of scrapers, and answers every scrape within its deadline. What it
// cannot read is absent, never zero.
//
//	MYSQLD_EXPORTER_PASSWORD=… exporter --mysqld.address=db:3306 --mysqld.username=exporter
//	exporter check --mysqld.address=db:3306 --mysqld.username=exporter
//	exporter metrics
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/common/promslog"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0 when done, 1 when the work failed, 2 when the
// command was wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once

	o, err := parse(args, stdout)
	if errors.Is(err, errAnswered) {
		return 0
	}
	if err == nil {
		switch o.command {
		case commandMetrics:
			err = printContract(stdout)
		case commandCheck:
			err = check(ctx, o, stdout)
		default:
			o.log.Writer = stderr
			err = serve(ctx, o, promslog.New(&o.log))
		}
	}
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(stderr, "exporter:", err) // there is nowhere else to say it
	if _, ok := errors.AsType[*usageError](err); ok {
		return 2
	}
	return 1
}

// usageError is a mistake in the command line or the configuration file.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}
