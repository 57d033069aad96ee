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
)

// windowStep is the time between the samples of a window: more than one falls
// into any window that says something.
const windowStep = 5 * time.Second

// window is one measured stretch of an experiment, warm-up left out.
type window struct {
	grant, persistence, name string
	start, end               time.Time
}

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
func readWindows(file []byte) ([]window, error) {
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
	var out []window
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
		name := w.Grant + " " + w.Persistence
		if w.Block > 0 {
			name += fmt.Sprintf(" %d", w.Block)
		}
		out = append(out, window{w.Grant, w.Persistence, name, start, end})
	}
	slices.SortStableFunc(out, func(a, b window) int { return a.start.Compare(b.start) })
	return out, nil
}

// at returns the times of the samples: from the first to the last second.
func (w window) at() []time.Time {
	var out []time.Time
	for t := w.start; t.Before(w.end); t = t.Add(windowStep) {
		out = append(out, t)
	}
	return append(out, w.end)
}

func (w window) labels() string {
	return fmt.Sprintf("{grant=%q,persistence=%q,window=%q}", w.grant, w.persistence, w.name)
}

// family is one metric of a window.
type family struct {
	name, help string
	value      func(window) time.Time
}

func families() []family {
	return []family{
		{windowStart, "Start of the test window that lasts, after its warm-up, Unix time.", func(w window) time.Time { return w.start }},
		{windowEnd, "End of the test window that lasts, Unix time.", func(w window) time.Time { return w.end }},
	}
}

// writeWindows writes one family after the other, as OpenMetrics wants it.
func writeWindows(w io.Writer, all []window) error {
	out := bufio.NewWriter(w)
	for _, f := range families() {
		_, _ = fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n# UNIT %s seconds\n", f.name, f.help, f.name, f.name) // kept for Flush
		for _, one := range all {
			for _, at := range one.at() {
				_, _ = fmt.Fprintf(out, "%s%s %s %s\n", f.name, one.labels(), unix(f.value(one)), unix(at))
			}
		}
	}
	_, _ = io.WriteString(out, "# EOF\n")
	return out.Flush()
}

// unix writes seconds without an exponent.
func unix(t time.Time) string { return fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/1e6) }
