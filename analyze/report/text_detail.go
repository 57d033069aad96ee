package report

import (
	"fmt"
	"strings"
)

// caveats writes every caveat in full, with where it applies.
func (p *page) caveats(r Report) {
	all := r.caveats()
	if len(all) == 0 {
		return
	}
	p.heading("Caveats")
	for _, c := range all {
		text := c.Text
		if where := c.place(); where != "" {
			text += " [" + where + "]"
		}
		p.hanging("! ", text)
	}
}

// explanation writes in full what the measurements say about the reasons.
func (p *page) explanation(r Report) {
	if len(r.Explanation) == 0 {
		return
	}
	p.heading("Why")
	for _, e := range r.Explanation {
		p.hanging("- ", e)
	}
}

// hanging writes a paragraph whose first line starts with a mark.
func (p *page) hanging(mark, text string) {
	indent := strings.Repeat(" ", width(mark))
	for i, l := range wrap(text, textWidth-width(mark)) {
		if i == 0 {
			p.line(mark + l)
		} else {
			p.line(indent + l)
		}
	}
}

// evidence is everything about one grant.
func (p *page) evidence(r Report, g Grant) {
	p.heading(g.Grant)
	lines := wrap(string(g.Verdict)+"  "+g.Why, textWidth)
	lines[0] = p.verdict(g.Verdict) + strings.TrimPrefix(lines[0], string(g.Verdict))
	p.lines(lines)
	all := r.comparisons(g.Grant)
	p.lines(evidenceTable(all))
	for _, m := range methodLines(all) {
		p.hanging("  ", m)
	}
	p.windows(r, g.Grant)
}

// methodLines says once per method which metrics it was used for, and gives
// the probabilities of those that have any.
func methodLines(all []Comparison) []string {
	var order []string
	metrics := map[string][]string{}
	for _, c := range all {
		key := strings.TrimSpace(c.Status + ": " + c.Method)
		if c.Method == "" {
			continue
		}
		if _, ok := metrics[key]; !ok {
			order = append(order, key)
		}
		metrics[key] = append(metrics[key], c.Label)
	}
	var out []string
	for _, key := range order {
		out = append(out, key+" ("+strings.Join(metrics[key], ", ")+")")
	}
	for _, c := range all {
		if text := tests(c); text != "" {
			out = append(out, c.Label+": "+text)
		}
	}
	return out
}

// tests writes the probabilities of a comparison that has them.
func tests(c Comparison) string {
	var parts []string
	if c.PDifference != nil {
		parts = append(parts, "p of no difference "+pText(c.PDifference))
	}
	if c.PSignFlip != nil {
		parts = append(parts, "by sign flips "+pText(c.PSignFlip))
	}
	if c.PNonInferior != nil {
		parts = append(parts, "p of the loss being over the limit "+pText(c.PNonInferior))
	}
	if c.DetectableLoss != nil {
		parts = append(parts, "smallest loss these runs detect "+percentText(c.DetectableLoss))
	}
	return strings.Join(parts, "; ")
}

// windows is the table of the windows of one grant.
func (p *page) windows(r Report, grant string) {
	head := false
	for _, d := range r.Diagnostics {
		if d.Grant != grant {
			continue
		}
		if !head {
			p.line("")
			p.line(windowRow("block", "mode", "start (UTC)", "seconds", "tokens/s", "CV", "half-width", "lag 1", "load", "foreign"))
			head = true
		}
		block := missing
		if d.Block > 0 {
			block = fmt.Sprint(d.Block)
		}
		p.line(windowRow(block, d.Persistence, clockText(d.Start), trimZero(fixed(d.Seconds, 1)),
			valueText(d.Throughput, ""), percentText(d.CV), percentText(d.HalfWidth), numberText(d.Lag1, 2),
			percentText(d.LoadCPU), numberText(d.ForeignCPU, 2)))
	}
}

