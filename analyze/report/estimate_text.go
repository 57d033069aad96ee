package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/oneline"
)

// WriteText writes the estimate for a terminal of 80 columns: the answer of each
// case first, what it rests on below.
func (e Estimate) WriteText(w io.Writer, o Options) error {
	out := &page{color: o.Color}
	if e.Banner != "" {
		out.line(out.paint("7", cut(oneline.Text(e.Banner), textWidth)))
	}
	if e.Title != "" {
		out.line(out.bold(cut(oneline.Text(e.Title), textWidth)))
	}
	if len(e.Cases) > 1 {
		out.estimateOverview(e.Cases)
	}
	for _, c := range e.Cases {
		out.estimated(c)
	}
	if len(e.Notes) > 0 {
		out.heading("How to read this")
		for _, n := range e.Notes {
			out.hanging("- ", n)
		}
	}
	_, err := io.WriteString(w, out.text.String())
	return err
}

// Columns of the tables.
const (
	estimateLabel = 28
	estimateCell  = 12
	estimateRange = 25
	truthLabel    = 26
)

// estimateOverview is one line for each of several cases.
func (p *page) estimateOverview(all []EstimatedCase) {
	p.line("")
	p.line(pad("off / on", estimateLabel) + pad("low–high (middle)", estimateRange) + "measured")
	for _, c := range all {
		row := pad(cut(oneline.Text(c.Name), estimateLabel-1), estimateLabel)
		if c.Refused != "" {
			p.line(row + "REFUSED")
			continue
		}
		shown, measured := c.Ratio, missing
		if t := c.Truth; t != nil && len(t.Checks) > 0 { // the last check is that of the throughput, if there is one
			last := t.Checks[len(t.Checks)-1]
			shown, measured = last.Estimated, last.Measured.ratio()+" "+last.Result
		}
		p.line(row + pad(shown.ratioText(), estimateRange) + measured)
	}
}

func (p *page) estimated(c EstimatedCase) {
	p.heading(oneline.Text(c.Name))
	if c.Refused != "" {
		p.hanging("REFUSED  ", c.Refused)
		p.estimateCaveats(c.Warnings)
		return
	}
	for _, a := range c.Answer {
		p.lines(wrap(a, textWidth))
	}
	p.line("")
	p.line(pad("", estimateLabel) + pad("now, on", estimateCell) + "off: low–high (middle)")
	for _, r := range []struct {
		label, on, off string
	}{
		{"API Manager, core-ms/token", plainNumber(c.APIManager.DemandOn), c.APIManager.DemandOff.valueText()},
		{"database, core-ms/token", plainNumber(c.Database.DemandOn), c.Database.DemandOff.valueText()},
		{"API Manager busy", percentText(c.APIManager.BusyOn), c.APIManager.BusyOff.percentText()},
		{"database busy", percentText(c.Database.BusyOn), c.Database.BusyOff.percentText()},
		{"at most, tokens/s", plainNumber(c.CapacityOn.Middle), c.CapacityOff.valueText()},
		{"limited by", c.LimitOn, c.LimitOff},
		{"off / on", "", c.Ratio.ratioText()},
	} {
		p.line(pad(r.label, estimateLabel) + pad(r.on, estimateCell) + r.off)
	}
	p.estimateCaveats(c.Warnings)
	p.estimateTruth(c.Truth)
	p.estimateAssumptions(c.Assumptions)
	p.estimatedStatements(c)
	p.line("")
	p.lines(wrap(fmt.Sprintf("Data: %s to %s, %s s between readings of the statement summaries; %s tokens/s%s.",
		wordOrMissing(c.From), wordOrMissing(c.To), significant(c.Seconds), plainNumber(c.Throughput), mixText(c.Mix)), textWidth))
}

func (p *page) estimateCaveats(all []Warning) {
	for _, w := range all {
		p.hanging("! ", oneline.Text(w.Text))
	}
}

