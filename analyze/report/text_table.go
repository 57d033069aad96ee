package report

import (
	"strings"
)

// evidenceRow is one metric in the table of a grant.
type evidenceRow struct{ label, on, off, effect string }

// Bounds of the columns of the evidence table; the effect takes what is left.
const (
	leastLabel  = 18
	wantedLabel = 24
	mostLabel   = 36
)

// evidenceTable is the metrics of one grant in columns as wide as their cells.
// Where a row would be wider than the page, the widest rows leave the intervals
// of the modes to the other formats, and then labels are cut.
func evidenceTable(all []Comparison) []string {
	if len(all) == 0 {
		return nil
	}
	rows := []evidenceRow{{"metric", "persistence on", "persistence off", "off / on"}}
	for _, c := range all {
		rows = append(rows, newEvidenceRow(c))
	}
	on, off, effect := cellWidths(rows, 2)
	if room(on, off, effect) < wantedLabel {
		on, off, effect = cellWidths(rows, 1)
	}
	for room(on, off, effect) < wantedLabel && narrow(rows, all) {
		on, off, effect = cellWidths(rows, 1)
	}
	label := max(room(on, off, effect), leastLabel)
	widest := 0
	for _, r := range rows {
		widest = max(widest, width(r.label)+2)
	}
	label = min(label, max(widest, leastLabel), mostLabel)
	out := []string{""}
	for _, r := range rows {
		out = append(out, cut(pad(cut(r.label, label-1), label)+pad(r.on, on)+pad(r.off, off)+r.effect, textWidth))
	}
	return out
}

// narrow takes the intervals of the modes from the row that is widest by them;
// false when no row has any left.
func narrow(rows []evidenceRow, all []Comparison) bool {
	widest, most := -1, 0
	for i, c := range all {
		r := &rows[i+1]
		if plain := plainSide(c.On.Estimate, c.Unit); r.on == plain && r.off == plainSide(c.Off.Estimate, c.Unit) {
			continue
		}
		if w := max(width(r.on), width(r.off)); w > most {
			widest, most = i, w
		}
	}
	if widest < 0 {
		return false
	}
	c := all[widest]
	rows[widest+1].on, rows[widest+1].off = plainSide(c.On.Estimate, c.Unit), plainSide(c.Off.Estimate, c.Unit)
	return true
}

// newEvidenceRow shortens what would not fit: "per token" stands in the unit, and
// a rise that is only known to be at most so much needs no estimate.
func newEvidenceRow(c Comparison) evidenceRow {
	label := c.Label
	if unit := unitText(c.Unit); unit != "" {
		label += ", " + unit
	}
	if c.Unit == "core-ms/token" {
		label = strings.TrimSuffix(c.Label, " CPU per token") + ", " + c.Unit
	}
	effect := missing
	if c.Ratio.Estimate != nil {
		effect = strings.TrimSpace(c.effectText() + " " + c.intervalText())
		if c.Effect == "difference" && c.Ratio.Lo == nil && c.Ratio.Hi != nil {
			effect = c.intervalText()
		}
	}
	return evidenceRow{label, sideCell(c.On, c.Unit), sideCell(c.Off, c.Unit), effect}
}

// cellWidths are the widths of the columns with a gap behind the first two.
func cellWidths(rows []evidenceRow, gap int) (on, off, effect int) {
	for _, r := range rows {
		on, off, effect = max(on, width(r.on)+gap), max(off, width(r.off)+gap), max(effect, width(r.effect))
	}
	return on, off, effect
}

// room is what the other columns leave for the label.
func room(on, off, effect int) int { return textWidth - on - off - effect }

// sideCell leaves the percent sign to the label, which has it.
func sideCell(s Side, unit string) string {
	return strings.NewReplacer(" %", "", "(", "", ")", "").Replace(sideText(s, unit))
}

// plainSide is a mode's value alone.
func plainSide(n Number, unit string) string {
	return strings.TrimSuffix(valueText(n, unit), " %")
}
