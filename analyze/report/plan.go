package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Plan says how many pairs of runs an experiment needs, from how much pairs of a
// pilot differed, and in which order to run them. Its JSON form is public.
type Plan struct {
	SchemaVersion int            `json:"schema_version"`
	Title         string         `json:"title"`
	Report        string         `json:"report"`     // the pilot
	MaxLoss       float64        `json:"max_loss"`   // ratio
	Power         float64        `json:"power"`      // wanted
	Confidence    float64        `json:"confidence"` // of the cautious numbers
	Grants        []PlannedGrant `json:"grants"`
	Pairs         int            `json:"pairs"` // of the schedule: the most cautious of any grant
	Hours         Number         `json:"hours"` // of load, without restores and restarts
	Schedule      []PlannedBlock `json:"schedule"`
	Notes         []string       `json:"notes"`
	Checklist     []string       `json:"checklist"`
	Seed          uint64         `json:"seed"`
	Program       string         `json:"program"`
}

// PlannedGrant is the number of pairs for one grant. Unknown says why there is
// none.
type PlannedGrant struct {
	Grant         string `json:"grant"`
	Unknown       string `json:"unknown,omitempty"`
	Metric        string `json:"metric"`                 // what the plan is made of: of those that are judged the one that differs most
	Label         string `json:"label,omitempty"`        // of the metric, for people
	Pilot         int    `json:"pilot"`                  // pairs, or runs of the mode with fewer
	Paired        bool   `json:"paired"`                 // whether the pilot's runs were in blocks
	SD            Number `json:"sd_log_ratio"`           // of the log ratio of a pair
	SDUpper       Number `json:"sd_log_ratio_upper"`     // with Confidence
	Pairs         int    `json:"pairs"`                  // if SD is true
	PairsCautious int    `json:"pairs_cautious"`         // if SDUpper is true; 0 when beyond all measuring
	Detectable    Number `json:"detectable_after_pilot"` // loss that the pilot itself detects with Power
}

// PlannedBlock is one pair of every grant.
type PlannedBlock struct {
	Block  int      `json:"block"`
	First  string   `json:"first"` // on or off
	Then   string   `json:"then"`
	Grants []string `json:"grants"` // in this order, under both modes
}

// WriteJSON writes the plan as it is, indented.
func (p Plan) WriteJSON(w io.Writer) error {
	p.Grants, p.Schedule, p.Notes, p.Checklist = list(p.Grants), list(p.Schedule), list(p.Notes), list(p.Checklist)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(p)
}

// WriteText writes the plan for a terminal of 80 columns.
func (p Plan) WriteText(w io.Writer, o Options) error {
	out := &page{color: o.Color}
	if p.Title != "" {
		out.line(out.bold(cut("Plan after: "+p.Title, textWidth)))
	}
	out.plannedPairs(p)
	for _, n := range p.Notes {
		out.hanging("! ", n)
	}
	if len(p.Schedule) > 0 {
		out.heading(fmt.Sprintf("Schedule, drawn with seed %d", p.Seed))
		out.line(padLeft("block", 5) + "  " + pad("first", 7) + pad("then", 7) + "grants, in this order under both modes")
		for _, b := range p.Schedule {
			lead := padLeft(fmt.Sprint(b.Block), 5) + "  " + pad(b.First, 7) + pad(b.Then, 7)
			out.hanging(lead, strings.Join(b.Grants, ", "))
		}
	}
	out.heading("Before every window")
	for i, c := range p.Checklist {
		out.hanging(fmt.Sprintf("%2d. ", i+1), c)
	}
	_, err := io.WriteString(w, out.text.String())
	return err
}

// plannedPairs is the table of the grants with the sentence it leads to.
func (p *page) plannedPairs(all Plan) {
	p.line("")
	p.line(pad("grant", 22) + padLeft("pilot", 6) + padLeft("SD of a", 12) + padLeft("with "+percentText(&all.Confidence), 14) + padLeft("pairs", 8) + padLeft("pairs, cautious", 17))
	p.line(pad("", 22) + padLeft("pairs", 6) + padLeft("log ratio", 12) + padLeft("confidence", 14))
	for _, g := range all.Grants {
		row := pad(cut(g.Grant, 21), 22)
		if g.Unknown != "" {
			p.line(row + padLeft(missing, 6))
			p.hanging("  ", g.Unknown)
			continue
		}
		cautious := fmt.Sprint(g.PairsCautious)
		if g.PairsCautious == 0 {
			cautious = missing
		}
		p.line(row + padLeft(fmt.Sprint(g.Pilot), 6) + padLeft(percentText(g.SD), 12) + padLeft(percentText(g.SDUpper), 14) +
			padLeft(fmt.Sprint(g.Pairs), 8) + padLeft(cautious, 17))
	}
	p.line("")
	loss, power := percentText(&all.MaxLoss), percentText(&all.Power)
	p.lines(wrap(fmt.Sprintf("With so many pairs a loss of %s is found with a chance of %s, and a grant that loses nothing gets its PASS at --max-loss %s with the same chance. The cautious number counts on a spread that the true one exceeds with a chance of %s only.",
		loss, power, strings.ReplaceAll(loss, " ", ""), percentText(complement(all.Confidence))), textWidth))
	if all.Hours != nil && all.Pairs > 0 {
		p.linef("%d pairs take %s hours of load, restores and restarts not counted.", all.Pairs, significant(*all.Hours))
	}
}

func complement(v float64) Number {
	rest := 1 - v
	return &rest
}
