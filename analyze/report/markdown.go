package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// markdownLines is the most a report takes in a pull request, where it stands
// above the discussion.
const markdownLines = 60

// Bounds of what grows with an experiment. Reasons take the lines that are left.
const (
	markdownGrants  = 6
	markdownCaveats = 6
	markdownMetrics = 13
)

// Markdown writes the report for a pull request or a job summary: verdict,
// three ratios per grant, why, caveats, evidence, method, at most 60 lines. What
// does not fit is counted, never dropped in silence.
func Markdown(w io.Writer, r Report, _ Options) error {
	r = plain(r)
	top := append(markdownHead(r), markdownRatios(r)...)
	bottom := append(markdownEvidence(r), markdownFoot(r))
	caveats := listed("### Caveats", markdownWarnings(r), markdownCaveats)
	why := listed("### Why", markdownReasons(r), markdownLines-top.lines()-caveats.lines()-bottom.lines()-3)
	var text []string
	for _, block := range slices.Concat(top, why, caveats, bottom) {
		text = append(text, strings.Join(block, "\n"))
	}
	_, err := io.WriteString(w, strings.Join(text, "\n\n")+"\n")
	return err
}

// blocks are groups of lines with an empty line between them.
type blocks [][]string

// lines counts the lines of blocks, each with an empty one before it.
func (b blocks) lines() int {
	n := 0
	for _, block := range b {
		n += len(block) + 1
	}
	return n
}

// listed is a heading and at most most items; the rest is counted.
func listed(heading string, items []string, most int) blocks {
	if len(items) == 0 {
		return nil
	}
	if len(items) > most {
		shown := max(most-1, 0)
		items = append(items[:shown:shown], fmt.Sprintf("- %d more in the other formats", len(items)-shown))
	}
	return blocks{{heading}, items}
}

func markdownHead(r Report) blocks {
	title := r.Title
	if title == "" {
		title = "Token persistence on and off"
	}
	out := blocks{{"## " + symbol(r.Verdict) + " " + inMarkdown(string(r.Verdict)) + ": " + inMarkdown(title)}}
	if r.Banner != "" {
		out = append(out, []string{"> **" + inMarkdown(r.Banner) + "**"})
	}
	return append(out, []string{inMarkdown(sentence(r))})
}

// markdownRatios is the first table, a row per grant, and how to read it.
func markdownRatios(r Report) blocks {
	if len(r.Grants) == 0 {
		return nil
	}
	editions := r.editions()
	editions = editions[:min(len(editions), 2)]
	head, rule := "| grant | verdict |", "|---|---|"
	for _, c := range threeRatios {
		head, rule = head+" "+c.head+" |", rule+"---:|"
	}
	notes := []string{"Ratios are persistence off / on with their 95 % interval; below 1 there is less without persistence."}
	for i, e := range editions {
		head, rule = head+" published "+editionMark(i)+" |", rule+"---:|"
		notes = append(notes, "Published throughput ratio "+editionMark(i)+": "+inMarkdown(e)+".")
	}
	table := []string{head, rule}
	for _, g := range r.Grants[:min(len(r.Grants), markdownGrants)] {
		row := "| " + inMarkdown(g.Grant) + " | " + symbol(g.Verdict) + " " + inMarkdown(string(g.Verdict)) + " |"
		for _, c := range threeRatios {
			row += " " + markdownEffect(r.metric(g.Grant, c.metric)) + " |"
		}
		for _, e := range editions {
			cell := missing
			if x := r.published(e, g.Grant); x != nil {
				cell = ratioText(&x.Ratio) + " " + inMarkdown(x.Result)
			}
			row += " " + cell + " |"
		}
		table = append(table, row)
	}
	if more := len(r.Grants) - markdownGrants; more > 0 {
		notes = append(notes, fmt.Sprintf("%d more grants are in the other formats.", more))
	}
	return blocks{table, {strings.Join(notes, " ")}}
}

