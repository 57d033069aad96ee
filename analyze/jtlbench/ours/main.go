// The ours program reads a JMeter result file with our reader and prints every
// count, one to a line.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ours:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, files []string, stdout io.Writer) error {
	if len(files) != 1 {
		return errors.New("give one result file")
	}
	all, err := source.ReadSurveys(ctx, source.Spec{}, files)
	if err != nil {
		return err
	}
	s := all[0]
	if s.BadRows > 0 {
		return fmt.Errorf("%d damaged rows, for example %s", s.BadRows, s.BadLines[0])
	}
	w := bufio.NewWriter(stdout)
	for _, l := range s.Labels {
		fmt.Fprintf(w, "label %s %d %d\n", l.Name, l.Rows, l.Errors)
		for i, c := range l.Seconds {
			if c != (source.Second{}) {
				fmt.Fprintf(w, "second %s %d %d %d\n", l.Name, l.Start.Unix()+int64(i), c.Successes, c.Errors)
			}
		}
		for ms, n := range l.ElapsedMS {
			if n > 0 {
				fmt.Fprintf(w, "ms %s %d %d\n", l.Name, ms, n)
			}
		}
	}
	return w.Flush()
}
