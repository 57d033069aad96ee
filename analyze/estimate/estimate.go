// Package estimate says what switching token persistence off would do to a
// system that runs with persistence on, without an off test: it takes the
// measured cost of the statements that persistence needs away, adds that of the
// statements and signatures that replace them, and gives capacity and
// utilisation of both hosts. Everything that the data do not tell is an
// assumption with two ends; the answer is the range that they span together, a
// sensitivity range and no confidence interval.
//
// It refuses data that are too few, not from a system with persistence on, or
// that contradict each other, and says what to change. It reads nothing: counts
// and CPU come in as values.
//
//	c := estimate.Run("all grants", present, estimate.Options{})
package estimate

import (
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Work is what statements used: executions, and seconds of each kind.
type Work struct {
	Executions  float64
	Seconds     float64 // from begin to end, waiting included
	LockSeconds float64 // of these, waiting for locks
	CPUSeconds  float64 // of a processor; 0 where the server does not measure it
}

// Present is what was measured with persistence on. Amounts are those between
// From and To, between which the statements were read.
type Present struct {
	From, To time.Time
	Readings int           // intervals between readings
	Gap      time.Duration // the longest of them
	Step     time.Duration // the median
	Seconds  float64       // read, gaps between windows left out

	Tokens         float64         // successful token requests
	Uncovered      time.Duration   // without a count of tokens
	Introspections float64         // successful ones
	Kinds          map[string]Work // token statements
	Purposes       map[string]string
	All            Work    // statements of all clients
	CPUMeasured    bool    // whether Work has processor time
	Unattributed   float64 // executions of no known kind
	Uncounted      float64 // executions that the summaries do not hold
	Resets         int
	Rows           map[string]float64 // by grant type
	NodesOff       float64            // API Manager nodes whose log says that persistence is off
	// InvalidTokensIndex: nil when nobody knows.
	InvalidTokensIndex *bool

	Throughput       report.Number // tokens/s
	APIManagerCPU    report.Number // busy share of all vCPUs
	DatabaseCPU      report.Number
	APIManagerCoreMS report.Number // core-ms per token, over the time of the CPU's points
	DatabaseCoreMS   report.Number
	APIManagerPoints int // of the CPU series
	DatabasePoints   int
	APIManagerVCPUs  int
	DatabaseVCPUs    int
	Warnings         []report.Warning // about the series above
	Problems         []string         // that leave no estimate
}

// Bounds are the two ends of an assumption.
type Bounds struct{ Lo, Hi float64 }

// Options hold what the user knows better: by the name of an assumption.
type Options struct {
	Given map[string]Bounds
}

// Run makes the estimate of one system, or says in Refused why there is none.
// The same values give the same estimate.
func Run(name string, p Present, o Options) report.EstimatedCase {
	c := report.EstimatedCase{
		Name: name, From: stamp(p.From), To: stamp(p.To), Seconds: p.Seconds, Readings: p.Readings,
		Throughput: p.Throughput, Warnings: slices.Clone(p.Warnings),
	}
	if c.Refused = refusal(p); c.Refused != "" {
		return c
	}
	m := newModel(p)
	all, err := assumptions(m, o)
	if err != nil {
		c.Refused = err.Error()
		return c
	}
	c.Warnings = append(c.Warnings, warnings(m)...)
	fill(&c, m, all)
	c.Answer, c.Direction = answer(c)
	return c
}

// fill moves every assumption between its ends.
func fill(c *report.EstimatedCase, m model, all []assumption) {
	middle := m.at(middles(all))
	c.APIManager = report.EstimatedHost{VCPUs: m.p.APIManagerVCPUs, DemandOn: number(m.apim), BusyOn: m.p.APIManagerCPU}
	c.Database = report.EstimatedHost{VCPUs: m.p.DatabaseVCPUs, DemandOn: number(m.database), BusyOn: m.p.DatabaseCPU}
	ranges := []struct {
		into *report.Range
		of   func(outcome) float64
	}{
		{&c.APIManager.DemandOff, func(o outcome) float64 { return o.apimOff }},
		{&c.Database.DemandOff, func(o outcome) float64 { return o.databaseOff }},
		{&c.APIManager.BusyOff, func(o outcome) float64 { return o.apimBusyOff }},
		{&c.Database.BusyOff, func(o outcome) float64 { return o.databaseBusyOff }},
		{&c.CapacityOn, func(o outcome) float64 { return o.capacityOn }},
		{&c.CapacityOff, func(o outcome) float64 { return o.capacityOff }},
		{&c.Ratio, func(o outcome) float64 { return o.capacityOff / o.capacityOn }},
		{&c.Growth, func(o outcome) float64 { return o.invalidTokens * *m.p.Throughput * 86400 }},
	}
	corners := everyCorner(m, all)
	for _, r := range ranges {
		*r.into = span(corners, middle, r.of)
	}
	c.LimitOn, c.LimitOff = limit(corners, func(o outcome) string { return o.limitOn }), limit(corners, func(o outcome) string { return o.limitOff })
	c.Mix = m.mix()
	c.Statements, c.StatementBy = m.statements(corners, middle, middles(all)), m.costedBy()
	c.Assumptions = sensitivity(m, all)
}

// everyCorner evaluates the model with every assumption at one of its ends, in
// every combination. The model rises or falls with each of them, so the ends of
// its results are among these.
func everyCorner(m model, all []assumption) []outcome {
	var free []assumption
	for _, a := range all {
		if a.Lo < a.Hi {
			free = append(free, a)
		}
	}
	out := make([]outcome, 0, 1<<len(free))
	for corner := range 1 << len(free) {
		v := middles(all)
		for i, a := range free {
			v[a.Name] = a.Lo
			if corner>>i&1 == 1 {
				v[a.Name] = a.Hi
			}
		}
		out = append(out, m.at(v))
	}
	return out
}

func span(corners []outcome, middle outcome, of func(outcome) float64) report.Range {
	lo, hi := of(middle), of(middle)
	for _, c := range corners {
		lo, hi = min(lo, of(c)), max(hi, of(c))
	}
	return report.Range{Lo: number(lo), Middle: number(of(middle)), Hi: number(hi)}
}

// limit names the host that limits in all corners, or says that it depends.
func limit(corners []outcome, of func(outcome) string) string {
	first := of(corners[0])
	for _, c := range corners {
		if of(c) != first {
			return "either"
		}
	}
	return first
}

// sensitivity evaluates each assumption at its ends with the others in the
// middle, and sorts by what that does to the ratio.
func sensitivity(m model, all []assumption) []report.Assumption {
	at := func(a assumption, value float64) float64 {
		v := middles(all)
		v[a.Name] = value
		o := m.at(v)
		return o.capacityOff / o.capacityOn
	}
	out := make([]report.Assumption, 0, len(all))
	for _, a := range all {
		a.AtLo, a.AtHi = number(at(a, a.Lo)), number(at(a, a.Hi))
		out = append(out, a.Assumption)
	}
	slices.SortStableFunc(out, func(a, b report.Assumption) int {
		switch x, y := swing(a), swing(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}

func swing(a report.Assumption) float64 {
	if a.AtLo == nil || a.AtHi == nil {
		return 0
	}
	return max(*a.AtLo-*a.AtHi, *a.AtHi-*a.AtLo)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z07:00")
}