// estimateTruth is the table of what was measured without persistence.
func (p *page) estimateTruth(t *EstimateTruth) {
	if t == nil {
		return
	}
	p.line("")
	p.line(pad(fmt.Sprintf("measured off, %d runs", t.Runs), truthLabel) + pad("estimated", estimateRange) + "measured")
	for _, h := range t.Checks {
		cell := h.Estimated.valueText()
		measured := h.Measured.text(h.Unit)
		if h.Unit == "ratio" { // of off to on, not a share
			cell, measured = h.Estimated.ratioText(), h.Measured.ratio()
		}
		label := h.What
		if h.Unit != "ratio" {
			label += ", " + unitText(h.Unit)
		}
		p.line(cut(pad(cut(label, truthLabel-1), truthLabel)+pad(cell, estimateRange)+measured+" "+h.Result, textWidth))
	}
}

// assumptions are listed with what they do to the answer.
func (p *page) estimateAssumptions(all []Assumption) {
	p.line("")
	p.line(p.bold("off / on at either end") + "   assumption, what matters most first")
	for _, a := range all {
		ends := "no matter"
		if a.AtLo != nil && a.AtHi != nil && ratioText(a.AtLo) != ratioText(a.AtHi) {
			ends = ratioText(a.AtLo) + " … " + ratioText(a.AtHi)
		}
		value := significant(a.Lo) + " to " + significant(a.Hi)
		if a.Lo == a.Hi {
			value = significant(a.Lo)
		}
		p.hanging(pad(ends, 16), strings.TrimSpace(fmt.Sprintf("%s: %s %s, %s: %s", a.Name, value, a.Unit, a.Origin, a.Text)))
	}
}

// estimatedStatements lists the kinds that matter.
func (p *page) estimatedStatements(c EstimatedCase) {
	if len(c.Statements) == 0 {
		return
	}
	p.line("")
	p.line(pad("statement", estimateLabel) + pad("per token", 14) + pad("core-ms of one", 18) + "without persistence")
	for _, s := range c.Statements {
		p.line(cut(pad(cut(oneline.Text(s.Kind), estimateLabel-1), estimateLabel)+pad(s.PerToken.short(), 14)+pad(s.CoreMS.short(), 18)+s.Fate, textWidth))
	}
	p.hanging("", "Cost of a statement: "+c.StatementBy+".")
}

// ratioText writes a range of ratios, its middle in brackets.
func (r Range) ratioText() string {
	return r.write(func(v float64) string { return ratioText(&v) })
}

func (r Range) valueText() string { return r.write(significant) }

func (r Range) percentText() string {
	return r.write(func(v float64) string { return percentText(&v) })
}

// short leaves the middle out.
func (r Range) short() string {
	r.Middle = nil
	return r.valueText()
}

func (r Range) write(number func(float64) string) string {
	if r.Lo == nil || r.Hi == nil {
		if r.Lo != nil {
			return "over " + number(*r.Lo)
		}
		return missing
	}
	lo, hi := number(*r.Lo), number(*r.Hi)
	text := lo + "–" + hi
	if lo == hi {
		text = lo
	}
	if r.Middle == nil || lo == hi {
		return text
	}
	return text + " (" + number(*r.Middle) + ")"
}

func plainNumber(n Number) string {
	if n == nil {
		return missing
	}
	return significant(*n)
}

func wordOrMissing(text string) string {
	if text == "" {
		return missing
	}
	return text
}

// mixText names the grants by their share.
func mixText(all []GrantShare) string {
	parts := make([]string, 0, len(all))
	for _, g := range slices.SortedStableFunc(slices.Values(all), func(a, b GrantShare) int {
		return cmp.Compare(middleOf(b.Share), middleOf(a.Share))
	}) {
		if middleOf(g.Share) >= 0.005 {
			parts = append(parts, oneline.Text(g.Grant)+" "+percentText(g.Share.Middle))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func middleOf(r Range) float64 {
	if r.Middle == nil {
		return 0
	}
	return *r.Middle
}
