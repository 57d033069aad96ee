package report

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// pointBudget bounds the points of all plots of a page together, which keeps
// the page below 500 kB however long the windows are.
const pointBudget = 18000

// timeKey says what the lines against time mean.
const timeKey = "solid: persistence on; dashed: persistence off\nthin: one window; bold: mean of the windows; shaded: warm-up, left out of the numbers"

// timePicture draws one metric of one grant against time: a thin line per
// window, a bold one for the mean of the windows of a mode. The caption says how
// many seconds a point stands for where points were averaged to save room. A
// figure without a value that can be drawn has no picture.
func timePicture(f Figure, points int) (picture, bool) {
	p := newPlot()
	scale := 1.0
	if isShare(f.Unit) {
		scale = 100
	}
	top, end, low := 0.0, 0.0, 0.0
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
			low = min(low, lowest(xys))
			thin = append(thin, line(xys, mode+"-thin", 0.7, nil))
		}
		mean := average(lines, max(step(lines), span(lines)/min(200, max(40, float64(points/6)))))
		top, end = extend(mean, top, end)
		bold = append(bold, line(mean, mode, 2.2, dashes(mode)))
	}
	if end == 0 {
		return picture{}, false
	}
	ticks := niceTicks(top)
	p.Y.Min, p.Y.Max = 0, ticks[len(ticks)-1]
	if scale == 100 && p.Y.Max > 100 && top < 105 {
		// A share ends at 100 %; what is above it is the error of the clock.
		ticks, p.Y.Max = niceTicks(100), max(100, top)
	}
	if low < 0 {
		// No metric of ours is below 0; a query of the reader's may be.
		p.Y.Min, p.Y.Max, ticks = low, max(top, 0), ticksBetween(low, max(top, 0))
	}
	p.X.Min, p.X.Max = 0, end
	p.Y.Tick.Marker = labelled(ticks, 1)
	p.X.Tick.Marker, p.X.Label.Text = timeTicks(end)
	p.Add(shade{from: 0, to: min(f.Warmup, end)}, rules{ticks})
	p.Add(thin...)
	p.Add(bold...)
	out := picture{
		name: fileName(f.Grant + "-" + f.Metric), plot: p, width: figureWidth, height: figureHeight,
		label: f.Label, title: f.Label + " against time, " + f.Grant, description: describeFigure(f, scale), unit: unitText(f.Unit), key: timeKey,
	}
	if width > 0 {
		out.caption = fmt.Sprintf("points are means of %s s", significant(width))
		out.key += "; " + out.caption
	}
	return out, true
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

// niceTicks are four to six round values from 0 to at least top. What is below
// a millionth of a millionth counts as 0.
func niceTicks(top float64) []float64 {
	if top <= 1e-12 {
		return []float64{0, 1}
	}
	size := niceStep(top / 4)
	var out []float64
	for i := 0; ; i++ {
		out = append(out, size*float64(i))
		if out[i] >= top {
			return out
		}
	}
}

// niceStep is the smallest round number that is at least raw, which is above 0.
func niceStep(raw float64) float64 {
	size := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if size*m >= raw {
			return size * m
		}
	}
	return size * 10
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
	if !(s.to > s.from) {
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
