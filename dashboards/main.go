// The dashboards program writes the Grafana dashboards of this project from the
// rows in its source and the limits in internal/thresholds. It reads nothing
// else and talks to nobody. dashboards/*.json is what it writes without flags.
//
//	go run ./dashboards
//	go run ./dashboards windows experiment.yaml > windows.om
//
// The second form writes the windows of an experiment as OpenMetrics text, for
// promtool to put into Prometheus, so that the dashboards can mark and compare
// them.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

const usage = `usage: dashboards [--output FOLDER]      write the dashboards
       dashboards windows EXPERIMENT    write an experiment's windows as OpenMetrics
`

// run returns the exit status: 0 when done, 1 when the work failed, 2 when the
// command was wrong.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "windows" {
		return status(stderr, windows(args[1:], stdout))
	}
	flags := flag.NewFlagSet("dashboards", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	output := flags.String("output", "dashboards", "folder to write the dashboards to")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	case err != nil:
		return status(stderr, usagef("%w", err))
	case flags.NArg() > 0:
		return status(stderr, usagef("%s: want flags only, or windows", flags.Arg(0)))
	}
	return status(stderr, write(*output, stdout))
}

// usageError is a wrong command.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// status prints an error and turns it into the exit status.
func status(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(stderr, "dashboards: %v (dashboards --help)\n", err)
		return 2
	}
	fmt.Fprintf(stderr, "dashboards: %v\n", err)
	return 1
}

// write writes every dashboard to a file of its own.
func write(folder string, stdout io.Writer) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	panels := 0
	for _, b := range boards() {
		text, err := b.render()
		if err != nil {
			return fmt.Errorf("%s: %w", b.title, err)
		}
		if err := os.WriteFile(filepath.Join(folder, b.file()), text, 0o666); err != nil {
			return err
		}
		panels += len(b.panels())
	}
	fmt.Fprintf(stdout, "%d dashboards with %d panels in %s\n", len(boards()), panels, folder)
	return nil
}

// render returns the dashboard's file.
func (b board) render() ([]byte, error) {
	model, err := b.model()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(model)
	return text.Bytes(), err
}
