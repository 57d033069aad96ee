// Package testwindow is how a test window appears in Prometheus: a pair of
// series that exist while the window lasts, its warm-up left out, and say when it
// starts and ends. The testbed exposes them live, and the dashboards' program
// writes them from an experiment file; annotations and panels read either.
//
// It knows nothing of where windows come from and writes no format.
//
//	w := testwindow.Window{Grant: "password", Persistence: "on", Block: 3, Start: from, End: to}
//	for _, f := range testwindow.Families() {
//		fmt.Println(f.Name, testwindow.LabelNames(), w.LabelValues(), testwindow.Seconds(f.Value(w)))
//	}
package testwindow

import (
	"fmt"
	"time"
)

// The two metrics of a window: gauges, Unix time in seconds.
const (
	Start = "token_persistence_test_window_start_timestamp_seconds"
	End   = "token_persistence_test_window_end_timestamp_seconds"
)

// Window is the measured stretch of a test run, warm-up left out.
type Window struct {
	Grant       string // as grant_type has it
	Persistence string // on or off
	Block       int    // which repetition, from 1; 0: there is one only
	Start, End  time.Time
}

// Name is what annotations call the window: grant, mode and block, like
// "password on 3".
func (w Window) Name() string {
	name := w.Grant + " " + w.Persistence
	if w.Block > 0 {
		name += fmt.Sprintf(" %d", w.Block)
	}
	return name
}

// Lasts says whether t is in the window, its end left out.
func (w Window) Lasts(t time.Time) bool { return !t.Before(w.Start) && t.Before(w.End) }

// LabelNames are the labels of both metrics, in the order of LabelValues.
func LabelNames() []string { return []string{"grant", "persistence", "window"} }

// LabelValues are the window's labels.
func (w Window) LabelValues() []string { return []string{w.Grant, w.Persistence, w.Name()} }

// Family is one of the two metrics.
type Family struct {
	Name, Help string
	Value      func(Window) time.Time // Seconds makes a sample of it
}

// Families are both metrics.
func Families() []Family {
	return []Family{
		{Start, "Start of the test window that lasts, after its warm-up, Unix time.", func(w Window) time.Time { return w.Start }},
		{End, "End of the test window that lasts, Unix time.", func(w Window) time.Time { return w.End }},
	}
}

// Seconds is a time as the metrics give it: Unix time to the millisecond.
func Seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
