package report

import (
	"fmt"
	"io"
	"strings"
)

const (
	textWidth   = 80
	firstScreen = 24 // lines: what a terminal shows without scrolling
)

// Text writes the report for a terminal of 80 columns. The first 24 lines hold
// the verdict, three ratios per grant beside the published ones, why, and the
// caveats that come first; everything else follows.
func Text(w io.Writer, r Report, o Options) error {
	p := &page{color: o.Color}
	p.screen(r)
	p.caveats(r)
	for _, g := range r.Grants {
		p.evidence(r, g)
	}
	p.reference(r)
	p.method(r)
	p.provenance(r)
	_, err := io.WriteString(w, p.text.String())
	return err
}

// screen is the first screen: at most firstScreen lines whatever the report.
func (p *page) screen(r Report) {
	head := p.head(r)
	table := ratioTable(r)
	rest := firstScreen - len(head) - len(table)
	why := p.why(r, max(rest, 0))
	rest -= len(why)
	p.lines(head)
	p.lines(table)
	p.lines(why)
	p.lines(foremost(r, rest))
}

// head is the banner, the title and the verdict in words.
func (p *page) head(r Report) []string {
	var out []string
	if r.Banner != "" {
		out = append(out, p.paint("7", cut(r.Banner, textWidth)))
	}
	if r.Title != "" {
		out = append(out, p.bold(cut(r.Title, textWidth)))
	}
	out = append(out, "")
	says := wrap(sentence(r), textWidth-width(string(r.Verdict))-2)
	for i, l := range says[:min(len(says), 2)] {
		lead := strings.Repeat(" ", width(string(r.Verdict))+2)
		if i == 0 {
			lead = p.verdict(r.Verdict) + "  "
		}
		out = append(out, lead+l)
	}
	return append(out, "")
}

// sentence says what an overall verdict means for the reader's decision.
func sentence(r Report) string {
	loss := trimZero(fixed(r.Hypothesis.MaxLoss*100, 1)) + " %"
	switch r.Verdict {
	case Pass:
		return "For every grant, switching persistence off loses at most " + loss + " of the throughput."
	case Fail:
		var failed []string
		for _, g := range r.Grants {
			if g.Verdict == Fail {
				failed = append(failed, g.Grant)
			}
		}
		return "For " + cut(strings.Join(failed, " and "), 60) + ", switching persistence off loses more than " + loss + " of the throughput or raises the errors."
	case NoData:
		return "At least one input cannot be used, so nothing is decided."
	default:
		return "The runs do not decide whether switching persistence off loses more than " + loss + " of the throughput."
	}
}

// threeRatios are the columns of the first table.
var threeRatios = []struct {
	metric, head string
	width        int
}{
	{MetricThroughput, "throughput", 16},
	{MetricAPIManagerCPU, "API Manager CPU", 16},
	{MetricDatabaseCPU, "database CPU", 18}, // room for 0.014 0.008–0.025
}

// ratioTable is the table of the first screen.
func ratioTable(r Report) []string {
	if len(r.Grants) == 0 {
		return nil
	}
	const grantWidth, pubWidth = 19, 5
	editions := r.editions()
	pubs := min(len(editions), 2)
	top := pad("", grantWidth) + pad("off / on with 95 % interval", ratiosWidth())
	if pubs > 0 {
		top += "published"
	}
	heads := pad("grant", grantWidth)
	for _, c := range threeRatios {
		heads += pad(c.head, c.width)
	}
	for i := range pubs {
		heads += pad(editionMark(i), pubWidth)
	}
	out := []string{top, heads}
	const mostGrants = 6
	for _, g := range r.Grants[:min(len(r.Grants), mostGrants)] {
		row := pad(cut(g.Grant, grantWidth-1), grantWidth)
		for _, c := range threeRatios {
			row += pad(cut(ratioCell(r.metric(g.Grant, c.metric)), c.width-1), c.width)
		}
		for i := range pubs {
			row += pad(publishedCell(r.published(editions[i], g.Grant)), pubWidth)
		}
		out = append(out, row)
	}
	if more := len(r.Grants) - mostGrants; more > 0 {
		out = append(out, fmt.Sprintf("and %d more grants below", more))
	}
	var notes []string
	for i := range pubs {
		notes = append(notes, editionMark(i)+" "+editions[i])
	}
	if len(notes) > 0 {
		out = append(out, cut("published throughput ratio: "+strings.Join(notes, "; "), textWidth))
	}
	return out
}

func ratiosWidth() (sum int) {
	for _, c := range threeRatios {
		sum += c.width
	}
	return sum
}

func editionMark(i int) string { return string(rune('A' + i)) }

func ratioCell(c *Comparison) string {
	if c == nil || c.Ratio.Estimate == nil {
		return missing
	}
	return cut(strings.TrimSpace(c.effectText()+" "+c.intervalText()), 23)
}

func publishedCell(x *Reference) string {
	if x == nil {
		return missing
	}
	return ratioText(&x.Ratio)
}

// why gives every grant its reason. It takes what it needs up to room, each
// reason at least one line; the reasons stand in full with the evidence.
func (p *page) why(r Report, room int) []string {
	if room < 2 || len(r.Grants) == 0 {
		return nil
	}
	most := max(1, min(3, (room-1)/len(r.Grants)))
	out := []string{""}
	for _, g := range r.Grants {
		lines := wrap(string(g.Verdict)+" "+cut(g.Grant, 40)+": "+g.Why, textWidth)
		if len(lines) > most {
			lines = lines[:most]
			lines[most-1] = cut(lines[most-1]+" …", textWidth)
			if !strings.HasSuffix(lines[most-1], "…") {
				lines[most-1] += "…"
			}
		}
		lines[0] = p.verdict(g.Verdict) + strings.TrimPrefix(lines[0], string(g.Verdict))
		if len(out)+len(lines) > room {
			break
		}
		out = append(out, lines...)
	}
	return out
}

// foremost lists as many caveats as fit, and says how many there are.
func foremost(r Report, room int) []string {
	all := r.caveats()
	if len(all) == 0 || room < 3 {
		return nil
	}
	out := []string{""}
	shown := 0
	for _, c := range all {
		line := cut("! "+c.Text, textWidth)
		// One line stays for the count of the rest.
		if len(out)+1 > room-1 {
			break
		}
		out = append(out, line)
		shown++
	}
	if more := len(all) - shown; more > 0 || shown < len(all) {
		return append(out, fmt.Sprintf("  %d more caveats below, all of them in full", more))
	}
	return out
}
