package report

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const usageKey = "one mark per window. Round: API Manager; square: database. Full: persistence on; hollow: off\nlines through 0: the CPU that a token costs is constant along them"

// usageCaption is the same for a page, which has the colours in its legend.
const usageCaption = "● API Manager, ■ database, hollow: off; lines: constant CPU per token"

// usageMarks are the windows of one mode on one host.
type usageMarks struct {
	host, mode string
	shape      draw.GlyphDrawer
	xys        plotter.XYs // tokens per second, per cent of the host's cores
}

// usage sorts a grant's windows by host and mode, leaving out those without a
// number.
func usage(r Report, grant string) []usageMarks {
	all := []usageMarks{
		{host: "API Manager", mode: "on", shape: draw.CircleGlyph{}}, {host: "API Manager", mode: "off", shape: hollow{}},
		{host: "database", mode: "on", shape: draw.BoxGlyph{}}, {host: "database", mode: "off", shape: hollow{4}},
	}
	var out []usageMarks
	for _, m := range all {
		for _, d := range r.Diagnostics {
			cpu := d.APIManagerCPU
			if m.host == "database" {
				cpu = d.DatabaseCPU
			}
			if d.Grant != grant || d.Persistence != m.mode || d.Throughput == nil || cpu == nil {
				continue
			}
			if x, y := *d.Throughput, *cpu*100; plottable(x) && plottable(y) && x >= 0 && y >= 0 {
				m.xys = append(m.xys, plotter.XY{X: x, Y: y})
			}
		}
		if len(m.xys) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// mean is the point in the middle of the marks.
func (m usageMarks) mean() (x, y float64) {
	for _, p := range m.xys {
		x, y = x+p.X, y+p.Y
	}
	n := float64(len(m.xys))
	return x / n, y / n
}

// usagePicture draws CPU against throughput, a mark per window and host. Windows
// on one line through 0 cost the same CPU per token.
func usagePicture(r Report, grant string) (picture, bool) {
	all := usage(r, grant)
	if len(all) == 0 {
		return picture{}, false
	}
	top, end := 0.0, 0.0
	var says []string
	for _, m := range all {
		top, end = extend(m.xys, top, end)
		x, y := m.mean()
		says = append(says, fmt.Sprintf("%s, persistence %s: mean %s %% busy at %s tokens/s over %d windows", m.host, m.mode, significant(y), significant(x), len(m.xys)))
	}
	p := newPlot()
	ticks, across := niceTicks(top), niceTicks(end)
	p.X.Min, p.X.Max = 0, max(end*1.05, 1e-9)
	p.Y.Min, p.Y.Max = 0, ticks[len(ticks)-1]
	if across[len(across)-1] > p.X.Max {
		across = across[:len(across)-1]
	}
	p.Y.Tick.Marker, p.X.Tick.Marker = labelled(ticks, 1), labelled(across, 1)
	p.X.Label.Text = "throughput, tokens/s"
	p.Add(rules{ticks}, usageRays(all))
	for _, m := range all {
		p.Add(marks{m})
	}
	return picture{
		name: fileName(grant + "-cpu-against-throughput"), plot: p, width: figureWidth, height: figureHeight,
		label: "CPU against throughput", caption: usageCaption,
		title: "CPU against throughput, " + grant, description: strings.Join(says, "; ") + ".",
		unit: "% of the host's cores", key: usageKey,
	}, true
}

// usageRays draws, behind the marks, the line from 0 through their mean.
type usageRays []usageMarks

// Plot implements plot.Plotter.
func (all usageRays) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, m := range all {
		mx, my := m.mean()
		if !(mx > 0) {
			continue
		}
		// As far as the plot goes in either direction, without dividing by a mean
		// so small that the quotient is no number.
		endX, endY := p.X.Max, my*p.X.Max/mx
		if my/p.Y.Max > mx/p.X.Max {
			endX, endY = mx*p.Y.Max/my, p.Y.Max
		}
		style := draw.LineStyle{Color: role(modeRole(m.mode) + "-thin"), Width: vg.Points(1), Dashes: dashes(m.mode)}
		c.StrokeLine2(style, x(0), y(0), x(endX), y(endY))
	}
}

// marks draws the windows of one mode on one host.
type marks struct{ usageMarks }

// Plot implements plot.Plotter.
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.GlyphStyle{Color: role(modeRole(m.mode)), Radius: vg.Points(3.4), Shape: m.shape}
	for _, at := range m.xys {
		c.DrawGlyph(style, vg.Point{X: x(at.X), Y: y(at.Y)})
	}
}
