package report

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"maps"
	"slices"

	"gonum.org/v1/plot/vg/vgimg"
)

// fileDots is how many pixels per inch a PNG has.
const fileDots = 144

// writePNG draws the picture with at most 256 colours: a byte per pixel is
// encoded in a fraction of the time that true colours take, in fewer bytes.
func (p Picture) writePNG(w io.Writer) error {
	canvas := vgimg.NewWith(vgimg.UseWH(p.width, p.height), vgimg.UseDPI(fileDots))
	p.draw(canvas, lightPalette())
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, paletted(rgba(canvas.Image()))); err != nil {
		return fmt.Errorf("draw %s: %w", p.title, err)
	}
	return nil
}

// rgba is an image as the canvas keeps it.
func rgba(img image.Image) *image.RGBA {
	if same, ok := img.(*image.RGBA); ok {
		return same
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// Of the colours of a palette the first are the most frequent of an image, the
// others those that differ most from all before, so that no pixel is far off.
const (
	mostColours     = 256
	frequentColours = 160
)

// paletted is the image in 256 of its colours, each pixel in the nearest. It has
// to be opaque, and its rows without gaps.
func paletted(img *image.RGBA) *image.Paletted {
	counts := map[uint32]int{}
	eachRun(img, func(c uint32, _, n int) { counts[c] += n })
	kept, index := choose(slices.SortedFunc(maps.Keys(counts), func(a, b uint32) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}))
	out := image.NewPaletted(img.Bounds(), nil)
	for _, c := range kept {
		out.Palette = append(out.Palette, color.RGBA{uint8(c), uint8(c >> 8), uint8(c >> 16), 255})
	}
	eachRun(img, func(c uint32, at, n int) {
		if i := index[c]; i != 0 { // where most pixels are
			for j := range out.Pix[at : at+n] {
				out.Pix[at+j] = i
			}
		}
	})
	return out
}

// choose takes the colours of a palette from those of an image, the most frequent
// first, and says which place in it each of them gets.
func choose(all []uint32) (kept []uint32, index map[uint32]uint8) {
	type place struct {
		index uint8
		off   int // how far the colour there is from this one
	}
	places := make([]place, len(all))
	keep := func(c uint32) {
		for i, other := range all {
			if off := difference(c, other); len(kept) == 0 || off < places[i].off {
				places[i] = place{uint8(len(kept)), off}
			}
		}
		kept = append(kept, c)
	}
	for _, c := range all[:min(len(all), frequentColours)] {
		keep(c)
	}
	for len(kept) < min(len(all), mostColours) {
		worst := 0
		for i := range places {
			if places[i].off > places[worst].off {
				worst = i
			}
		}
		keep(all[worst])
	}
	index = make(map[uint32]uint8, len(all))
	for i, c := range all {
		index[c] = places[i].index
	}
	return kept, index
}

// difference is the square of the distance of two colours.
func difference(a, b uint32) int {
	sum := 0
	for shift := 0; shift < 24; shift += 8 {
		d := int(uint8(a>>shift)) - int(uint8(b>>shift))
		sum += d * d
	}
	return sum
}

// eachRun calls f for every run of equal pixels: its colour, with red in the
// lowest byte, its first pixel and its length.
func eachRun(img *image.RGBA, f func(c uint32, at, n int)) {
	n := len(img.Pix) / 4
	for at := 0; at < n; {
		c, next := binary.LittleEndian.Uint32(img.Pix[4*at:]), at+1
		for next < n && binary.LittleEndian.Uint32(img.Pix[4*next:]) == c {
			next++
		}
		f(c, at, next-at)
		at = next
	}
}
