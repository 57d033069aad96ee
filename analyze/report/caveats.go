package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Caveat is a warning and where it applies; nowhere in particular means to the
// whole experiment.
type Caveat struct {
	Warning
	Where   []string
	windows map[string]int // of a grant: how many it concerns
}

// place writes where a caveat applies, shortened.
func (c Caveat) place() string {
	const most = 2
	windows := 0
	for _, n := range c.windows {
		windows += n
	}
	switch n := len(c.Where); {
	case windows > 1:
		return fmt.Sprintf("the first of %d windows", windows)
	case n == 0:
		return ""
	case n <= most:
		return strings.Join(c.Where, "; ")
	default:
		return fmt.Sprintf("%s; %s and %d more", c.Where[0], c.Where[1], n-most)
	}
}

// window names a window for people: "password on, block 3".
func (d RunCheck) window() string {
	if d.Block == 0 {
		return d.Grant + " " + d.Persistence + " at " + clockText(d.Start)
	}
	return fmt.Sprintf("%s %s, block %d", d.Grant, d.Persistence, d.Block)
}

// weights order caveats by what they do to the conclusion: data that is not
// there, then what disturbed a measurement, then what the design cannot show,
// then what to keep in mind while reading. Unknown ones stand in the middle.
var weights = map[string]int{
	"no-samples": 0, "no-rows": 0, "outside": 0, "warm-up": 0, "missing-data": 1, "bad-rows": 1, "ambiguous": 1, "partial": 1, "unit": 1, "undated": 1,
	"silence": 2, "counter": 2, "step": 2, "drift": 2, "short-warmup": 2, "load-generator": 2, "foreign-cpu": 2, "users": 2, "other-requests": 2,
	"order": 3, "mixed-blocks": 3, "unequal-windows": 3, "one-run": 3, "few-pairs": 3, "few-runs": 3, "carry-over": 3, "rate": 3,
	"few-points": 6, "range-step": 6, "aliasing": 6, "autocorrelation": 7, "zero": 7, "estimate": 7,
	"partial-second": 8, "closed-loop": 8, "database-cores": 8, "apim-cores": 8, "nodes": 8,
}

const middleWeight = 5

// caveats are all warnings, the gravest first, each text once with the places
// it concerns. Warnings of single windows are folded by kind, and left out
// where a comparison has spoken for all its windows already.
func (r Report) caveats() []Caveat {
	var out []Caveat
	at, spoken := map[string]int{}, map[string]bool{}
	add := func(key string, w Warning, where string) {
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, Caveat{Warning: w, windows: map[string]int{}})
		}
		if where != "" && !slices.Contains(out[i].Where, where) {
			out[i].Where = append(out[i].Where, where)
		}
	}
	for _, w := range r.Warnings {
		add(w.ID+"\x00"+w.Text, w, "")
	}
	for _, c := range r.Comparisons {
		for _, w := range c.Warnings {
			spoken[w.ID] = true
			if w.Windows == 0 {
				add(w.ID+"\x00"+w.Text, w, c.Grant+" "+c.Label)
				continue
			}
			// Several metrics of a grant complain of the same windows.
			add(w.ID, w, c.Grant+" "+c.Label)
			of := out[at[w.ID]].windows
			of[c.Grant] = max(of[c.Grant], w.Windows)
		}
	}
	for _, d := range r.Diagnostics {
		for _, w := range d.Warnings {
			if !spoken[w.ID] {
				add(w.ID, w, d.window())
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Caveat) int { return cmp.Compare(a.weight(), b.weight()) })
	return out
}

func (c Caveat) weight() int {
	if w, ok := weights[c.ID]; ok {
		return w
	}
	return middleWeight
}
