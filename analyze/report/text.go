package report

import (
	"fmt"
	"io"
	"slices"
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
	r = plain(r)
	p := &page{color: o.Color}
	p.screen(r)
	p.explanation(r)
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
	rest := max(firstScreen-len(head)-len(table), 0)
	caveats := 0
	if len(r.caveats()) > 0 {
		caveats = leastCaveats
	}
	why := p.why(r, max(rest-caveats, min(rest, len(r.Grants)+1)))
	p.lines(head)
	p.lines(table)
	p.lines(why)
	p.lines(foremost(r, rest-len(why)))
}

// leastCaveats are the lines kept for caveats on the first screen: an empty one,
// the gravest and how many more there are.
const leastCaveats = 3

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
	passes, fails := "loses at most "+loss+" of the throughput", "loses more than "+loss+" of the throughput"
	if r.Hypothesis.Load == "rate" {
		passes, fails = "loses at most "+loss+" of the tokens per core-ms of either host", "loses more than "+loss+" of the tokens per core-ms of a host"
	}
	switch r.Verdict {
	case Pass:
		return "For every grant, switching persistence off " + passes + "."
	case Fail:
		var failed []string
		for _, g := range r.Grants {
			if g.Verdict == Fail {
				failed = append(failed, g.Grant)
			}
		}
		return "For " + cut(strings.Join(failed, " and "), 60) + ", switching persistence off " + fails + " or raises the errors."
	case NoData:
		return "At least one input cannot be used, so nothing is decided."
	default:
		return "The runs do not decide whether switching persistence off " + fails + "."
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

// why gives every grant its reason and, where there is one, the explanation from
// the measurements. Each gets a line; of what is left, up to three lines each,
// the reasons of open grants come first, because they end in what is missing for
// a verdict, then the explanations. All stand in full further down.
func (p *page) why(r Report, room int) []string {
	if room < 2 || len(r.Grants) == 0 {
		return nil
	}
	var items [][]string
	for _, g := range r.Grants {
		items = append(items, wrap(string(g.Verdict)+" "+cut(g.Grant, 40)+": "+g.Why, textWidth))
	}
	for _, e := range r.Explanation {
		items = append(items, wrap(e, textWidth))
	}
	items = items[:min(len(items), room-1)]
	lines := make([]int, len(items))
	left := room - 1 - len(items)
	for i := range lines {
		lines[i] = 1
	}
	for most := 2; most <= 3; most++ {
		for _, i := range whyOrder(r, len(items)) {
			if left > 0 && lines[i] < min(most, len(items[i])) {
				lines[i]++
				left--
			}
		}
	}
	out := []string{""}
	for i, item := range items {
		shown := shorten(item, lines[i])
		if i < len(r.Grants) {
			v := r.Grants[i].Verdict
			shown[0] = p.verdict(v) + strings.TrimPrefix(shown[0], string(v))
		}
		out = append(out, shown...)
	}
	return out
}

// whyOrder are the numbers of the first n reasons and explanations, those first
// that lose most when they are cut.
func whyOrder(r Report, n int) []int {
	rank := func(i int) int {
		switch {
		case i >= len(r.Grants):
			return 1
		case r.Grants[i].Verdict == Inconclusive || r.Grants[i].Verdict == NoData:
			return 0
		}
		return 2
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank(a) - rank(b) })
	return order
}

// shorten keeps the first n lines and marks that there were more.
func shorten(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	out := append([]string{}, lines[:n]...)
	out[n-1] = cut(out[n-1]+" …", textWidth)
	if !strings.HasSuffix(out[n-1], "…") {
		out[n-1] += "…"
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
