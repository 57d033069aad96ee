package report

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// hollow is a mark without filling: a ring, or with corners a triangle that
// stands on a side, or a square. Its line is twice as thick as that of plot's
// own glyphs, which is too faint for our colours.
type hollow struct{ corners int }

// DrawGlyph implements draw.GlyphDrawer.
func (h hollow) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: vg.Points(1.1)})
	var p vg.Path
	if h.corners == 0 {
		p.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
		p.Arc(at, style.Radius, 0, 2*math.Pi)
	}
	for i := range h.corners {
		angle := math.Pi/2 + math.Pi*float64(2*i+h.corners-3)/float64(h.corners)
		corner := vg.Point{X: at.X + style.Radius*vg.Length(1.2*math.Cos(angle)), Y: at.Y + style.Radius*vg.Length(1.2*math.Sin(angle))}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
	c.Stroke(p)
}
