package windows

import (
	"fmt"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// piece is a run of cells that may become a window.
type piece struct {
	first, last  int       // cells
	start, end   time.Time // at a pause between the scrapes, where the cell at the edge says so
	begins, ends string    // in words
}

func (p piece) cells(all []cell) []cell { return all[p.first : p.last+1] }

// finder cuts a recording into pieces.
type finder struct {
	o        Options
	cells    []cell
	evidence evidence
	notes    []string
}

// pieces are cut where nothing was issued or scraped, then where the mode or
// the grant changes, then where the throughput does.
func (f *finder) pieces() []piece {
	out := f.byPlan(each(each(f.stretches(), f.byMode), f.byGrant))
	return each(out, f.byLevel)
}

func each(all []piece, cut func(piece) []piece) []piece {
	var out []piece
	for _, p := range all {
		out = append(out, cut(p)...)
	}
	return out
}

// stretches are the runs of cells with load.
func (f *finder) stretches() []piece {
	idle := f.idle()
	busy := func(i int) bool { return !idle[i] && !f.cells[i].gap }
	var out []piece
	for first := 0; first < len(f.cells); first++ {
		if !busy(first) {
			continue
		}
		last := first
		for last+1 < len(f.cells) && busy(last+1) && f.joined(last) {
			last++
		}
		p := piece{first: first, last: last, start: f.cells[first].from, end: f.cells[last].to}
		p.begins, p.ends = "the data begin", "the data end"
		if first > 0 {
			p.begins = f.silence(first-1, -1, idle, "tokens begin after %s without any", "scrapes begin again after %s without any", "after %s with hardly any tokens")
			if idle[first-1] && f.joined(first-1) {
				p.start = f.begin(p, true)
			}
		}
		if last+1 < len(f.cells) {
			p.ends = f.silence(last+1, 1, idle, "no tokens for %s", "no scrapes for %s", "hardly any tokens for %s")
			if idle[last+1] && f.joined(last) {
				p.end = f.end(p, true)
			}
		}
		out = append(out, p)
		first = last
	}
	return out
}

// joined says that the cell after i begins where i ends.
func (f *finder) joined(i int) bool { return f.cells[i+1].from.Equal(f.cells[i].to) }

// silence puts the pause or the gap beside a stretch into words: the one that
// cell i belongs to, in a direction.
func (f *finder) silence(i, step int, idle []bool, pause, gap, dip string) string {
	beside := i - step
	hole := f.cells[max(i, beside)].from.Sub(f.cells[min(i, beside)].to)
	switch {
	case hole > 0:
		return fmt.Sprintf(gap, round(hole))
	case f.cells[i].gap:
		return fmt.Sprintf(gap, round(f.cells[i].length()))
	}
	length, tokens := time.Duration(0), 0.0
	for ; i >= 0 && i < len(f.cells) && idle[i]; i += step {
		length += f.cells[i].length()
		tokens += f.cells[i].tokens
	}
	if tokens > 0 {
		pause = dip
	}
	return fmt.Sprintf(pause, round(length))
}

// round leaves three digits at most.
func round(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

// begin is when the load of a piece began within its first cell, which has fewer
// tokens than the cells behind it in proportion to the time that was lost. Where
// the cell before had load, only a cell that lacks a good part is taken apart.
func (f *finder) begin(p piece, afterPause bool) time.Time {
	c := f.cells[p.first]
	full := level(f.cells[min(p.first+1, p.last):min(p.first+1+edgeCells, p.last+1)])
	share := c.rate() / full
	if p.first == p.last || full == 0 || share >= 1 || !afterPause && share >= partialShare {
		return c.from
	}
	return c.to.Add(-time.Duration(share * float64(c.length()))).Round(time.Millisecond)
}

// end is when the load of a piece ended within its last cell.
func (f *finder) end(p piece, beforePause bool) time.Time {
	c := f.cells[p.last]
	full := level(f.cells[max(p.last-edgeCells, p.first):max(p.last, p.first+1)])
	share := c.rate() / full
	if p.first == p.last || full == 0 || share >= 1 || !beforePause && share >= partialShare {
		return c.to
	}
	return c.from.Add(time.Duration(share * float64(c.length()))).Round(time.Millisecond)
}

// levelCells is the shortest change of throughput that is looked for, in cells.
// Shorter ones than MinLength then belong to what is around them.
const levelCells = 5

// mostCells of a stretch are searched for changes of level; where there are more,
// neighbours are taken together. The search takes time by the square.
const mostCells = 5000

// byLevel cuts a piece where its throughput changes by MinChange or more and
// stays there for MinLength on both sides.
func (f *finder) byLevel(p piece) []piece {
	inside := within(f.cells, p.start, p.end)
	if len(inside) == 0 {
		return []piece{p}
	}
	offset := slices.IndexFunc(f.cells, func(c cell) bool { return c.from.Equal(inside[0].from) })
	by := (len(inside) + mostCells - 1) / mostCells
	found, err := stats.ChangePoints(rates(joinedBy(inside, by)), levelCells)
	if err != nil { // too short, or without any noise: one level
		return []piece{p}
	}
	for i := range found.At {
		found.At[i] *= by
	}
	s := f.o.lasting(segments{inside, found.At})
	out := []piece{p}
	for i, at := range s.cuts {
		before, after := level(s.part(i)), level(s.part(i+1))
		verb := "rises"
		if after < before {
			verb = "falls"
		}
		text := fmt.Sprintf("throughput %s from %.0f to %.0f tokens/s", verb, before, after)
		rest := out[len(out)-1]
		left, right := rest, rest
		left.last, left.end, left.ends = offset+at-1, inside[at-1].to, text
		right.first, right.start, right.begins = offset+at, inside[at].from, text
		out = append(out[:len(out)-1], left, right)
	}
	return out
}
