package windows

import (
	"fmt"
	"math"
	"time"
)

// byMode cuts a piece where persistence is switched.
func (f *finder) byMode(p piece) []piece {
	name := TokenInserts
	if _, ok := f.evidence.series[name]; !ok {
		name = insertStatements
	}
	if _, ok := f.evidence.series[name]; !ok {
		return []piece{p} // nothing tells one cell from the next
	}
	reach := f.reach(name)
	return f.byLabel(p, reach, "persistence", func(from, to time.Time, tokens float64) string {
		s := f.evidence.series[name]
		increase, known := s.Over(from, to)
		if !known || tokens < fewest {
			return ""
		}
		return string(modeBy(increase/tokens, true))
	})
}

// byGrant cuts a piece where the grant changes.
func (f *finder) byGrant(p piece) []piece {
	reach := f.reach(invalidInserts)
	return f.byLabel(p, reach, "grant", func(from, to time.Time, tokens float64) string {
		if byGrant, sum, known := f.evidence.rows(from, to); known && sum >= fewest {
			for _, g := range grants {
				if byGrant[g] >= leastOn*sum {
					return g
				}
			}
			return "" // of several at a time
		}
		if s, ok := f.evidence.series[invalidInserts]; ok && tokens >= fewest {
			if n, known := s.Over(from, to); known && n >= leastOn*tokens {
				return refresh
			}
		}
		return ""
	})
}

// reach is how many cells to either side have to be looked at with a cell, so
// that they hold a reading of a counter.
func (f *finder) reach(name string) int {
	step := medianLength(f.cells)
	if step <= 0 || !f.evidence.slow(name) {
		return 0
	}
	return int(math.Ceil(float64(f.evidence.period[name]) / float64(step)))
}

// byLabel cuts a piece where what its cells are called changes for good. Cells
// without a name belong to their neighbours. A name that holds for no longer
// than the look around a cell is wide is blur between two others: it goes to
// them where they agree, and to neither where they do not.
func (f *finder) byLabel(p piece, reach int, what string, label func(from, to time.Time, tokens float64) string) []piece {
	names := make([]string, p.last-p.first+1)
	for i := range names {
		first, last := max(p.first, p.first+i-reach), min(p.last, p.first+i+reach)
		tokens := 0.0
		for _, c := range f.cells[first : last+1] {
			tokens += c.tokens
		}
		names[i] = label(f.cells[first].from, f.cells[last].to, tokens)
	}
	runs := runsOf(names, 2*reach+1)
	out := make([]piece, 0, len(runs))
	for i, r := range runs {
		q := piece{first: p.first + r.first, last: p.first + r.last, begins: p.begins, ends: p.ends}
		q.start, q.end = p.start, p.end
		if i > 0 {
			q.begins = change(what, runs[i-1].name, r.name)
			q.start = f.begin(q, false)
		}
		if i+1 < len(runs) {
			q.ends = change(what, r.name, runs[i+1].name)
			q.end = f.end(q, false)
		}
		out = append(out, q)
	}
	return out
}

func change(what, before, after string) string {
	return fmt.Sprintf("%s changes from %s to %s", what, named(before), named(after))
}

func named(label string) string {
	switch label {
	case "":
		return "unknown"
	case string(mixed):
		return "a mix of both"
	}
	return label
}

// labelled is a run of cells with one name.
type labelled struct {
	first, last int
	name        string
}

// runsOf joins cells to runs of one name. A run no longer than blur is dropped
// between two of one name, and where it is a mix; at either end a mix belongs to
// its neighbour, since requests that were under way are counted late.
func runsOf(names []string, blur int) []labelled {
	var runs []labelled
	for i, name := range filled(names) {
		if n := len(runs) - 1; n >= 0 && runs[n].name == name {
			runs[n].last = i
			continue
		}
		runs = append(runs, labelled{i, i, name})
	}
	var out []labelled
	for i, r := range runs {
		n := len(out) - 1
		short := r.last-r.first < blur
		switch inside := i > 0 && i+1 < len(runs); {
		case n >= 0 && out[n].name == r.name: // what stood between was blur
			out[n].last = r.last
		case inside && short && (r.name == string(mixed) || runs[i+1].name == runs[i-1].name):
			// between two others
		case i > 0 && !inside && short && r.name == string(mixed) && n >= 0: // the last cells, not whole
			out[n].last = r.last
		case i == 0 && len(runs) > 1 && short && r.name == string(mixed): // the first ones
			runs[1].first = r.first
		default:
			out = append(out, r)
		}
	}
	return out
}

// filled gives cells without a name that of the one before, those at the
// beginning that of the first with one.
func filled(names []string) []string {
	out := make([]string, len(names))
	last := ""
	for _, name := range names {
		if name != "" {
			last = name
			break
		}
	}
	for i, name := range names {
		if name != "" {
			last = name
		}
		out[i] = last
	}
	return out
}
