package windows

import (
	"math"
	"slices"
	"time"
)

// segments are cells cut where their level changes: cuts are the first cells of
// all parts but the first.
type segments struct {
	cells []cell
	cuts  []int
}

// part is the i-th part, from 0.
func (s segments) part(i int) []cell {
	from, to := 0, len(s.cells)
	if i > 0 {
		from = s.cuts[i-1]
	}
	if i < len(s.cuts) {
		to = s.cuts[i]
	}
	return s.cells[from:to]
}

func (s segments) length(i int) time.Duration {
	part := s.part(i)
	return part[len(part)-1].to.Sub(part[0].from)
}

// change is how far the levels on both sides of a cut are apart, on the log
// scale; without end where one of them is nothing.
func (s segments) change(cut int) float64 {
	before, after := level(s.part(cut)), level(s.part(cut+1))
	if before <= 0 || after <= 0 {
		return math.Inf(1)
	}
	return math.Abs(math.Log(after / before))
}

// without leaves a cut out.
func (s segments) without(cut int) segments {
	return segments{s.cells, slices.Delete(slices.Clone(s.cuts), cut, cut+1)}
}

// warmingOf is the part of what follows that a warm-up may take.
const warmingOf = 3

// lasting leaves the cuts between levels that differ by MinChange and that both
// last for MinLength. A slow start that takes less than a third of what follows
// is a warm-up and no level of its own.
func (o Options) lasting(s segments) segments {
	for len(s.cuts) > 0 {
		cut := s.brief(o.MinLength)
		if cut < 0 {
			cut = s.slight(math.Log1p(o.MinChange))
		}
		if cut < 0 && s.length(0) < s.length(1)/warmingOf && level(s.part(0)) < level(s.part(1)) {
			cut = 0
		}
		if cut < 0 {
			break
		}
		s = s.without(cut)
	}
	return s
}

// brief is the cut between the shortest part below a length and the neighbour
// whose level is nearer; -1 when all parts last.
func (s segments) brief(least time.Duration) int {
	shortest := -1
	for i := range len(s.cuts) + 1 {
		if s.length(i) < least && (shortest < 0 || s.length(i) < s.length(shortest)) {
			shortest = i
		}
	}
	switch {
	case shortest <= 0: // none, or the first
		return shortest
	case shortest == len(s.cuts):
		return shortest - 1
	case s.change(shortest-1) <= s.change(shortest):
		return shortest - 1
	}
	return shortest
}

// slight is the cut with the smallest change, if that is below a limit; -1 when
// there is none. The others are looked at again without it.
func (s segments) slight(limit float64) int {
	smallest := -1
	for i := range s.cuts {
		if c := s.change(i); c < limit {
			smallest, limit = i, c
		}
	}
	return smallest
}
