package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// windowStep is the time between the samples of a window: more than one falls
// into any window that says something.
const windowStep = 5 * time.Second

// windows writes the windows of an experiment file as OpenMetrics text:
//
//	promtool tsdb create-blocks-from openmetrics windows.om /prometheus
//
// Each window is a pair of series that exist while it lasts; their values are
// its start and its end.
func windows(args []string, stdout io.Writer) error {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return usagef("windows: want one experiment file")
	}
	file, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	found, err := readWindows(file)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return writeWindows(stdout, found)
}

// readWindows reads what it needs of an experiment file; docs/experiment.md
// describes all of it.
func readWindows(file []byte) ([]testwindow.Window, error) {
	var e struct {
		Warmup  string
		Windows []struct {
			Grant, Persistence, Start, End string
			Block                          int
		}
	}
	if err := yaml.NewDecoder(bytes.NewReader(file)).Decode(&e); err != nil {
		return nil, err
	}
	var warmup time.Duration
	if e.Warmup != "" {
		var err error
		if warmup, err = time.ParseDuration(e.Warmup); err != nil {
			return nil, fmt.Errorf("warmup: %w", err)
		}
	}
	if len(e.Windows) == 0 {
		return nil, errors.New("no windows: want the key windows of an experiment file")
	}
	var out []testwindow.Window
	for i, w := range e.Windows {
		if w.Persistence != "on" && w.Persistence != "off" {
			return nil, fmt.Errorf("window %d: persistence: %s: want on or off", i+1, w.Persistence)
		}
		if w.Start == "" || w.End == "" {
			return nil, fmt.Errorf("window %d has no start and end: only windows with times can be placed on a dashboard", i+1)
		}
		start, err := time.Parse(time.RFC3339, w.Start)
		if err != nil {
			return nil, fmt.Errorf("window %d: start: %w", i+1, err)
		}
		end, err := time.Parse(time.RFC3339, w.End)
		if err != nil {
			return nil, fmt.Errorf("window %d: end: %w", i+1, err)
		}
		if start = start.Add(warmup); !start.Before(end) {
			return nil, fmt.Errorf("window %d: nothing is left of it after the warm-up of %s", i+1, warmup)
		}
		out = append(out, testwindow.Window{Grant: w.Grant, Persistence: w.Persistence, Block: w.Block, Start: start, End: end})
	}
	slices.SortStableFunc(out, func(a, b testwindow.Window) int { return a.Start.Compare(b.Start) })
	return out, nil
}

// samples returns the times of a window's samples: from the first to the last
// second.
func samples(w testwindow.Window) []time.Time {
	var out []time.Time
	for t := w.Start; t.Before(w.End); t = t.Add(windowStep) {
		out = append(out, t)
	}
	return append(out, w.End)
}

func labelText(w testwindow.Window) string {
	var pairs []string
	for i, name := range testwindow.LabelNames() {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, w.LabelValues()[i]))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// writeWindows writes one family after the other, as OpenMetrics wants it.
func writeWindows(w io.Writer, all []testwindow.Window) error {
	out := bufio.NewWriter(w)
	for _, f := range testwindow.Families() {
		_, _ = fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n# UNIT %s seconds\n", f.Name, f.Help, f.Name, f.Name) // kept for Flush
		for _, one := range all {
			for _, at := range samples(one) {
				_, _ = fmt.Fprintf(out, "%s%s %.3f %.3f\n", f.Name, labelText(one), testwindow.Seconds(f.Value(one)), testwindow.Seconds(at))
			}
		}
	}
	_, _ = io.WriteString(out, "# EOF\n")
	return out.Flush()
}
