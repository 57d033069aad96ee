package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// pointBudget bounds the points of all plots of a page together, which keeps
// the page below 500 kB however long the windows are.
const pointBudget = 18000

// timePlot draws one metric of one grant against time: a thin line per window,
// a bold one for the mean of the windows of a mode. The caption says how many
// seconds a point stands for where points were averaged to save room.
func timePlot(f Figure, id string, points int) (drawing, caption string, err error) {
	p := newPlot()
	scale := 1.0
	if isShare(f.Unit) {
		scale = 100
	}
	top, end := 0.0, 0.0
	var thin, bold []plot.Plotter
	width := 0.0
	for _, mode := range []string{"on", "off"} {
		lines := modeLines(f, mode, scale)
		if len(lines) == 0 {
			continue
		}
		w := max(step(lines), span(lines)/max(20, float64(points/max(1, len(f.Lines)))))
		if w > step(lines)*1.5 {
			width = max(width, w)
		}
		for _, l := range lines {
			xys := average([]plotter.XYs{l}, w)
			top, end = extend(xys, top, end)
			thin = append(thin, line(xys, mode+"-thin", 0.7, nil))
		}
		mean := average(lines, max(step(lines), span(lines)/200))
		top, end = extend(mean, top, end)
		bold = append(bold, line(mean, mode, 2.2, dashes(mode)))
	}
	if end == 0 {
		return "", "", nil
	}
	ticks := niceTicks(top)
	p.Y.Min, p.Y.Max = 0, ticks[len(ticks)-1]
	p.X.Min, p.X.Max = 0, end
	p.Y.Tick.Marker = labelled(ticks, 1)
	p.X.Tick.Marker, p.X.Label.Text = timeTicks(end)
	p.Add(shade{from: 0, to: min(f.Warmup, end)}, rules{ticks})
	p.Add(thin...)
	p.Add(bold...)
	drawing, err = svg(p, figureWidth, figureHeight, id, f.Label+" against time, "+f.Grant, describeFigure(f, scale))
	if width > 0 {
		caption = fmt.Sprintf("points are means of %s s", significant(width))
	}
	return drawing, caption, err
}

// dashes tell off from on where colours cannot.
func dashes(mode string) []vg.Length {
	if mode == "off" {
		return []vg.Length{vg.Points(5), vg.Points(2.5)}
	}
	return nil
}

func line(xys plotter.XYs, name string, width float64, dash []vg.Length) *plotter.Line {
	return &plotter.Line{XYs: xys, LineStyle: draw.LineStyle{Color: role(name), Width: vg.Points(width), Dashes: dash}}
}

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
			if finite(x) && finite(y) && x >= 0 {
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

// niceTicks are four to six round values from 0 to at least top.
func niceTicks(top float64) []float64 {
	if top <= 0 {
		return []float64{0, 1}
	}
	raw := top / 4
	size := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if size*m >= raw {
			size *= m
			break
		}
	}
	var out []float64
	for i := 0; ; i++ {
		out = append(out, size*float64(i))
		if out[i] >= top {
			return out
		}
	}
}

// labelled writes ticks as plain numbers; unit divides them for the label.
func labelled(values []float64, unit float64) plot.ConstantTicks {
	out := make(plot.ConstantTicks, len(values))
	for i, v := range values {
		out[i] = plot.Tick{Value: v, Label: fmt.Sprintf("%g", math.Round(v/unit*1e6)/1e6)}
	}
	return out
}

// timeTicks labels the time axis in seconds, long windows in minutes.
func timeTicks(end float64) (plot.Ticker, string) {
	unit, label := 1.0, "seconds since the start of the window"
	if end > 600 {
		unit, label = 60, "minutes since the start of the window"
	}
	ticks := niceTicks(end / unit)
	for i := range ticks {
		ticks[i] *= unit
	}
	if last := len(ticks) - 1; ticks[last] > end {
		ticks = ticks[:last]
	}
	return labelled(ticks, unit), label
}

// shade marks the discarded warm-up.
type shade struct{ from, to float64 }

// Plot implements plot.Plotter.
func (s shade) Plot(c draw.Canvas, p *plot.Plot) {
	if s.to <= s.from {
		return
	}
	x, _ := p.Transforms(&c)
	c.FillPolygon(role("shade"), []vg.Point{
		{X: x(s.from), Y: c.Min.Y}, {X: x(s.to), Y: c.Min.Y}, {X: x(s.to), Y: c.Max.Y}, {X: x(s.from), Y: c.Max.Y},
	})
	style := p.X.Tick.Label
	style.Color = role("muted")
	style.XAlign, style.YAlign = draw.XLeft, draw.YTop
	style.Font.Size = 9
	if text := "warm-up"; style.Width(text)+vg.Points(4) < x(s.to)-x(s.from) {
		c.FillText(style, vg.Point{X: x(s.from) + vg.Points(3), Y: c.Max.Y - vg.Points(1)}, text)
	}
}

// describeFigure says in words what the lines show after the warm-up.
func describeFigure(f Figure, scale float64) string {
	var parts []string
	for _, mode := range []string{"on", "off"} {
		lines := modeLines(f, mode, scale)
		sum, n := 0.0, 0
		for _, l := range lines {
			for _, p := range l {
				if p.X >= f.Warmup {
					sum, n = sum+p.Y, n+1
				}
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("persistence %s: mean %s %s over %d windows", mode, significant(sum/float64(n)), unitText(f.Unit), len(lines)))
		}
	}
	return strings.Join(parts, "; ") + "."
}
