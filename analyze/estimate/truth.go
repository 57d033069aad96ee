package estimate

import (
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Measured is what runs without persistence showed: each with its interval over
// runs.
type Measured struct {
	Runs             int
	Throughput       report.Interval // tokens/s
	APIManagerCoreMS report.Interval // core-ms per token
	DatabaseCoreMS   report.Interval
	Ratio            report.Interval // of the throughputs, off / on
}

// Truth holds an estimate against runs without persistence. The database's CPU
// per token is compared at the load of those runs, because a part of it does not
// grow with the tokens. The ratio of the capacities is held against that which
// the measured CPU gives. Where users ask for as many tokens as they can get, the
// throughput is held against the capacity: with persistence off in tokens/s, and
// relative to the throughput with it, which is then all that the system carries.
func Truth(p Present, o Options, off Measured) *report.EstimateTruth {
	if refusal(p) != "" || off.Throughput.Estimate == nil {
		return nil
	}
	m := newModel(p)
	all, err := assumptions(m, o)
	if err != nil {
		return nil
	}
	corners, middle := everyCorner(m, all), m.at(middles(all))
	x := *off.Throughput.Estimate
	t := &report.EstimateTruth{Runs: off.Runs}
	check := func(what, unit string, measured report.Interval, of func(outcome) float64) {
		if measured.Estimate != nil {
			r := span(corners, middle, of)
			t.Checks = append(t.Checks, report.EstimateHit{What: what, Unit: unit, Estimated: r, Measured: measured, Result: result(r, *measured.Estimate)})
		}
	}
	check("API Manager", "core-ms/token", off.APIManagerCoreMS, func(o outcome) float64 { return o.apimOff })
	check("database", "core-ms/token", off.DatabaseCoreMS, func(o outcome) float64 { return o.perToken + o.fixedDatabase/x })
	if off.Ratio.Estimate != nil { // else the load generator set the throughput
		check("throughput", "tokens/s", off.Throughput, func(o outcome) float64 { return o.capacityOff })
	}
	ratio := func(o outcome) float64 { return o.capacityOff / o.capacityOn }
	check("capacity by measured CPU", "ratio", report.Interval{Estimate: m.byDemands(off)}, ratio)
	check("throughput off / on", "ratio", off.Ratio, func(o outcome) float64 { return o.capacityOff / m.x })
	return t
}

// result says where a measured value fell.
func result(r report.Range, v float64) string {
	switch {
	case r.Lo != nil && v < *r.Lo:
		return "below"
	case r.Hi != nil && v > *r.Hi:
		return "above"
	}
	return "inside"
}

// byDemands is the ratio of the capacities that measured CPU gives in both modes.
func (m model) byDemands(off Measured) report.Number {
	if off.APIManagerCoreMS.Estimate == nil || off.DatabaseCoreMS.Estimate == nil {
		return nil
	}
	on, _ := m.capacity(m.apim, 0, m.database, 0)
	without, _ := m.capacity(*off.APIManagerCoreMS.Estimate, 0, *off.DatabaseCoreMS.Estimate, 0)
	return number(without / on)
}
