package report

import (
	"encoding/json"
	"io"
)

// JSON writes the report as it is, indented. Missing numbers are null and
// empty lists are [], so that a reader never has to test for both.
func JSON(w io.Writer, r Report, _ Options) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(complete(r))
}

// complete replaces nil lists by empty ones, on copies of what it changes.
func complete(r Report) Report {
	r.Grants = list(r.Grants)
	r.Reference = list(r.Reference)
	r.Explanation = list(r.Explanation)
	r.Projections = list(r.Projections)
	r.Warnings = list(r.Warnings)
	r.Methods = list(r.Methods)
	r.Provenance.Arguments = list(r.Provenance.Arguments)
	r.Provenance.Inputs = list(r.Provenance.Inputs)

	r.Comparisons = append([]Comparison{}, r.Comparisons...)
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		c.On.Runs, c.Off.Runs, c.Warnings = list(c.On.Runs), list(c.Off.Runs), list(c.Warnings)
	}
	r.Diagnostics = append([]RunCheck{}, r.Diagnostics...)
	for i := range r.Diagnostics {
		r.Diagnostics[i].Warnings = list(r.Diagnostics[i].Warnings)
	}
	r.Figures = append([]Figure{}, r.Figures...)
	for i := range r.Figures {
		f := &r.Figures[i]
		f.Lines = append([]Line{}, f.Lines...)
		for j := range f.Lines {
			f.Lines[j].Seconds, f.Lines[j].Values = list(f.Lines[j].Seconds), list(f.Lines[j].Values)
		}
	}
	r.Latencies = append([]Latency{}, r.Latencies...)
	for i := range r.Latencies {
		l := &r.Latencies[i]
		l.Shares, l.Milliseconds = list(l.Shares), list(l.Milliseconds)
	}
	return r
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
