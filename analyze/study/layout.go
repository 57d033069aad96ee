package study

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// layout is how the windows of one grant belong together.
type layout struct {
	paired bool // every window is in a block with both modes
	blocks int
	mixed  bool   // some windows name a block and some do not
	broken string // why no comparison can be made; "" when it can
}

// arrange finds the layout of a grant's windows. A block with one mode only is
// broken: leaving it out could turn the result either way.
func arrange(runs []run) layout {
	modes := map[int]map[source.Mode]int{}
	total := map[source.Mode]int{}
	for _, r := range runs {
		if modes[r.Window.Block] == nil {
			modes[r.Window.Block] = map[source.Mode]int{}
		}
		modes[r.Window.Block][r.Window.Mode]++
		total[r.Window.Mode]++
	}
	for _, mode := range []source.Mode{source.On, source.Off} {
		if total[mode] == 0 {
			return layout{broken: fmt.Sprintf("no window has persistence %s", mode)}
		}
	}
	if modes[0] != nil {
		return layout{mixed: len(modes) > 1}
	}
	blocks := make([]int, 0, len(modes))
	for b := range modes {
		blocks = append(blocks, b)
	}
	slices.Sort(blocks)
	for _, b := range blocks {
		for _, mode := range []source.Mode{source.On, source.Off} {
			if modes[b][mode] == 0 {
				return layout{broken: fmt.Sprintf("block %d has no window with persistence %s", b, mode)}
			}
		}
	}
	return layout{paired: true, blocks: len(blocks)}
}

// picker takes a metric from a run; false when the run has none.
type picker func(run) (measure, bool)

// points are the observations of one mode: runs, or for pairs the geometric
// mean of a block's runs, by rising block.
func points(runs []run, mode source.Mode, l layout, effect string, pick picker) []point {
	var out []point
	for _, r := range ofMode(runs, mode) {
		if m, ok := pick(r); ok {
			out = append(out, point{r.Window.Block, m})
		}
	}
	if !l.paired {
		return out
	}
	slices.SortStableFunc(out, func(a, b point) int { return cmp.Compare(a.block, b.block) })
	var merged []point
	for start := 0; start < len(out); {
		end := start + 1
		for end < len(out) && out[end].block == out[start].block {
			end++
		}
		merged = append(merged, merge(out[start:end], effect))
		start = end
	}
	return merged
}

// merge makes one observation of a block's runs of one mode. The mean is
// geometric where ratios are formed, unless a run is 0.
func merge(same []point, effect string) point {
	if len(same) == 1 {
		return same[0]
	}
	v := values(same)
	p := point{block: same[0].block, measure: measure{value: mean(v)}}
	if effect == asRatio && slices.Min(v) > 0 {
		p.value = geometric(v)
	}
	for _, s := range same {
		p.n += s.n
	}
	return p
}

// complete keeps the blocks that have both modes.
func complete(on, off []point) (pairedOn, pairedOff []point) {
	for _, a := range on {
		for _, b := range off {
			if a.block == b.block {
				pairedOn, pairedOff = append(pairedOn, a), append(pairedOff, b)
			}
		}
	}
	return pairedOn, pairedOff
}
