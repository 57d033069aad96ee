package report

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// fileDots is how many pixels per inch a PNG has.
const fileDots = 144

// writePNG draws the picture with at most 256 colours: a byte per pixel is
// encoded in a fraction of the time that true colours take, in fewer bytes.
func (p Picture) writePNG(w io.Writer) error {
	canvas := p.pixels()
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, paletted(canvas)); err != nil {
		return fmt.Errorf("draw %s: %w", p.title, err)
	}
	return nil
}

// pixels draws the picture in true colours.
func (p Picture) pixels() *image.RGBA {
	canvas := vgimg.NewWith(vgimg.UseWH(p.width, p.height), vgimg.UseDPI(fileDots)) // white
	p.draw(&strokes{Canvas: canvas}, lightPalette())
	img := canvas.Image()
	if same, ok := img.(*image.RGBA); ok {
		return same
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// strokes draws long lines piece by piece: to colour a pixel the rasterizer goes
// through all edges that the line has in its row.
type strokes struct {
	*vgimg.Canvas
	dashes []vg.Length
	offset vg.Length
}

// pieceLength is in points. Pieces overlap by one segment, so that they join.
const pieceLength = 16

// SetLineDash implements vg.Canvas.
func (s *strokes) SetLineDash(pattern []vg.Length, offset vg.Length) {
	s.dashes, s.offset = pattern, offset
	s.Canvas.SetLineDash(pattern, offset)
}

// Stroke implements vg.Canvas.
func (s *strokes) Stroke(p vg.Path) {
	bent := slices.ContainsFunc(p[min(1, len(p)):], func(c vg.PathComp) bool { return c.Type != vg.LineComp })
	if bent || len(p) <= pieceLength {
		s.Canvas.Stroke(p)
		return
	}
	at := s.offset // in the pattern of dashes
	for from := 0; ; {
		to := min(from+pieceLength, len(p))
		piece := slices.Clone(p[from:to])
		piece[0].Type = vg.MoveComp
		s.Canvas.SetLineDash(s.dashes, at)
		s.Canvas.Stroke(piece)
		if to == len(p) {
			break
		}
		for ; from < to-2; from++ {
			between := p[from+1].Pos.Sub(p[from].Pos)
			at += vg.Length(math.Hypot(float64(between.X), float64(between.Y)))
		}
	}
	s.Canvas.SetLineDash(s.dashes, s.offset)
}