// markdownEffect is a ratio in bold with its interval.
func markdownEffect(c *Comparison) string {
	if c == nil || c.Ratio.Estimate == nil {
		return missing
	}
	text := "**" + c.effectText() + "**"
	if interval := c.intervalText(); interval != "" {
		text += " (" + interval + ")"
	}
	return text
}

// markdownReasons are the reasons of the grants, the gravest verdicts first when
// there are too many, and the explanation.
func markdownReasons(r Report) []string {
	grants := slices.Clone(r.Grants)
	if len(grants) > markdownGrants {
		slices.SortStableFunc(grants, func(a, b Grant) int { return gravity(b.Verdict) - gravity(a.Verdict) })
	}
	var out []string
	for _, g := range grants {
		out = append(out, "- **"+inMarkdown(string(g.Verdict))+"** "+inMarkdown(g.Grant)+": "+inMarkdown(g.Why))
	}
	for _, e := range r.Explanation {
		out = append(out, "- "+inMarkdown(e))
	}
	return out
}

// gravity orders verdicts as the overall verdict does.
func gravity(v Verdict) int {
	return slices.Index([]Verdict{Pass, Inconclusive, NoData, Fail}, v)
}

func markdownWarnings(r Report) []string {
	var out []string
	for _, c := range r.caveats() {
		text := "- " + inMarkdown(c.Text)
		if where := c.place(); where != "" {
			text += " (" + inMarkdown(where) + ")"
		}
		out = append(out, text)
	}
	return out
}

// markdownEvidence has a row per metric and a column per grant, folded away.
func markdownEvidence(r Report) blocks {
	grants := r.Grants[:min(len(r.Grants), markdownGrants)]
	var order []Comparison // the first of each metric
	for _, c := range r.Comparisons {
		if !slices.ContainsFunc(order, func(o Comparison) bool { return o.Metric == c.Metric }) {
			order = append(order, c)
		}
	}
	if len(order) == 0 || len(grants) == 0 {
		return nil
	}
	head, rule := "| on → off (ratio) |", "|---|"
	for _, g := range grants {
		head, rule = head+" "+inMarkdown(g.Grant)+" |", rule+"---:|"
	}
	table := []string{head, rule}
	for _, o := range order[:min(len(order), markdownMetrics)] {
		label := inMarkdown(o.Label)
		if unit := unitText(o.Unit); unit != "" {
			label += ", " + inMarkdown(unit)
		}
		row := "| " + label + " |"
		for _, g := range grants {
			row += " " + markdownSides(r.metric(g.Grant, o.Metric)) + " |"
		}
		table = append(table, row)
	}
	out := blocks{{"<details><summary>Evidence per grant</summary>"}, table}
	if more := len(order) - markdownMetrics; more > 0 {
		out = append(out, []string{fmt.Sprintf("%d more metrics are in the other formats.", more)})
	}
	return append(out, []string{"</details>"})
}

// markdownSides is both modes of a metric and its effect.
func markdownSides(c *Comparison) string {
	if c == nil || c.On.Estimate == nil && c.Off.Estimate == nil {
		return missing
	}
	return plainSide(c.On.Estimate, c.Unit) + " → " + plainSide(c.Off.Estimate, c.Unit) + " " + markdownEffect(c)
}

// markdownFoot is method and provenance in one line.
func markdownFoot(r Report) []string {
	var parts []string
	if r.Hypothesis.Text != "" {
		parts = append(parts, "Tested: "+r.Hypothesis.Text)
	}
	if r.Provenance.Program != "" {
		parts = append(parts, r.Provenance.Program)
	}
	parts = append(parts, fmt.Sprintf("seed %d", r.Provenance.Seed),
		fmt.Sprintf("%d inputs, named with their hashes in the JSON report", len(r.Provenance.Inputs)))
	return []string{"<sub>" + inMarkdown(strings.Join(parts, " · ")) + "</sub>"}
}

// inMarkdown writes text so that Markdown shows it as it is: no markup, no
// links, no pictures, and no further column in a table.
func inMarkdown(s string) string { return markdownEscapes.Replace(s) }

var markdownEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;",
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "[", `\[`, "~", `\~`, "$", `\$`)
