package study

import (
	"fmt"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// diagnose checks every window on its own: how steady it was, and whether load
// generator or strangers disturbed it.
func diagnose(runs []run, d source.Dataset, o Options) []report.RunCheck {
	out := []report.RunCheck{}
	for _, r := range runs {
		c := report.RunCheck{
			Grant:       r.Window.Grant,
			Persistence: string(r.Window.Mode),
			Block:       r.Window.Block,
			Start:       timestamp(r.Window.Start),
			Seconds:     max(0, r.span.length().Seconds()),
			ForeignCPU:  r.Window.ForeignCPU,
			Warnings:    r.warnings(d, o),
		}
		if m, ok := r.measures[throughput]; ok {
			c.Throughput = number(m.value)
			if v, err := stats.Variation(m.series); err == nil {
				c.CV = number(v)
			}
			c.HalfWidth = halfWidth(m.series)
			if a, err := stats.Autocorrelation(m.series, 1); err == nil {
				c.Lag1 = number(a)
			}
			if s, ok, err := r.mser5(); ok && err == nil {
				c.MSER5 = number(s)
			}
		}
		c.InFlight, c.TokenRows = r.inFlight(), r.rowsBefore()
		for _, u := range []struct {
			series string
			into   *report.Number
		}{{source.LoadGeneratorCPU, &c.LoadCPU}, {source.APIManagerCPU, &c.APIManagerCPU}, {source.DatabaseCPU, &c.DatabaseCPU}} {
			if m, err := gauge(u.series)(r.Run, r.span, o); err == nil {
				*u.into = number(m.value)
			}
		}
		out = append(out, c)
	}
	return out
}

// halfWidth is how far off, as a ratio of the mean, a window's throughput may be
// for its seconds' variation alone: by EWC-t, and below the length that EWC-t
// needs by Student's t, which takes the seconds for independent.
func halfWidth(seconds []float64) report.Number {
	mean := stats.EWCMean
	if len(seconds) < stats.LeastEWC {
		mean = stats.MeanT
	}
	e, err := mean(seconds, level)
	if err != nil || e.Value <= 0 {
		return nil
	}
	return number((e.Hi - e.Lo) / 2 / e.Value)
}

// warnings are those of one window, in a fixed order.
func (r run) warnings(d source.Dataset, o Options) []report.Warning {
	out := []report.Warning{}
	add := func(id, text string) {
		if text != "" {
			out = append(out, report.Warning{ID: id, Text: text})
		}
	}
	for _, p := range d.Problems {
		if p.Window == r.index {
			add(problemID(p), p.Text)
		}
	}
	add("silence", r.silence.text())
	add("counter", r.measures[throughput].cap)
	add("short-warmup", r.shortWarmup(o))
	for _, m := range metrics() {
		add(stepped, r.unsteadiness(m.id, stepped, o))
		add(drifted, r.unsteadiness(m.id, drifted, o))
	}
	add("autocorrelation", dependence(r))
	add("users", r.unaccounted(o))
	add("load-generator", r.busyLoad(o))
	add("foreign-cpu", r.foreign())
	return out
}

// dependence says whether the seconds of a window depend on each other so much
// that its own interval misleads.
func dependence(r run) string {
	m, ok := r.measures[throughput]
	if !ok {
		return ""
	}
	a, err := stats.Autocorrelation(m.series, 1)
	if err != nil || a <= highLag1 {
		return ""
	}
	return fmt.Sprintf("lag-1 autocorrelation %.2f: its seconds depend on each other, so trust intervals over runs only", a)
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
