package report

import (
	"io"
	"math"
	"testing"
)

// studySized is a report of 18 windows of 15 minutes at 5 s.
func studySized() Report {
	r := sample()
	for i := range r.Figures {
		f := &r.Figures[i]
		f.Lines, f.Warmup = nil, 120
		for w := range 6 {
			l := Line{Persistence: []string{"on", "off"}[w%2], Block: w/2 + 1}
			for s := range 180 {
				l.Seconds = append(l.Seconds, 5*float64(s))
				l.Values = append(l.Values, 700+100*math.Sin(float64(s*(w+1))))
			}
			f.Lines = append(f.Lines, l)
		}
	}
	return r
}

// BenchmarkFormats writes a study in every format.
func BenchmarkFormats(b *testing.B) {
	r := studySized()
	for _, w := range Writers {
		b.Run(w.Format, func(b *testing.B) {
			for b.Loop() {
				if err := w.Write(io.Discard, r, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPictures draws all figures of a study.
func BenchmarkPictures(b *testing.B) {
	r := studySized()
	for _, format := range PictureFormats() {
		b.Run(format, func(b *testing.B) {
			for b.Loop() {
				for _, p := range Pictures(r) {
					if err := p.Write(io.Discard, format); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
