package report

import (
	"image"
	"image/color"
	"sync"
	"testing"

	"gonum.org/v1/plot/vg/vgimg"
)

// TestPalettedPictures holds the pictures of the sample to what was drawn: nearly
// every pixel stays as it is, the others change by a shade that nobody sees.
func TestPalettedPictures(t *testing.T) {
	for _, p := range Pictures(sample())[:7] { // the forest and one grant
		canvas := vgimg.NewWith(vgimg.UseWH(p.width, p.height), vgimg.UseDPI(fileDots))
		p.draw(canvas, lightPalette())
		drawn := rgba(canvas.Image())
		kept, changed, most := paletted(drawn), 0, 0
		for i := 0; i < len(drawn.Pix); i += 4 {
			c := kept.Palette[kept.Pix[i/4]].(color.RGBA)
			off := 0
			for j, v := range []uint8{c.R, c.G, c.B, c.A} {
				off = max(off, int(v)-int(drawn.Pix[i+j]), int(drawn.Pix[i+j])-int(v))
			}
			if most = max(most, off); off > 0 {
				changed++
			}
		}
		if share := float64(changed) / float64(len(kept.Pix)); share > 0.05 || most > 16 {
			t.Errorf("%s: %.3f %% of the pixels changed, by up to %d of 255", p.Name, 100*share, most)
		}
	}
}

// TestPaletted keeps up to 256 colours as they are. Of more it keeps the most
// frequent, and every other pixel gets a colour as near as a neighbour.
func TestPaletted(t *testing.T) {
	for _, width := range []int{1, 256, 300} {
		img := image.NewRGBA(image.Rect(0, 0, width, 2))
		for x := range width {
			c := color.RGBA{uint8(x), uint8(x >> 8), 0, 255}
			img.SetRGBA(x, 0, c)
			if x < 10 {
				c = color.RGBA{0, 0, 0, 255}
			}
			img.SetRGBA(x, 1, c)
		}
		out := paletted(img)
		if want := min(width, 256); len(out.Palette) != want {
			t.Fatalf("%d colours of %d, want %d", len(out.Palette), width, want)
		}
		for x := range width {
			got, want := out.At(x, 0).(color.RGBA), img.RGBAAt(x, 0)
			if off := max(int(got.R)-int(want.R), int(want.R)-int(got.R), int(got.G)-int(want.G), int(want.G)-int(got.G)); off > 1 || off > 0 && width <= 256 {
				t.Errorf("pixel %d of %d: %v, want %v", x, width, got, want)
			}
		}
		if got := out.At(0, 1); got != (color.RGBA{0, 0, 0, 255}) {
			t.Errorf("the most frequent colour became %v", got)
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