func windowRow(cells ...string) string {
	widths := []int{5, 5, 11, 8, 9, 8, 11, 6, 8, 8}
	var b strings.Builder
	for i, c := range cells {
		if i == 1 {
			b.WriteString(" " + pad(c, widths[i]-1))
			continue
		}
		b.WriteString(padLeft(c, widths[i]))
	}
	return b.String()
}

// reference holds the ratios against both published editions.
func (p *page) reference(r Report) {
	if len(r.Reference) == 0 {
		return
	}
	p.heading("Published by WSO2")
	p.line(pad("grant", 22) + padLeft("on/s", 6) + padLeft("off/s", 7) + padLeft("ratio", 7) + padLeft("ours", 7) + "  " + pad("result", 16) + "direction")
	for _, x := range byEdition(r.Reference) {
		if x.first {
			p.line(x.Edition)
		}
		ours := missing
		if c := r.metric(x.Grant, MetricThroughput); c != nil {
			ours = ratioText(c.Ratio.Estimate)
		}
		p.line(pad(cut("  "+x.Grant, 21), 22) + padLeft(significant(x.On), 6) + padLeft(significant(x.Off), 7) +
			padLeft(ratioText(&x.Ratio), 7) + padLeft(ours, 7) + "  " + pad(x.Result, 16) + x.Direction)
		if x.Why != "" {
			p.hanging("    ", x.Why)
		}
	}
}

// editionRow is a published cell; first marks the first of its edition.
type editionRow struct {
	Reference
	first bool
}

func byEdition(all []Reference) []editionRow {
	var out []editionRow
	for _, e := range (Report{Reference: all}).editions() {
		first := true
		for _, x := range all {
			if x.Edition == e {
				out = append(out, editionRow{x, first})
				first = false
			}
		}
	}
	return out
}

func (p *page) method(r Report) {
	p.heading("Method")
	if h := r.Hypothesis; h.Text != "" {
		p.lines(wrap(h.Text, textWidth))
	}
	for _, m := range r.Methods {
		p.hanging("- ", m)
	}
	for _, l := range r.Environment.lines() {
		p.hanging("- ", l)
	}
}

// lines describes the system under test in words.
func (e Environment) lines() []string {
	var out []string
	host := func(name string, h Host) {
		if h.Nodes > 1 {
			name = fmt.Sprintf("%s, %d nodes", name, h.Nodes)
		}
		switch {
		case h.Instance != "" && h.VCPUs > 0:
			out = append(out, fmt.Sprintf("%s: %s, %d vCPU", name, h.Instance, h.VCPUs))
		case h.Instance != "":
			out = append(out, name+": "+h.Instance+", vCPU unknown")
		case h.VCPUs > 0:
			out = append(out, fmt.Sprintf("%s: %d vCPU", name, h.VCPUs))
		}
	}
	host("API Manager", e.APIManager)
	host("Database", e.Database)
	if e.Users > 0 || e.Applications > 0 {
		out = append(out, fmt.Sprintf("Load: %d users, %d applications", e.Users, e.Applications))
	}
	return append(out, e.Notes...)
}

func (p *page) provenance(r Report) {
	p.heading("Provenance")
	v := r.Provenance
	p.hanging("program    ", v.Program)
	if len(v.Arguments) > 0 {
		p.hanging("arguments  ", strings.Join(v.Arguments, " "))
	}
	p.linef("seed       %d", v.Seed)
	for _, in := range v.rows() {
		if in.Query == "" {
			p.hanging(pad(in.Kind, 10)+" ", fmt.Sprintf("%s  %d rows  sha256 %s", in.Name, in.Count, short(in.SHA256)))
		} else {
			p.hanging(pad(in.Kind, 10)+" ", fmt.Sprintf("%s: %s (%d windows, %d samples)", in.Name, in.Query, in.Windows, in.Count))
		}
	}
	p.line("Every query with its range and the hash of its samples is in the JSON report.")
}

// short is enough of a hash to tell files apart.
func short(hash string) string {
	r := []rune(hash)
	return string(r[:min(12, len(r))])
}
