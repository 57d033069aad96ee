package windows

import (
	"fmt"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

const (
	// dipShare of the level on both sides is a pause that a scrape caught a part
	// of, where the level is leastForDip tokens a cell at least: fewer vary so by
	// chance.
	dipShare    = 0.25
	leastForDip = 40
	// leastLacking tokens have to be missing in a pause: of Poisson arrivals fewer
	// than one in a thousand stretches so long has none.
	leastLacking = 7
)

// idle says of every cell whether it is part of a pause. A pause shorter than
// MinPause with load on both sides is none, and neither is one that is as long
// as chance makes it.
func (f *finder) idle() []bool {
	most := idleShare * busiest(f.cells, f.o.MinLength)
	out := make([]bool, len(f.cells))
	for i, c := range f.cells {
		out[i] = !c.gap && (c.rate() <= most || f.dips(i))
	}
	bridged := 0
	for first := 0; first < len(out); first++ {
		if !out[first] {
			continue
		}
		last := first
		for last+1 < len(out) && out[last+1] && f.joined(last) {
			last++
		}
		if f.loadBeside(first, last) {
			length := f.cells[last].to.Sub(f.cells[first].from)
			short := length < f.o.MinPause
			if short || !f.incredible(first, last, length) {
				clear(out[first : last+1])
			}
			if short {
				bridged++
			}
		}
		first = last
	}
	if bridged > 0 {
		f.notes = append(f.notes, fmt.Sprintf("%s shorter than --min-pause %s left inside windows, with the throughput they have", plural(bridged, "pause"), f.o.MinPause))
	}
	return out
}

// loadBeside says that scrapes go on without a gap on both sides of cells.
func (f *finder) loadBeside(first, last int) bool {
	return first > 0 && last+1 < len(f.cells) && f.joined(first-1) && f.joined(last) && !f.cells[first-1].gap && !f.cells[last+1].gap
}

// beside are the cells right before and right behind others, without gaps.
func (f *finder) beside(first, last int) (before, after []cell) {
	from, to := first, last
	for from > 0 && first-from < edgeCells && f.joined(from-1) && !f.cells[from-1].gap {
		from--
	}
	for to+1 < len(f.cells) && to-last < edgeCells && f.joined(to) && !f.cells[to+1].gap {
		to++
	}
	return f.cells[from:first], f.cells[last+1 : to+1]
}

// dips says that a cell has far fewer tokens than those on either side.
func (f *finder) dips(i int) bool {
	before, after := f.beside(i, i)
	around := min(upper(before), upper(after))
	return around*f.cells[i].length().Seconds() >= leastForDip && f.cells[i].rate() < dipShare*around
}

// upper is the upper quartile of the tokens/s of cells, 0 of none: of five, three
// may lie in pauses themselves.
func upper(cells []cell) float64 {
	q, err := stats.Quantile(rates(cells), 0.75, stats.Type7)
	if err != nil {
		return 0
	}
	return q
}

// incredible says that by the throughput beside a pause it cannot be chance.
func (f *finder) incredible(first, last int, length time.Duration) bool {
	before, after := f.beside(first, last)
	return min(mean(before), mean(after))*length.Seconds() >= leastLacking
}
