package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/estimate"
	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// presentOf puts together what was counted in some windows and what the study
// measured in those with persistence on.
func presentOf(windows []source.Usage, r report.Report, grant string, e report.Environment) estimate.Present {
	var u source.Usage
	seconds := 0.0
	for _, w := range windows {
		if w.Readings > 0 {
			seconds += w.To.Sub(w.From).Seconds()
		}
		u = u.Plus(w)
	}
	p := estimate.Present{
		From: u.From, To: u.To, Readings: u.Readings, Gap: u.Gap, Step: u.Step, Seconds: seconds,
		Tokens: u.Tokens, Uncovered: u.Uncovered, Introspections: u.Introspections,
		Kinds: map[string]estimate.Work{}, Purposes: u.Purposes, All: estimate.Work(u.All), CPUMeasured: u.CPUMeasured,
		Unattributed: u.Unattributed, Uncounted: u.Uncounted, Resets: u.Resets, Rows: u.Rows,
		NodesOff: u.Modes["off"], InvalidTokensIndex: u.InvalidTokensIndex,
		APIManagerVCPUs: e.APIManager.VCPUs, DatabaseVCPUs: e.Database.VCPUs,
	}
	for kind, w := range u.Kinds {
		p.Kinds[kind] = estimate.Work(w)
	}
	for _, c := range r.Comparisons {
		if c.Grant != grant {
			continue
		}
		switch c.Metric {
		case report.MetricThroughput:
			p.Throughput = c.On.Estimate
		case report.MetricAPIManagerCPU:
			p.APIManagerCPU, p.APIManagerPoints = c.On.Estimate, observations(c.On)
		case report.MetricDatabaseCPU:
			p.DatabaseCPU, p.DatabasePoints = c.On.Estimate, observations(c.On)
		case report.MetricAPIManagerCoreMS:
			p.APIManagerCoreMS = c.On.Estimate
		case report.MetricDatabaseCoreMS:
			p.DatabaseCoreMS = c.On.Estimate
		}
	}
	return p
}

func observations(s report.Side) int {
	n := 0
	for _, r := range s.Runs {
		n += r.N
	}
	return n
}

// measuredOff is what the study measured without persistence.
func measuredOff(r report.Report, grant string) estimate.Measured {
	var m estimate.Measured
	for _, c := range r.Comparisons {
		if c.Grant != grant {
			continue
		}
		off := report.Interval{Estimate: c.Off.Estimate, Lo: c.Off.Lo, Hi: c.Off.Hi}
		switch c.Metric {
		case report.MetricThroughput:
			m.Runs, m.Throughput = len(c.Off.Runs), off
			if r.Hypothesis.Load != study.RateLoad { // there the throughput is what the load generator asks for
				m.Ratio = report.Interval{Estimate: c.Ratio.Estimate, Lo: c.Ratio.Lo, Hi: c.Ratio.Hi}
			}
		case report.MetricAPIManagerCoreMS:
			m.APIManagerCoreMS = off
		case report.MetricDatabaseCoreMS:
			m.DatabaseCoreMS = off
		}
	}
	return m
}

// troubles sorts what the readers could not use: what leaves no estimate, and
// what weakens it.
func troubles(read, counted []source.Problem) (refusals []string, warnings []report.Warning) {
	relevant := []string{source.EndpointRequests, source.APIManagerCPU, source.DatabaseCPU}
	for _, p := range read {
		switch {
		case p.NoData:
			refusals = append(refusals, p.Text)
		case slices.Contains(relevant, p.Series):
			warnings = append(warnings, report.Warning{ID: p.Warning, Text: p.Text})
		}
	}
	for _, p := range counted {
		if p.Warning == "source" {
			warnings = append(warnings, report.Warning{ID: p.Warning, Text: p.Text})
		} else if !slices.Contains(refusals, p.Text) {
			refusals = append(refusals, p.Text)
		}
	}
	return refusals, warnings
}

// measuredWarnings are those of the study about the numbers that an estimate
// uses; the others are about comparing modes.
func measuredWarnings(r report.Report) []report.Warning {
	var out []report.Warning
	for _, c := range r.Comparisons {
		if !slices.Contains([]string{report.MetricThroughput, report.MetricAPIManagerCPU, report.MetricDatabaseCPU, report.MetricAPIManagerCoreMS, report.MetricDatabaseCoreMS}, c.Metric) {
			continue
		}
		for _, w := range c.Warnings {
			known := slices.ContainsFunc(out, func(o report.Warning) bool { return o.Text == w.Text })
			if slices.Contains([]string{"counter", "few-points", "aliasing"}, w.ID) && !known {
				out = append(out, w)
			}
		}
	}
	return out
}

var errBounds = errors.New("give one number, or two with .. between them")

// parseAssumption reads NAME=LOW..HIGH.
func parseAssumption(text string) (string, estimate.Bounds, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return "", estimate.Bounds{}, errBounds
	}
	b, err := parseBounds(value)
	return strings.TrimSpace(name), b, err
}

// parseBounds reads LOW..HIGH, or one number that is both.
func parseBounds(text string) (estimate.Bounds, error) {
	lo, hi, ok := strings.Cut(text, "..")
	if !ok {
		hi = lo
	}
	a, errA := parseAmount(lo)
	b, errB := parseAmount(hi)
	if errA != nil || errB != nil {
		return estimate.Bounds{}, errBounds
	}
	return estimate.Bounds{Lo: a, Hi: b}, nil
}

// parseAmount reads a time, in milliseconds, a percentage or a plain number.
func parseAmount(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if d, err := time.ParseDuration(text); err == nil {
		return float64(d) / float64(time.Millisecond), nil
	}
	number, isPercent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		v /= 100
	}
	return v, err
}
