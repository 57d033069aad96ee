package projection

import (
	"errors"
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// facts are what the assumptions in words depend on.
type facts struct {
	projected, intervals bool
	responses            map[string]bool // origins of response times
	noDatabase           bool
}

func (f *facts) note(m mode) {
	if f.responses == nil {
		f.responses = map[string]bool{}
	}
	f.responses[m.origin] = true
	f.noDatabase = f.noDatabase || !m.database
}

// outcome is what the model gives.
type outcome struct{ throughput, response, apimBusy, databaseBusy float64 }

func predict(q quantities, h report.Hardware) (outcome, error) {
	x, err := q.network(h).Throughput(h.Users)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{throughput: x, response: max(0, queueing.Response(h.Users, x, h.ThinkSeconds))}
	o.apimBusy = min(1, queueing.Utilisation(x, q.apim, h.APIManagerVCPUs))
	if h.DatabaseVCPUs > 0 {
		o.databaseBusy = min(1, queueing.Utilisation(x, q.database, h.DatabaseVCPUs))
	}
	return o, nil
}

// projectGrant projects one grant, or refuses it with the reason.
func projectGrant(r report.Report, name string, p report.Projection, known *facts) report.ProjectedGrant {
	g := report.ProjectedGrant{Grant: name, Notes: []string{}}
	on, off, err := models(r, name, p.Measured)
	if err != nil {
		g.Refused = err.Error()
		return g
	}
	known.note(on)
	known.note(off)
	g.On, g.Off = measuredMode(on), measuredMode(off)
	g.Notes = append(g.Notes, notes(on, off)...)
	g.RatioMeasured = measuredRatio(r, name)
	for _, c := range []struct {
		name string
		mode mode
	}{{"on", on}, {"off", off}} {
		if g.Refused = c.mode.refusal(c.name); g.Refused != "" {
			return g
		}
	}
	then := p.Projected
	if !on.database {
		then.DatabaseVCPUs = 0
	}
	if err := project(&g, on, off, then, p); err != nil {
		g.Refused = fmt.Sprintf("the model cannot be solved: %v", err)
		return g
	}
	g.Notes = append(g.Notes, generator(r, name, "on", on, g.On)...)
	g.Notes = append(g.Notes, generator(r, name, "off", off, g.Off)...)
	known.projected = true
	known.intervals = known.intervals || g.On.Throughput.Lo != nil
	return g
}

// models builds the models of both modes.
func models(r report.Report, grant string, h report.Hardware) (on, off mode, err error) {
	runsOn, err := read(r, grant, false, h)
	if err != nil {
		return on, off, err
	}
	runsOff, err := read(r, grant, true, h)
	if err != nil {
		return on, off, err
	}
	if runsOn.database != runsOff.database {
		return on, off, errors.New("only one of the modes has a database CPU, so they cannot be compared: look at the warnings of the report")
	}
	if !runsOn.database {
		h.DatabaseVCPUs = 0
	}
	if on, err = build(runsOn, h); err == nil {
		off, err = build(runsOff, h)
	}
	if err != nil {
		err = fmt.Errorf("the model cannot be solved: %w", err)
	}
	return on, off, err
}

// measuredMode fills in what was measured and the back-cast.
func measuredMode(m mode) *report.ProjectedMode {
	const ms = 1000
	out := &report.ProjectedMode{
		Runs:             len(m.samples),
		Measured:         runLevel(m.throughput, 1, m.pick(sample.rate)),
		MeasuredResponse: runLevel(m.response, ms, m.pick(sample.responseTime)),
		APIManagerDemand: runLevel(m.centre.apim, ms, m.pick(sample.apimDemand)),
		Delay:            report.Interval{Estimate: number(m.centre.delay * ms), Lo: number(min(m.shortest, m.centre.delay) * ms), Hi: number(m.centre.delay * ms)},
		Backcast:         number(m.backcast.throughput),
		BackcastResponse: number(m.backcast.response * ms),
	}
	throughput, response := m.misses()
	out.BackcastError, out.BackcastResponseError = number(throughput), number(response)
	if !math.IsInf(m.ceiling, 1) {
		out.FastAnswers = number(m.ceiling * ms)
	}
	if m.database {
		out.DatabaseDemand = runLevel(m.centre.database, ms, m.pick(sample.databaseDemand))
	}
	return out
}

// project fills in what the model gives for the projected hardware h.
func project(g *report.ProjectedGrant, on, off mode, h report.Hardware, p report.Projection) error {
	x, err := predict(on.centre, h)
	if err != nil {
		return err
	}
	y, err := predict(off.centre, h)
	if err != nil {
		return err
	}
	var drawnOn, drawnOff draws
	var least, most []float64
	if min(len(on.samples), len(off.samples)) > 1 {
		if drawnOn, drawnOff, least, most, err = simulate(on, off, h, p.Draws, p.Seed); err != nil {
			return err
		}
	}
	if err := predicted(g.On, on, x, drawnOn, h); err != nil {
		return err
	}
	if err := predicted(g.Off, off, y, drawnOff, h); err != nil {
		return err
	}
	g.RatioProjected = interval(y.throughput/x.throughput, 1, least, most)
	return nil
}

// predicted fills in one mode.
func predicted(to *report.ProjectedMode, m mode, o outcome, drawn draws, h report.Hardware) error {
	const ms = 1000
	bounds, err := m.centre.network(h).Asymptotic(h.Users)
	if err != nil {
		return err
	}
	alone := m.centre
	alone.delay = 0
	free, err := predict(alone, h)
	if err != nil {
		return err
	}
	to.WithoutDelay = number(free.throughput)
	to.Throughput = interval(o.throughput, 1, drawn.slow.throughput, drawn.fast.throughput)
	to.Response = interval(o.response, ms, drawn.fast.response, drawn.slow.response)
	to.Change = number(o.throughput/m.backcast.throughput - 1)
	to.BoundLo, to.BoundHi = number(bounds.ThroughputLo), number(bounds.ThroughputHi)
	to.APIManagerBusy = interval(o.apimBusy, 1, drawn.slow.apimBusy, drawn.fast.apimBusy)
	if h.DatabaseVCPUs > 0 {
		to.DatabaseBusy = interval(o.databaseBusy, 1, drawn.slow.databaseBusy, drawn.fast.databaseBusy)
	}
	to.Bottleneck = bottleneck(o.throughput, m.centre, h)
	return nil
}

// measuredRatio is the ratio of the report itself.
func measuredRatio(r report.Report, grant string) report.Interval {
	for _, c := range r.Comparisons {
		if c.Grant == grant && c.Metric == report.MetricThroughput {
			return report.Interval{Estimate: c.Ratio.Estimate, Lo: c.Ratio.Lo, Hi: c.Ratio.Hi}
		}
	}
	return report.Interval{}
}
