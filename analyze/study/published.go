package study

import (
	"fmt"
	"math"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/internal/reference"
)

// Results of holding our ratio against a published one.
const (
	resultAgrees        = "agrees"
	resultDiffers       = "differs"
	resultUndecided     = "undecided"
	resultNotComparable = "not comparable"
)

// Directions of our effect against the published one.
const (
	directionSame      = "same"
	directionOpposite  = "opposite"
	directionUndecided = "undecided"
)

// agreementLevel is that of the interval which has to lie inside the margin:
// two one-sided tests at 5 %.
const agreementLevel = 0.90

// published holds every grant against both editions. A grant that an edition
// does not list has no row.
func published(grants []*grant, o Options) []report.Reference {
	out := []report.Reference{}
	for _, edition := range reference.Editions() {
		for _, g := range grants {
			for _, row := range edition.Rows() {
				if row.Grant == g.name {
					out = append(out, g.against(edition, row, o))
				}
			}
		}
	}
	return out
}

func (g *grant) against(edition reference.Edition, row reference.Row, o Options) report.Reference {
	c := g.tokens()
	ref := report.Reference{
		Edition: edition.Name, Grant: g.name, On: row.On, Off: row.Off, Ratio: row.Ratio, Margin: o.ReferenceMargin,
		Result: resultUndecided, Direction: directionUndecided,
	}
	if len(g.unusable) > 0 || c.estimate == nil {
		ref.Result, ref.Why = resultNotComparable, "our ratio has no interval"
		return ref
	}
	ref.Direction = direction(c, row)
	if why := incomparable(edition, o); why != "" {
		ref.Result, ref.Why = resultNotComparable, why
		return ref
	}
	if c.Method == methodWithin {
		ref.Why = "one run of each mode"
		return ref
	}
	ref.Result, ref.Why = agreement(c, row, o.ReferenceMargin)
	return ref
}

// direction compares signs once our interval excludes "no change".
func direction(c *comparison, row reference.Row) string {
	e := c.estimate
	if e.Lo <= 0 && e.Hi >= 0 {
		return directionUndecided
	}
	if (e.Value > 0) == (row.LogRatio > 0) {
		return directionSame
	}
	return directionOpposite
}

// incomparable says in which declared condition the experiment differs.
func incomparable(edition reference.Edition, o Options) string {
	var differ []string
	note := func(what string, ours, theirs int) {
		switch ours {
		case theirs:
		case 0:
			differ = append(differ, fmt.Sprintf("the number of %s is not declared (published: %d)", what, theirs))
		default:
			differ = append(differ, fmt.Sprintf("%d %s instead of %d", ours, what, theirs))
		}
	}
	note("users", o.Environment.Users, edition.Conditions.Users)
	note("applications", o.Environment.Applications, edition.Conditions.Applications)
	if o.Load != edition.Conditions.Load {
		differ = append(differ, fmt.Sprintf("load: %s instead of %s", o.Load, edition.Conditions.Load))
	}
	return strings.Join(differ, ", ")
}

// agreement decides on the log scale, where a margin is the same up and down.
func agreement(c *comparison, row reference.Row, margin float64) (result, why string) {
	m := math.Log1p(margin)
	inner, err := c.estimate.At(agreementLevel)
	if err == nil && inner.Lo >= row.LogRatio-m && inner.Hi <= row.LogRatio+m {
		return resultAgrees, fmt.Sprintf("our 90 %% interval lies within %s of %s", percent(margin), ratio(row.Ratio))
	}
	if c.estimate.Lo > math.Log(row.RatioHi)+m || c.estimate.Hi < math.Log(row.RatioLo)-m {
		return resultDiffers, fmt.Sprintf("our 95 %% interval lies beyond %s of %s", percent(margin), ratio(row.Ratio))
	}
	return resultUndecided, "our interval is too wide to tell"
}
