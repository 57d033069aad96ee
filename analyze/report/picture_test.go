package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
)

// TestPictures draws every figure of the sample in both formats.
func TestPictures(t *testing.T) {
	buildtest.Alone(t)
	all := Pictures(sample())
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	for _, want := range []string{"forest", "password-throughput", "password-database_iops", "password-latency", "password-cpu-against-throughput"} {
		if !slices.Contains(names, want) {
			t.Errorf("no picture %s among %v", want, names)
		}
	}
	if len(all) != 19 { // six per grant and the forest
		t.Errorf("%d pictures, want 19: %v", len(all), names)
	}
	again := Pictures(sample())
	for i, p := range all {
		svg := drawn(t, p, "svg")
		checkSVG(t, p.Name, svg)
		if svg != drawn(t, again[i], "svg") {
			t.Errorf("%s: a second drawing differs", p.Name)
		}
		if m := regexp.MustCompile(`var\(--|#[0-9A-F]{2}0000|` + widthMark).FindString(svg); m != "" {
			t.Errorf("%s keeps %q: a colour or a width that only a page could resolve", p.Name, m)
		}
	}
}

// TestPNG looks at the first picture as pixels: a white margin, something drawn,
// and the same bytes twice.
func TestPNG(t *testing.T) {
	buildtest.Alone(t)
	again := Pictures(sample())
	for i, p := range Pictures(sample())[:1] {
		text := drawn(t, p, "png")
		if text != drawn(t, again[i], "png") {
			t.Errorf("%s: a second drawing differs", p.Name)
		}
		img, err := png.Decode(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		size := img.Bounds().Size()
		if size.X != 1280 || size.Y < 700 {
			t.Errorf("%s: %v pixels", p.Name, size)
		}
		colours := map[[3]uint32]bool{}
		for y := 0; y < size.Y; y += 3 {
			for x := 0; x < size.X; x += 3 {
				r, g, b, a := img.At(x, y).RGBA()
				if a != 0xffff {
					t.Fatalf("%s: pixel %d, %d is transparent", p.Name, x, y)
				}
				if (x < 4 || y < 4) && r&g&b != 0xffff {
					t.Fatalf("%s: the margin is not white", p.Name)
				}
				colours[[3]uint32{r >> 12, g >> 12, b >> 12}] = true
			}
		}
		if len(colours) < 10 {
			t.Errorf("%s: %d colours only", p.Name, len(colours))
		}
	}
	if err := Pictures(sample())[0].Write(io.Discard, "pdf"); err == nil || !strings.Contains(err.Error(), "svg or png") {
		t.Errorf("error %v for an unknown format", err)
	}
	if err := Pictures(sample())[0].Write(failing{io.ErrShortWrite}, "png"); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

func drawn(t *testing.T, p Picture, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkSVG holds a file to XML with a title and a description.
func checkSVG(t failer, name, text string) {
	if err := wellFormed(text); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	var svg struct {
		Title string `xml:"title"`
		Desc  string `xml:"desc"`
	}
	if err := xml.Unmarshal([]byte(text), &svg); err != nil || svg.Title == "" || svg.Desc == "" {
		t.Errorf("%s: %v, title %q, description %q", name, err, svg.Title, svg.Desc)
	}
	if m := strayText().FindString(text); m != "" {
		t.Errorf("%s contains %q", name, m)
	}
}

// TestPictureNames keeps names apart, and inside the folder they are meant for.
func TestPictureNames(t *testing.T) {
	r := sample()
	for i := range r.Figures {
		r.Figures[i].Grant = r.Grants[0].Grant
	}
	r.Grants[1].Grant, r.Grants[2].Grant = "../../etc/passwd", "a/b"
	r.Figures[0].Grant, r.Figures[1].Grant = "../../etc/passwd", "a/b"
	seen := map[string]bool{}
	for _, p := range Pictures(r) {
		if seen[p.Name] {
			t.Errorf("two pictures are called %s", p.Name)
		}
		seen[p.Name] = true
		if strings.ContainsAny(p.Name, `/\:`) || strings.HasPrefix(p.Name, ".") {
			t.Errorf("name %q", p.Name)
		}
	}
	for text, want := range map[string]string{"urn:x": "urn-x", "..": "figure", "": "figure", "é": "figure"} {
		if got := fileName(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestLightPalette finds every role in the style sheet.
func TestLightPalette(t *testing.T) {
	p := lightPalette()
	for _, r := range roles {
		if _, ok := p[r.color]; !ok {
			t.Errorf("--%s has no light colour of six digits in report.css", r.name)
		}
	}
}

// TestUsage leaves windows out that lack a number, and finds what the marks say.
func TestUsage(t *testing.T) {
	r := Report{Grants: []Grant{{Grant: "g"}}, Diagnostics: []RunCheck{
		{Grant: "g", Persistence: "on", Throughput: num(100), APIManagerCPU: num(0.5)},
		{Grant: "g", Persistence: "on", Throughput: num(200), APIManagerCPU: num(0.7), DatabaseCPU: num(0.2)},
		{Grant: "g", Persistence: "off", APIManagerCPU: num(0.7)},
		{Grant: "other", Persistence: "off", Throughput: num(1), APIManagerCPU: num(0.7)},
	}}
	p, ok := usagePicture(r, "g")
	want := "API Manager, persistence on: mean 60.0 % busy at 150 tokens/s over 2 windows; database, persistence on: mean 20.0 % busy at 200 tokens/s over 1 windows."
	if !ok || p.description != want {
		t.Errorf("%t, %q, want %q", ok, p.description, want)
	}
	if _, ok := usagePicture(r, "nobody"); ok {
		t.Error("a picture without a mark")
	}
}

// TestLatency reads the description, whose points have to be those of the line.
func TestLatency(t *testing.T) {
	r := Report{Latencies: []Latency{
		{Grant: "g", Persistence: "off", Windows: 2, Requests: 400, Shares: []float64{0.25, 0.5, 0.99, 1}, Milliseconds: []float64{0, 12, 80, 900}},
	}}
	p, ok := latencyPicture(r, "g")
	want := "persistence off, 400 requests, half within 12.0 ms, 95 % within 80.0 ms, 99 % within 80.0 ms."
	if !ok || p.description != want {
		t.Errorf("%t, %q, want %q", ok, p.description, want)
	}
	if xys := latencyLine(r.Latencies[0]); len(xys) != 5 || xys[0].X != 0.5 || xys[0].Y != 0 || xys[4].Y != 100 {
		t.Errorf("the line is %v", xys)
	}
	if _, ok := latencyPicture(r, "h"); ok {
		t.Error("a picture without a line")
	}
}

// TestTicks are round and inside their range.
func TestTicks(t *testing.T) {
	for _, c := range []struct{ got, want []float64 }{
		{logTicks(0.5, 30), []float64{0.5, 1, 2, 5, 10, 20}},
		{logTicks(1, 5000), []float64{1, 10, 100, 1000}},
		{ticksBetween(95, 115), []float64{95, 100, 105, 110, 115}},
		{ticksBetween(-3, 5), []float64{-2, 0, 2, 4}},
		{niceTicks(1e-300), []float64{0, 1}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}
