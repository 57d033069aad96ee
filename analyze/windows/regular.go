package windows

import (
	"fmt"
	"slices"
	"time"
)

const (
	// fewestRegular windows of nearly one length make a plan that others may be
	// held against.
	fewestRegular = 4
	// regularShare is how far, as a share, lengths of one plan are apart.
	regularShare = 0.15
	// seamShare of the level on both sides is a pause shorter than a scrape, where
	// the plan expects one.
	seamShare = 0.6
)

// byPlan cuts a piece in which two windows were run with a pause too short to
// be seen as one: most others are of one length, the piece is as long as several
// of them, and where one should end its throughput dips for a scrape.
func (f *finder) byPlan(all []piece) []piece {
	usual := f.usualLength(all)
	if usual == 0 || f.o.MinPause > medianLength(f.cells) {
		return all
	}
	var out []piece
	for _, p := range all {
		for {
			at := f.seam(p, usual)
			if at < 0 {
				break
			}
			text := fmt.Sprintf("throughput dips for a scrape where the others, of %s, end", round(usual))
			left, right := p, p
			left.last, left.ends = at-1, text
			right.first, right.begins = at+1, text
			left.end, right.start = f.end(left, true), f.begin(right, true)
			out, p = append(out, left), right
		}
		out = append(out, p)
	}
	return out
}

// usualLength is the median length of the pieces that may become windows, where
// at least half of them, and fewestRegular, have nearly that; else 0.
func (f *finder) usualLength(all []piece) time.Duration {
	var lengths []time.Duration
	for _, p := range all {
		if length := p.end.Sub(p.start); length >= f.o.MinLength {
			lengths = append(lengths, length)
		}
	}
	if len(lengths) == 0 {
		return 0
	}
	slices.Sort(lengths)
	median := lengths[(len(lengths)-1)/2]
	regular := 0
	for _, l := range lengths {
		if near(l, median) {
			regular++
		}
	}
	if regular < max(fewestRegular, (len(lengths)+1)/2) {
		return 0
	}
	return median
}

func near(a, b time.Duration) bool {
	return float64((a - b).Abs()) <= regularShare*float64(b)
}

// seam is the cell of a piece at which the first of several windows of a length
// ends and the next begins; -1 where there is none.
func (f *finder) seam(p piece, length time.Duration) int {
	at, lowest := -1, seamShare
	for i := p.first + 2; i+2 <= p.last; i++ {
		c := f.cells[i]
		if !near(c.from.Sub(p.start), length) || float64(p.end.Sub(c.to)) < (1-regularShare)*float64(length) {
			continue
		}
		before, after := f.beside(i, i)
		if around := min(upper(before), upper(after)); around > 0 && c.rate()/around < lowest {
			at, lowest = i, c.rate()/around
		}
	}
	return at
}
