package report

import (
	"cmp"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
)

// Of the colours of a palette the first are the most frequent of an image, the
// others those that differ most from all before, so that no pixel is far off.
const (
	mostColours     = 256
	frequentColours = 160
)

// shades are the colours of an image that agree in the high bits of red, green
// and blue, as one: that which most of their pixels have, if more than half have
// it, as the votes of Boyer and Moore find it, else one of them.
type shades struct {
	colour        uint32
	votes, pixels int
}

const (
	shadeBits = 5 // of each of red, green and blue
	allShades = 1 << (3 * shadeBits)
)

func shadeOf(c uint32) uint32 {
	const low, mask = 8 - shadeBits, 1<<shadeBits - 1
	return c>>low&mask | c>>(8+low)&mask<<shadeBits | c>>(16+low)&mask<<(2*shadeBits)
}

func (s *shades) add(c uint32, n int) {
	s.pixels += n
	switch {
	case s.colour == c:
		s.votes += n
	case s.votes < n:
		s.colour, s.votes = c, n-s.votes
	default:
		s.votes -= n
	}
}

// paletted is the image in 256 of its colours, each pixel in one near its own. It
// has to be opaque, and its rows without gaps.
func paletted(img *image.RGBA) *image.Paletted {
	found := make([]shades, allShades)
	eachRun(img, func(c uint32, _, n int) { found[shadeOf(c)].add(c, n) })
	var all []shades
	for _, s := range found {
		if s.pixels > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b shades) int {
		return cmp.Or(cmp.Compare(b.pixels, a.pixels), cmp.Compare(a.colour, b.colour))
	})
	kept, index := choose(all)
	out := image.NewPaletted(img.Bounds(), nil)
	for _, c := range kept {
		out.Palette = append(out.Palette, color.RGBA{uint8(c), uint8(c >> 8), uint8(c >> 16), 255})
	}
	eachRun(img, func(c uint32, at, n int) {
		if i := index[shadeOf(c)]; i != 0 { // where most pixels are
			for j := range out.Pix[at : at+n] {
				out.Pix[at+j] = i
			}
		}
	})
	return out
}

// choose takes the colours of a palette from those of an image, the most frequent
// first, and says which place in it the colours of each shade get.
func choose(all []shades) (kept []uint32, index []uint8) {
	type place struct {
		index uint8
		off   int // how far the colour there is from this one
	}
	places := make([]place, len(all))
	keep := func(c uint32) {
		for i, other := range all {
			if off := difference(c, other.colour); len(kept) == 0 || off < places[i].off {
				places[i] = place{uint8(len(kept)), off}
			}
		}
		kept = append(kept, c)
	}
	for _, s := range all[:min(len(all), frequentColours)] {
		keep(s.colour)
	}
	for len(kept) < min(len(all), mostColours) {
		worst := 0
		for i := range places {
			if places[i].off > places[worst].off {
				worst = i
			}
		}
		keep(all[worst].colour)
	}
	index = make([]uint8, allShades)
	for i, s := range all {
		index[shadeOf(s.colour)] = places[i].index
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
