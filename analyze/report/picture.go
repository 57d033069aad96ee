package report

import (
	"fmt"
	"html"
	"image/color"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Picture is one figure of a report as a file of its own, with title, unit and
// key in it. Name is the file's name without extension, unique in a report.
type Picture struct {
	Name string
	picture
}

// PictureFormats are the formats that Picture.Write knows.
func PictureFormats() []string { return []string{"svg", "png"} }

// Sizes of a picture in a file.
const (
	fileWidth  = vg.Length(640)
	fileHeight = vg.Length(380)
	fileMargin = vg.Length(12)
	filePoints = 6000 // of all lines of a plot against time
)

// Pictures draws every figure of a report: the forest plot first, then grant by
// grant the metrics against time, latency, and CPU against throughput.
func Pictures(r Report) []Picture {
	r = plain(r)
	var all []picture
	if len(r.Grants) > 0 {
		all = append(all, forest(r))
	}
	for _, g := range r.Grants {
		all = append(all, grantPictures(r, g.Grant, filePoints)...)
	}
	out := make([]Picture, 0, len(all))
	taken := map[string]int{}
	for _, p := range all {
		p.frame()
		name := p.name
		if taken[name]++; taken[name] > 1 {
			name += "-" + strconv.Itoa(taken[name])
		}
		out = append(out, Picture{Name: name, picture: p})
	}
	return out
}

// grantPictures are the figures of one grant; points bounds those of each plot
// against time.
func grantPictures(r Report, grant string, points int) []picture {
	var out []picture
	for _, f := range r.Figures {
		if f.Grant != grant {
			continue
		}
		if p, ok := timePicture(f, points); ok {
			out = append(out, p)
		}
	}
	if p, ok := latencyPicture(r, grant); ok {
		out = append(out, p)
	}
	if p, ok := usagePicture(r, grant); ok {
		out = append(out, p)
	}
	return out
}

// frame gives a picture what the page around it would say.
func (p *picture) frame() {
	title := &p.plot.Title
	title.Text, title.Padding = p.title, vg.Points(8)
	title.TextStyle.Color = role("ink")
	title.TextStyle.Font.Variant, title.TextStyle.Font.Size = "Sans", 13
	p.plot.Y.Label.Text = p.unit
	p.file = true
	// The forest is as high as it has rows.
	p.height = max(p.height+vg.Points(80), fileHeight)
	p.width = fileWidth
}

// Write draws the picture as svg or png in the light colours of the page. The
// same picture gives the same bytes.
func (p Picture) Write(w io.Writer, format string) error {
	switch format {
	case "svg":
		text, err := p.drawSVG(lightPalette())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%[1]gpt" height="%[2]gpt" viewBox="0 0 %[1]g %[2]g" font-family="Liberation Sans, Arimo, Arial, Helvetica, sans-serif"><title>%[3]s</title><desc>%[4]s</desc>
<rect width="100%%" height="100%%" fill="#fff"/>
%[5]s`, p.width.Points(), p.height.Points(), html.EscapeString(p.title), html.EscapeString(p.description), text)
		return err
	case "png":
		return p.writePNG(w)
	}
	return fmt.Errorf("a picture as %q: use %s", format, strings.Join(PictureFormats(), " or "))
}

// draw puts the plot on a canvas. On a page it fills it; a file keeps a margin.
func (p picture) draw(canvas vg.CanvasSizer, colours palette) {
	c := draw.New(painted{canvas, colours})
	if p.file {
		c = p.drawKey(draw.Crop(c, fileMargin, -fileMargin, fileMargin, -fileMargin))
	}
	p.plot.Draw(c)
}

// drawKey writes the key at the bottom and returns the canvas above it. As part
// of the axis label it would pull a log axis to one side.
func (p picture) drawKey(c draw.Canvas) draw.Canvas {
	const lineHeight = vg.Length(14)
	style := p.plot.X.Label.TextStyle
	style.XAlign, style.YAlign = draw.XCenter, draw.YBottom
	lines := strings.Split(p.key, "\n")
	for i, l := range lines {
		c.FillText(style, vg.Point{X: c.Center().X, Y: c.Min.Y + lineHeight*vg.Length(len(lines)-1-i)}, l)
	}
	return draw.Crop(c, 0, 0, lineHeight*vg.Length(len(lines))+8, 0)
}

// palette gives the stand-in colours of the roles real ones.
type palette map[color.Color]color.Color

// painted replaces stand-in colours while something is drawn.
type painted struct {
	vg.CanvasSizer
	colours palette
}

// SetColor implements vg.Canvas.
func (p painted) SetColor(c color.Color) {
	if drawn, ok := p.colours[c]; ok {
		c = drawn
	}
	p.CanvasSizer.SetColor(c)
}

var cssColour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// lightPalette takes the colours of the roles from the style sheet of the page,
// whose first definitions are those for light.
func lightPalette() palette {
	defined := map[string]color.Color{}
	for _, found := range cssColour.FindAllStringSubmatch(htmlStyle, -1) {
		v, err := strconv.ParseUint(found[2], 16, 32)
		if _, known := defined[found[1]]; !known && err == nil {
			defined[found[1]] = color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
		}
	}
	out := palette{}
	for _, r := range roles {
		if c, ok := defined[r.name]; ok {
			out[r.color] = c
		}
	}
	return out
}

// fileName keeps what every file system takes: letters, digits, dots, dashes and
// underscores; all else becomes a dash.
func fileName(s string) string {
	const most = 80
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '-'
	}, s)
	s = strings.TrimLeft(s[:min(len(s), most)], ".-")
	if s == "" {
		return "figure"
	}
	return s
}

// newPlot is an empty plot in the style of the page: no frame, horizontal grid
// lines only, labels in muted ink.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color = role("muted")
		a.Width = vg.Points(0.6)
		a.Tick.Color = role("muted")
		a.Tick.Width = vg.Points(0.6)
		a.Tick.Length = vg.Points(3)
		a.Tick.Label.Color = role("ink")
		a.Tick.Label.Font.Size = fontSize
		a.Tick.Label.Font.Variant = "Sans"
		a.Label.TextStyle.Color = role("muted")
		a.Label.TextStyle.Font.Size = fontSize
		a.Label.TextStyle.Font.Variant = "Sans"
		a.Padding = 0
	}
	return p
}
