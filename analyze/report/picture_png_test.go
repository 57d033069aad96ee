package report

import (
	"image"
	"image/color"
	"math"
	"sync"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
)

// TestPalettedPictures holds the pictures of the sample to what was drawn: nearly
// every pixel stays as it is, the others change by a shade that nobody sees.
func TestPalettedPictures(t *testing.T) {
	buildtest.Alone(t)
	for _, p := range Pictures(sample())[:7] { // the forest and one grant
		drawn := p.pixels()
		kept, changed, most := paletted(drawn), 0, 0
		for i := 0; i < len(drawn.Pix); i += 4 {
			c := kept.Palette[kept.Pix[i/4]].(color.RGBA)
			off := farthest(c, color.RGBA{drawn.Pix[i], drawn.Pix[i+1], drawn.Pix[i+2], drawn.Pix[i+3]})
			if most = max(most, off); off > 0 {
				changed++
			}
		}
		if share := float64(changed) / float64(len(kept.Pix)); share > 0.05 || most > 16 {
			t.Errorf("%s: %.3f %% of the pixels changed, by up to %d of 255", p.Name, 100*share, most)
		}
	}
}

// farthest is the greatest difference of two colours in red, green, blue or alpha.
func farthest(a, b color.RGBA) int {
	off := 0
	for i, v := range []uint8{a.R, a.G, a.B, a.A} {
		w := []uint8{b.R, b.G, b.B, b.A}[i]
		off = max(off, int(v)-int(w), int(w)-int(v))
	}
	return off
}

// TestPaletted keeps the frequent colours as they are, and gives every other
// pixel one close by.
func TestPaletted(t *testing.T) {
	for _, width := range []int{1, 32, 4096} {
		img := image.NewRGBA(image.Rect(0, 0, width, 2))
		for x := range width {
			c := color.RGBA{uint8(x << 3), uint8(x >> 5 << 1), uint8(x / 1024), 255}
			img.SetRGBA(x, 0, c)
			img.SetRGBA(x, 1, color.RGBA{1, 2, 3, 255})
		}
		out, again := paletted(img), paletted(img)
		if len(out.Palette) > 256 || string(out.Pix) != string(again.Pix) {
			t.Errorf("%d colours, or the second time others", len(out.Palette))
		}
		for x := range width {
			if off := farthest(out.At(x, 0).(color.RGBA), img.RGBAAt(x, 0)); off > 24 {
				t.Errorf("pixel %d of %d: %v, was %v", x, width, out.At(x, 0), img.At(x, 0))
			}
			if got := out.At(x, 1); width > 1 && got != (color.RGBA{1, 2, 3, 255}) {
				t.Fatalf("the most frequent colour became %v", got)
			}
		}
	}
}

// TestStrokes draws a line in pieces as it is drawn in one, but for some shades
// where pieces overlap.
func TestStrokes(t *testing.T) {
	var line vg.Path
	for i := range 200 {
		at := vg.Point{X: vg.Length(10 + i), Y: vg.Length(100 + 60*math.Sin(float64(i*i)))}
		if i == 0 {
			line.Move(at)
		} else {
			line.Line(at)
		}
	}
	for _, dashes := range [][]vg.Length{nil, {5, 2.5}} {
		draw := func(c vg.CanvasSizer) {
			c.SetColor(color.Black)
			c.SetLineWidth(1)
			c.SetLineDash(dashes, 0)
			c.Stroke(line)
		}
		whole, pieces := vgimg.New(220, 200), vgimg.New(220, 200)
		draw(whole)
		draw(&strokes{Canvas: pieces})
		a, b := whole.Image().(*image.RGBA), pieces.Image().(*image.RGBA)
		different, dark := 0, 0
		for i := 0; i < len(a.Pix); i += 4 {
			if a.Pix[i] < 128 {
				dark++
			}
			if int(a.Pix[i])-int(b.Pix[i]) > 96 || int(b.Pix[i])-int(a.Pix[i]) > 96 {
				different++
			}
		}
		if dark < 1000 || float64(different) > 0.02*float64(dark) {
			t.Errorf("dashes %v: %d of %d dark pixels differ", dashes, different, dark)
		}
	}
}

// TestSideBySide draws all pictures at once, as compare does: the same bytes as
// one after the other.
func TestSideBySide(t *testing.T) {
	var want []string
	for _, p := range Pictures(sample())[:4] {
		want = append(want, drawn(t, p, "png"))
	}
	var all sync.WaitGroup
	for i, p := range Pictures(sample())[:4] {
		all.Go(func() {
			if drawn(t, p, "svg") == "" || drawn(t, p, "png") != want[i] {
				t.Errorf("%s: drawn beside others it differs", p.Name)
			}
		})
	}
	all.Wait()
}
