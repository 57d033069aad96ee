package report

import (
	"slices"
)

// metric finds the comparison of a grant, nil when there is none.
func (r Report) metric(grant, metric string) *Comparison {
	i := slices.IndexFunc(r.Comparisons, func(c Comparison) bool { return c.Grant == grant && c.Metric == metric })
	if i < 0 {
		return nil
	}
	return &r.Comparisons[i]
}

// comparisons returns the comparisons of one grant in their order.
func (r Report) comparisons(grant string) []Comparison {
	var out []Comparison
	for _, c := range r.Comparisons {
		if c.Grant == grant {
			out = append(out, c)
		}
	}
	return out
}

// editions lists the published editions in the order of the report.
func (r Report) editions() []string {
	var out []string
	for _, ref := range r.Reference {
		if !slices.Contains(out, ref.Edition) {
			out = append(out, ref.Edition)
		}
	}
	return out
}

// published finds the published cell of an edition and grant.
func (r Report) published(edition, grant string) *Reference {
	i := slices.IndexFunc(r.Reference, func(x Reference) bool { return x.Edition == edition && x.Grant == grant })
	if i < 0 {
		return nil
	}
	return &r.Reference[i]
}

// inputRow is one input as shown: the windows that share a query are one row.
type inputRow struct {
	Source
	Windows int
}

func (p Provenance) rows() []inputRow {
	var out []inputRow
	at := map[string]int{}
	for _, in := range p.Inputs {
		key := in.Kind + "\x00" + in.Query
		if in.Query == "" {
			key += in.Name
		}
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, inputRow{Source: in, Windows: 1})
			continue
		}
		out[i].Count += in.Count
		out[i].Windows++
	}
	return out
}
