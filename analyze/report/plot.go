package report

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Plots are drawn in colours that stand for roles; the SVG text then gets CSS
// variables in their place, so that one drawing serves light, dark and print.
// The names are those of report.css.
var roles = []struct {
	name  string
	color color.RGBA
}{
	{"ink", color.RGBA{16, 0, 0, 255}},
	{"muted", color.RGBA{32, 0, 0, 255}},
	{"grid", color.RGBA{48, 0, 0, 255}},
	{"shade", color.RGBA{64, 0, 0, 255}},
	{"on", color.RGBA{80, 0, 0, 255}},
	{"off", color.RGBA{96, 0, 0, 255}},
	{"on-thin", color.RGBA{112, 0, 0, 255}},
	{"off-thin", color.RGBA{128, 0, 0, 255}},
	{"published", color.RGBA{144, 0, 0, 255}},
	{"loss", color.RGBA{160, 0, 0, 255}},
}

// role is the stand-in colour of a CSS variable.
func role(name string) color.Color {
	for _, r := range roles {
		if r.name == name {
			return r.color
		}
	}
	panic("report: no colour role " + name) // a spelling mistake in this package
}

// asVariables replaces the stand-ins in an SVG by var(--name).
func asVariables(svg string) string {
	var pairs []string
	for _, r := range roles {
		// The canvas rounds down after a division, so a channel may come out one lower.
		for _, red := range []uint8{r.color.R, r.color.R - 1} {
			pairs = append(pairs, fmt.Sprintf("#%02X0000", red), "var(--"+r.name+")")
		}
	}
	return strings.NewReplacer(pairs...).Replace(svg)
}

// picture is one plot, ready to be drawn into a page or a file.
type picture struct {
	name               string // of its file, without extension
	plot               *plot.Plot
	width, height      vg.Length // on a page
	label              string    // what is drawn, in the words of a caption
	title, description string
	unit               string // of the vertical axis, "" when its labels say it
	key                string // what lines and marks mean; a page has it in its legends
	caption            string // what a reader of a page has to know beside the label
	file               bool   // drawn into a file of its own, with title, key and margin
}

const (
	figureWidth  = vg.Length(420)
	figureHeight = vg.Length(210)
	fontSize     = 10.5
)

// inline draws a picture as an element for an HTML page, with a title and a
// description for those who cannot see it. id has to be unique on the page.
func (p picture) inline(id string) (string, error) {
	text, err := p.drawSVG(nil)
	if err != nil {
		return "", err
	}
	head := fmt.Sprintf(`<svg class="plot" role="img" aria-labelledby="%[1]s-t %[1]s-d" viewBox="0 0 %[2]g %[3]g" xmlns="http://www.w3.org/2000/svg"><title id="%[1]s-t">%[4]s</title><desc id="%[1]s-d">%[5]s</desc>`,
		id, p.width.Points(), p.height.Points(), html.EscapeString(p.title), html.EscapeString(p.description))
	return head + "\n" + asVariables(text), nil
}

// drawSVG draws a picture in the colours of a palette, nil for the stand-ins of
// the roles, and returns what stands inside the svg element with its end tag.
func (p picture) drawSVG(colours palette) (string, error) {
	canvas := measured{vgsvg.New(p.width, p.height)}
	p.draw(canvas, colours)
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("draw %s: %w", p.title, err)
	}
	text := b.String()
	start := strings.Index(text, "<g ")
	if start < 0 {
		return "", fmt.Errorf("draw %s: the drawing has no content", p.title)
	}
	return compact(fitText(text[start:])), nil
}

// measured notes the width that the layout reserved for each text, because the
// reader's machine may draw it in a wider font.
type measured struct{ *vgsvg.Canvas }

// widthMark separates a text from its width until fitText moves it into an
// attribute. It is not a character that text may hold.
const widthMark = "\x1f"

// FillString implements vg.Canvas.
func (m measured) FillString(face font.Face, at vg.Point, text string) {
	if text == "" {
		return
	}
	plain := strings.ReplaceAll(text, widthMark, " ")
	m.Canvas.FillString(face, at, fmt.Sprintf("%s%s%.1f", plain, widthMark, face.Width(text).Points()))
}

var textWithWidth = regexp.MustCompile(`>([^<>` + widthMark + `]*)` + widthMark + `([0-9.]+)</text>`)

// fitText makes the browser draw each text exactly as wide as it was laid out.
func fitText(svg string) string {
	return textWithWidth.ReplaceAllString(svg, ` textLength="$2" lengthAdjust="spacingAndGlyphs">$1</text>`)
}

var (
	fontStyle = regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*;font-weight:([^;"]*);font-style:normal;`)
	pathData  = regexp.MustCompile(` d="[^"]*"`)
	longFloat = regexp.MustCompile(`-?\d+\.\d\d+`)
)

// compact drops fonts, which the page's style sheet sets, and decimals below a
// tenth of a point, which nobody sees.
func compact(svg string) string {
	svg = fontStyle.ReplaceAllString(svg, "font-weight:$1;")
	svg = strings.ReplaceAll(svg, "font-weight:normal;", "")
	return pathData.ReplaceAllStringFunc(svg, func(d string) string {
		return longFloat.ReplaceAllStringFunc(d, func(n string) string {
			v, err := strconv.ParseFloat(n, 64)
			if err != nil {
				return n
			}
			return trimZero(strconv.FormatFloat(v, 'f', 1, 64))
		})
	})
}

// rules draws light horizontal lines at the y ticks.
type rules struct{ values []float64 }

// Plot implements plot.Plotter.
func (r rules) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	style := draw.LineStyle{Color: role("grid"), Width: vg.Points(0.6)}
	for _, v := range r.values {
		c.StrokeLine2(style, c.Min.X, y(v), c.Max.X, y(v))
	}
}
