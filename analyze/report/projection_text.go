package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the projection for a terminal of 80 columns, one block per
// grant and what the numbers assume below them.
func (p Projection) WriteText(w io.Writer, o Options) error {
	out := &page{color: o.Color}
	if p.Banner != "" {
		out.line(out.paint("7", cut(p.Banner, textWidth)))
	}
	if p.Title != "" {
		out.line(out.bold(cut(p.Title, textWidth)))
	}
	out.lines(wrap("Projected to "+p.Projected.text()+"; measured on "+p.Measured.text()+".", textWidth))
	for _, g := range p.Grants {
		out.projected(p, g)
	}
	out.heading("What this assumes")
	for _, a := range p.Assumptions {
		out.hanging("- ", a)
	}
	_, err := io.WriteString(w, out.text.String())
	return err
}

func (h Hardware) text() string {
	parts := []string{fmt.Sprintf("%d vCPU for API Manager", h.APIManagerVCPUs)}
	if h.DatabaseVCPUs > 0 {
		parts = append(parts, fmt.Sprintf("%d for the database", h.DatabaseVCPUs))
	}
	parts = append(parts, fmt.Sprintf("%d users", h.Users))
	if h.ThinkSeconds > 0 {
		parts = append(parts, fmt.Sprintf("%s s think time", significant(h.ThinkSeconds)))
	}
	return strings.Join(parts, ", ")
}

// Columns of a grant's block: a label and one cell per mode.
const (
	projectionLabel = 30
	projectionCell  = 25
)

// projectionRow is a row of a grant's block. A row without any cell is left out.
type projectionRow struct {
	label string
	cell  func(ProjectedMode) string
}

// measuredRows hold what the model is made of, and whether it fits.
var measuredRows = []projectionRow{
	{"measured, tokens/s", func(m ProjectedMode) string { return m.Measured.text("") }},
	{"response time, ms", func(m ProjectedMode) string { return m.MeasuredResponse.text("") }},
	{"API Manager, core-ms/token", func(m ProjectedMode) string { return m.APIManagerDemand.text("") }},
	{"database, core-ms/token", func(m ProjectedMode) string { return m.DatabaseDemand.text("") }},
	{"outside both CPUs, ms/token", delayText},
	{"back-cast, tokens/s", func(m ProjectedMode) string { return missText(m.Backcast, m.BackcastError) }},
	{"back-cast, ms", func(m ProjectedMode) string { return missText(m.BackcastResponse, m.BackcastResponseError) }},
}

// delayText writes the delays that the measurements allow.
func delayText(m ProjectedMode) string {
	d := m.Delay
	if d.Lo == nil || d.Hi == nil || *d.Lo == *d.Hi {
		return d.text("")
	}
	return significant(*d.Lo) + " to " + significant(*d.Hi)
}

// missText writes a back-cast with the ratio by which it is off.
func missText(value, miss Number) string {
	if value == nil || miss == nil {
		return ""
	}
	return significant(*value) + " (" + signed(*miss*100, 1) + " %)"
}

// projectedRows hold what the model gives.
var projectedRows = []projectionRow{
	{"throughput, tokens/s", func(m ProjectedMode) string { return m.Throughput.text("") }},
	{"against the back-cast", func(m ProjectedMode) string {
		if m.Change == nil {
			return ""
		}
		return signed(*m.Change*100, 1) + " %"
	}},
	{"no time outside, tokens/s", func(m ProjectedMode) string {
		if m.WithoutDelay == nil {
			return ""
		}
		return significant(*m.WithoutDelay)
	}},
	{"bounds, tokens/s", func(m ProjectedMode) string {
		if m.BoundLo == nil || m.BoundHi == nil {
			return ""
		}
		return significant(*m.BoundLo) + "–" + significant(*m.BoundHi)
	}},
	{"response time, ms", func(m ProjectedMode) string { return m.Response.text("") }},
	{"API Manager busy", func(m ProjectedMode) string { return m.APIManagerBusy.text("ratio") }},
	{"database busy", func(m ProjectedMode) string { return m.DatabaseBusy.text("ratio") }},
	{"bottleneck", func(m ProjectedMode) string { return m.Bottleneck }},
}

func (p *page) projected(all Projection, g ProjectedGrant) {
	p.heading(cut(g.Grant, textWidth))
	if g.On != nil && g.Off != nil {
		p.line(pad("", projectionLabel) + pad("persistence on", projectionCell) + "persistence off")
		p.modeRows(measuredRows, *g.On, *g.Off)
	}
	if g.Refused != "" {
		p.hanging("REFUSED  ", g.Refused)
	} else if g.On != nil && g.Off != nil {
		p.line(all.Projected.short())
		p.modeRows(projectedRows, *g.On, *g.Off)
		p.hanging("off / on  ", fmt.Sprintf("%s projected, %s measured", g.RatioProjected.ratio(), g.RatioMeasured.ratio()))
	}
	for _, n := range g.Notes {
		p.hanging("! ", n)
	}
}

// short heads the projected rows.
func (h Hardware) short() string {
	cores := fmt.Sprintf("with %d", h.APIManagerVCPUs)
	if h.DatabaseVCPUs > 0 {
		cores += fmt.Sprintf(" + %d", h.DatabaseVCPUs)
	}
	return fmt.Sprintf("%s vCPU, %d users", cores, h.Users)
}

func (p *page) modeRows(all []projectionRow, on, off ProjectedMode) {
	for _, r := range all {
		a, b := r.cell(on), r.cell(off)
		if a == "" && b == "" {
			continue
		}
		p.line(pad("  "+r.label, projectionLabel) + pad(cut(a, projectionCell-1), projectionCell) + cut(b, projectionCell))
	}
}

// text writes an interval in a unit, "" when there is no value.
func (i Interval) text(unit string) string {
	if i.Estimate == nil {
		return ""
	}
	return sideText(Side{Estimate: i.Estimate, Lo: i.Lo, Hi: i.Hi}, unit)
}

func (i Interval) ratio() string {
	if i.Lo == nil || i.Hi == nil {
		return ratioText(i.Estimate)
	}
	return ratioText(i.Estimate) + " (" + ratioText(i.Lo) + "–" + ratioText(i.Hi) + ")"
}
