package report

import (
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// modeLines are the lines of a mode without values that cannot be drawn.
func modeLines(f Figure, mode string, scale float64) []plotter.XYs {
	var out []plotter.XYs
	for _, l := range f.Lines {
		if l.Persistence != mode {
			continue
		}
		var xys plotter.XYs
		for i := range min(len(l.Seconds), len(l.Values)) {
			x, y := l.Seconds[i], l.Values[i]*scale
			if plottable(x) && plottable(y) && x >= 0 {
				xys = append(xys, plotter.XY{X: x, Y: y})
			}
		}
		if len(xys) > 0 {
			out = append(out, xys)
		}
	}
	return out
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// plottable tells numbers whose axis still has round ticks.
func plottable(v float64) bool { return math.Abs(v) <= 1e15 }

// step is the median distance of neighbouring points, 1 s when there is none.
func step(lines []plotter.XYs) float64 {
	var all []float64
	for _, l := range lines {
		for i := 1; i < len(l); i++ {
			all = append(all, l[i].X-l[i-1].X)
		}
	}
	if len(all) == 0 {
		return 1
	}
	slices.Sort(all)
	return max(all[len(all)/2], 1e-3)
}

func span(lines []plotter.XYs) float64 {
	end := 0.0
	for _, l := range lines {
		end = max(end, l[len(l)-1].X)
	}
	return end
}

// average puts points into bins of the given width and takes means. A bin that
// fewer than half of the lines reach is left out: a mean over other windows
// than its neighbours' would look like a step.
func average(lines []plotter.XYs, width float64) plotter.XYs {
	type bin struct {
		x, y  float64
		n     int
		lines int
	}
	bins := map[int]*bin{}
	for _, l := range lines {
		last := -1
		for _, p := range l {
			i := int(p.X / width)
			b := bins[i]
			if b == nil {
				b = &bin{}
				bins[i] = b
			}
			b.x, b.y, b.n = b.x+p.X, b.y+p.Y, b.n+1
			if i != last {
				b.lines, last = b.lines+1, i
			}
		}
	}
	var out plotter.XYs
	for _, i := range sortedKeys(bins) {
		if b := bins[i]; 2*b.lines >= len(lines) {
			out = append(out, plotter.XY{X: b.x / float64(b.n), Y: b.y / float64(b.n)})
		}
	}
	return out
}

func sortedKeys[V any](m map[int]V) []int {
	out := make([]int, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func extend(xys plotter.XYs, top, end float64) (float64, float64) {
	for _, p := range xys {
		top, end = max(top, p.Y), max(end, p.X)
	}
	return top, end
}

func lowest(xys plotter.XYs) float64 {
	low := 0.0
	for _, p := range xys {
		low = min(low, p.Y)
	}
	return low
}
