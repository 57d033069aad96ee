package windows_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/windows"
)

// TestAnyRecording: whatever was recorded, windows and what is left out lie in
// the recording, one after the other, have finite figures, and can be written.
func TestAnyRecording(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := source.Recording{Start: noon, Series: map[string]source.Series{}}
		at := noon
		tokens, inserts, rows := source.Series{Step: 5 * time.Second}, source.Series{Step: 5 * time.Second}, source.Series{Step: 5 * time.Second}
		for range rapid.IntRange(1, 12).Draw(t, "stretches") {
			step := time.Duration(rapid.SampledFrom([]int{1, 5, 5, 5, 60}).Draw(t, "step")) * time.Second
			rate := rapid.SampledFrom([]float64{0, 0, 0.2, 3, 40, 400, 420, 4000}).Draw(t, "rate")
			stored := rapid.SampledFrom([]float64{0, 0.04, 0.5, 1, 2}).Draw(t, "stored")
			for i := range rapid.IntRange(1, 60).Draw(t, "cells") {
				in := source.Interval{From: at, To: at.Add(step), Increase: math.Round(rate * step.Seconds() * (1 + 0.1*math.Sin(float64(i*i))))}
				if at = in.To; rapid.IntRange(0, 40).Draw(t, "lost") == 0 {
					continue
				}
				tokens.Intervals = append(tokens.Intervals, in)
				in.Increase *= stored
				if rapid.IntRange(0, 20).Draw(t, "unread") > 0 {
					inserts.Intervals = append(inserts.Intervals, in)
				}
				rows.Intervals = append(rows.Intervals, in)
			}
		}
		r.End = at
		r.Series[source.EndpointRequests] = tokens
		if rapid.Bool().Draw(t, "inserts") {
			r.Series[windows.TokenInserts] = inserts
		}
		if rapid.Bool().Draw(t, "rows") {
			r.Series["rows_password"] = rows
		}
		o := windows.Options{
			MinLength: time.Duration(rapid.IntRange(1, 300).Draw(t, "length")) * time.Second,
			MinPause:  time.Duration(rapid.IntRange(0, 60).Draw(t, "pause")) * time.Second,
			MinChange: rapid.Float64Range(0.01, 1).Draw(t, "change"),
			Step:      time.Duration(rapid.IntRange(0, 30).Draw(t, "joined")) * time.Second,
		}
		p, err := windows.Propose(r, o)
		if err != nil {
			return // not one token
		}
		last := noon
		for _, w := range p.Windows {
			if w.Start.Before(last) || !w.Start.Before(w.End) || w.End.After(r.End) || w.End.Sub(w.Start) < o.MinLength {
				t.Fatalf("a window from %s to %s after %s", w.Start, w.End, last)
			}
			last = w.End
			if !finite(w.TokensPerSecond) || w.TokensPerSecond < 0 || w.CV != nil && !finite(*w.CV) || w.RowsPerToken != nil && !finite(*w.RowsPerToken) {
				t.Fatalf("figures of %+v", w.TokensPerSecond)
			}
		}
		for _, l := range p.LeftOut {
			if l.Start.Before(noon) || l.End.Before(l.Start) || l.End.After(r.End) || !finite(l.TokensPerSecond) || l.Why == "" {
				t.Fatalf("left out %+v", l)
			}
		}
		if half := p.WarmupSeconds; len(p.Windows) > 0 && (half < 0 || half > o.MinLength.Seconds()/2+1 && half > shortest(p)/2+1) {
			t.Fatalf("a warm-up of %g s", half)
		}
		var b bytes.Buffer
		if windows.Text(&b, p) != nil || windows.JSON(&b, p) != nil || windows.Experiment(&b, p, windows.Origin{TSDB: "data"}) != nil {
			t.Fatal("cannot be written")
		}
	})
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// shortest is the length of the shortest window in seconds.
func shortest(p windows.Proposal) float64 {
	least := math.Inf(1)
	for _, w := range p.Windows {
		least = min(least, w.End.Sub(w.Start).Seconds())
	}
	return least
}
