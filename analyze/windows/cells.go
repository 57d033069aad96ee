package windows

import (
	"cmp"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

const (
	// gapFactor times the usual distance of scrapes is a gap: two are missing.
	gapFactor = 2.5
	// idleShare of the busiest throughput is no load: portals and health checks
	// ask for tokens at all times.
	idleShare = 0.01
	// fewestBusy cells at least have to be as busy as the busiest level, so that
	// one odd scrape does not make all others idle.
	fewestBusy = 3
	// edgeCells are the cells behind an edge whose median is the level there.
	edgeCells = 5
	// partialShare of the level is less than a whole cell of load at an edge.
	partialShare = 0.8
)

// cell is the time between two scrapes, or several such times.
type cell struct {
	from, to time.Time
	tokens   float64
	gap      bool // scrapes are missing: nobody knows when within it
}

func (c cell) length() time.Duration { return c.to.Sub(c.from) }
func (c cell) rate() float64         { return c.tokens / c.length().Seconds() }

// cellsOf makes cells of a counter's intervals, joined until they are at least
// step long. Cells begin and end with scrapes: a grid of its own would blur
// every edge.
func cellsOf(s source.Series, step time.Duration) []cell {
	var out []cell
	for _, in := range s.Intervals {
		c := cell{in.From, in.To, in.Increase, false}
		c.gap = float64(c.length()) > gapFactor*float64(s.Step)
		if n := len(out) - 1; n >= 0 && !c.gap && !out[n].gap && out[n].to.Equal(c.from) && out[n].length()+c.length()/2 <= step {
			out[n].to = c.to
			out[n].tokens += c.tokens
			continue
		}
		out = append(out, c)
	}
	return out
}

// busiest is the highest throughput that is held for so long in all, in tokens/s;
// 0 where no cell has any.
func busiest(cells []cell, atLeast time.Duration) float64 {
	busy := slices.DeleteFunc(slices.Clone(cells), func(c cell) bool { return c.tokens <= 0 || c.gap })
	slices.SortStableFunc(busy, func(a, b cell) int { return cmp.Compare(b.rate(), a.rate()) })
	held, highest := time.Duration(0), 0.0
	for i, c := range busy {
		highest = c.rate()
		if held += c.length(); held >= atLeast && i+1 >= fewestBusy {
			break
		}
	}
	return highest
}

func medianLength(cells []cell) time.Duration {
	all := make([]time.Duration, len(cells))
	for i, c := range cells {
		all[i] = c.length()
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

// rates are the tokens/s of cells.
func rates(cells []cell) []float64 {
	out := make([]float64, len(cells))
	for i, c := range cells {
		out[i] = c.rate()
	}
	return out
}

// level is the median tokens/s of some cells, 0 of none.
func level(cells []cell) float64 {
	m, err := stats.Quantile(rates(cells), 0.5, stats.Type7)
	if err != nil {
		return 0
	}
	return m
}

// mean is tokens/s over all of the cells' time, 0 of none.
func mean(cells []cell) float64 {
	tokens, seconds := 0.0, 0.0
	for _, c := range cells {
		tokens += c.tokens
		seconds += c.length().Seconds()
	}
	if seconds == 0 {
		return 0
	}
	return tokens / seconds
}

// joinedBy takes so many neighbours at a time together, fewer at the end.
func joinedBy(cells []cell, by int) []cell {
	if by <= 1 {
		return cells
	}
	var out []cell
	for part := range slices.Chunk(cells, by) {
		c := cell{from: part[0].from, to: part[len(part)-1].to}
		for _, p := range part {
			c.tokens += p.tokens
		}
		out = append(out, c)
	}
	return out
}

// within are the cells that lie wholly between two times.
func within(cells []cell, start, end time.Time) []cell {
	first := slices.IndexFunc(cells, func(c cell) bool { return !c.from.Before(start) })
	if first < 0 {
		return nil
	}
	last := first
	for last < len(cells) && !cells[last].to.After(end) {
		last++
	}
	return cells[first:last]
}
