package estimate

import (
	"fmt"
	"math"
	"strconv"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Directions of an answer.
const (
	gain      = "gain"
	loss      = "loss"
	undecided = "undecided"
)

// answer says in sentences what the ranges mean for whoever has to decide.
func answer(c report.EstimatedCase) (sentences []string, direction string) {
	if c.Ratio.Lo == nil || c.Ratio.Hi == nil || c.CapacityOn.Middle == nil {
		return []string{"Neither host limits without persistence: the data give no capacity."}, undecided
	}
	lo, hi := *c.Ratio.Lo, *c.Ratio.Hi
	from, to := short(*c.CapacityOn.Middle), between(c.CapacityOff, short)
	switch {
	case lo > 1:
		direction = gain
		sentences = append(sentences, fmt.Sprintf("Without persistence the hosts could carry %s more tokens: %s/s instead of %s/s.", between(report.Range{Lo: number(lo - 1), Hi: number(hi - 1)}, percent), to, from))
	case hi < 1:
		direction = loss
		sentences = append(sentences, fmt.Sprintf("Without persistence the hosts could carry %s fewer tokens: %s/s instead of %s/s.", between(report.Range{Lo: number(1 - hi), Hi: number(1 - lo)}, percent), to, from))
	default:
		direction = undecided
		sentences = append(sentences, fmt.Sprintf("Whether the hosts could carry more or fewer tokens without persistence is open: %s/s instead of %s/s, %.2f to %.2f times as many.%s", to, from, lo, hi, decisive(c)))
	}
	sentences = append(sentences, bottleneck(c), present(c))
	if c.Growth.Hi != nil && *c.Growth.Hi >= 1 {
		sentences = append(sentences, fmt.Sprintf("IDN_INVALID_TOKENS would gain %s rows a day at this load, and nothing in API Manager removes them.", between(c.Growth, many)))
	}
	return sentences, direction
}

// decisive names the assumption that matters most, and how to settle it.
func decisive(c report.EstimatedCase) string {
	if len(c.Assumptions) == 0 {
		return ""
	}
	most := c.Assumptions[0]
	if most.Name == signature && most.Origin == assumed {
		return " What decides is the cost of a signature: measure it with analyze calibrate on API Manager's host, and give it as --signature."
	}
	return fmt.Sprintf(" What decides most is %s, which --assume %s=LOW..HIGH narrows.", most.Name, most.Name)
}

// bottleneck says which host limits before and after.
func bottleneck(c report.EstimatedCase) string {
	const either = "either"
	switch {
	case c.LimitOn == c.LimitOff && c.LimitOn != either:
		return fmt.Sprintf("The %s limits now, and would then.", c.LimitOn)
	case c.LimitOn != either && c.LimitOff != either:
		return fmt.Sprintf("The %s limits now, the %s would then.", c.LimitOn, c.LimitOff)
	case c.LimitOn != either:
		return fmt.Sprintf("The %s limits now; then it may be either host.", c.LimitOn)
	case c.LimitOff != either:
		return fmt.Sprintf("Both hosts limit about alike now; the %s would then.", c.LimitOff)
	}
	return "Either host may limit, now and then."
}

// present says what the hosts would do at the present load.
func present(c report.EstimatedCase) string {
	text := fmt.Sprintf("At the present %s tokens/s API Manager would be %s busy instead of %s, the database %s instead of %s.",
		short(*c.Throughput), between(c.APIManager.BusyOff, percent), percent(*c.APIManager.BusyOn),
		between(c.Database.BusyOff, percent), percent(*c.Database.BusyOn))
	for _, h := range []struct {
		name string
		busy report.Range
	}{{apimName, c.APIManager.BusyOff}, {databaseName, c.Database.BusyOff}} {
		switch {
		case h.busy.Lo != nil && *h.busy.Lo > 1:
			text += fmt.Sprintf(" The %s has not that much: it could not carry the present load.", h.name)
		case h.busy.Hi != nil && *h.busy.Hi > 1:
			text += fmt.Sprintf(" The %s might not carry the present load.", h.name)
		}
	}
	return text
}

// between writes the ends of a range, once where they look alike.
func between(r report.Range, number func(float64) string) string {
	switch {
	case r.Lo == nil:
		return "unknown"
	case r.Hi == nil:
		return "more than " + number(*r.Lo)
	}
	lo, hi := number(*r.Lo), number(*r.Hi)
	if lo == hi {
		return lo
	}
	return lo + " to " + hi
}

// short has three significant digits, percent none behind the point.
func short(v float64) string {
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', max(0, min(6, 2-int(math.Floor(math.Log10(math.Abs(v)))))), 64)
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) + " %" }

// many writes large counts in millions.
func many(v float64) string {
	if v >= 1e6 {
		return short(v/1e6) + " million"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// costedBy says what the cost of a statement is made of.
func (m model) costedBy() string {
	if m.p.CPUMeasured {
		return fmt.Sprintf("processor time that the server measured; all statements together take %s of the %s core-ms per token that the database's CPU shows", short(1000*m.p.All.CPUSeconds/m.p.Tokens), short(m.database))
	}
	return "statement time less lock time, which is mostly waiting, scaled to the database's CPU"
}

// statements lists the kinds that were executed, and those that come.
func (m model) statements(corners []outcome, middle outcome, v values) []report.EstimatedStatement {
	var out []report.EstimatedStatement
	others := m.costOf(m.p.All, false, v)
	for _, kind := range m.kinds() {
		c := m.of(kind, v)
		others = others.plus(c.times(-1))
		out = append(out, report.EstimatedStatement{Kind: kind, PerToken: point(c.n), CoreMS: point(c.each()), Fate: m.fate(kind)})
	}
	if others.n > fewOthers {
		out = append(out, report.EstimatedStatement{Kind: "other statements", PerToken: point(others.n), CoreMS: point(others.each()), Fate: "stays"})
	}
	for _, added := range []struct {
		kind string
		of   func(outcome) cost
	}{
		{"look-up of a revocation", func(o outcome) cost { return o.lookup }},
		{"row of IDN_INVALID_TOKENS", func(o outcome) cost { return o.insert }},
	} {
		if of := added.of(middle); of.n > 0 {
			out = append(out, report.EstimatedStatement{
				Kind: added.kind, Fate: "comes",
				PerToken: span(corners, middle, func(o outcome) float64 { return added.of(o).n }),
				CoreMS:   span(corners, middle, func(o outcome) float64 { return added.of(o).each() }),
			})
		}
	}
	return out
}

// fewOthers per token are what is left by counts that are not read at one moment.
const fewOthers = 0.01

func point(v float64) report.Range {
	return report.Range{Lo: number(v), Middle: number(v), Hi: number(v)}
}

// fate says what becomes of a kind.
func (m model) fate(kind string) string {
	switch m.p.Purposes[kind] {
	case persistence:
		return "goes"
	case unclear, transaction, monitoring:
		return "goes in part"
	}
	if kind == revokeJWT && m.renewed() > 0 {
		return "goes in part"
	}
	return "stays"
}
