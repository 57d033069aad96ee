package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed report.html.tmpl
var htmlTemplate string

//go:embed report.css
var htmlStyle string

// HTML writes one self-contained page: no network, no scripts, plots as inline
// SVG that follow the light or dark scheme of the browser and print on A4.
func HTML(w io.Writer, r Report, _ Options) error {
	r = plain(r)
	t, err := template.New("report").Funcs(template.FuncMap{
		"percent": percentText, "ratio": ratioText, "number": numberText, "clock": clockText, "p": pText,
		"significant": significant, "short": short, "seconds": func(s float64) string { return trimZero(fixed(s, 1)) },
		"value": valueText, "side": sideText, "unit": unitText, "lower": strings.ToLower, "mark": editionMark,
		"symbol": symbol, "class": class, "hash": func(s string) string { return strings.ReplaceAll(s, " ", "-") },
	}).Parse(htmlTemplate)
	if err != nil {
		return fmt.Errorf("read the page template: %w", err)
	}
	page, err := newHTMLPage(r)
	if err != nil {
		return err
	}
	// Into memory first: a template error in the middle must not leave half a page.
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// htmlPage is a report arranged for the template.
type htmlPage struct {
	Report
	Style    template.CSS
	Sentence string
	Columns  []string
	Editions []string
	Rows     []ratioRow
	Forest   template.HTML
	Caveats  []Caveat
	Sections []grantSection
	Settings []string
	Inputs   []inputRow
}

// pageFigures bounds the plots of all grants together, each of which takes some
// 5 kB beside its points, so that a page stays below 500 kB.
const pageFigures = 40

// ratioRow is one grant in the first table.
type ratioRow struct {
	Grant     Grant
	Cells     []*Comparison
	Published []*Reference
}

// grantSection is everything about one grant.
type grantSection struct {
	Grant       Grant
	Comparisons []Comparison
	Figures     []drawnFigure
	Hidden      int // figures that the page has no room for
	Methods     []string
	Windows     []RunCheck
}

type drawnFigure struct {
	Label, Unit, Caption string
	SVG                  template.HTML
}

func newHTMLPage(r Report) (htmlPage, error) {
	page := htmlPage{
		Report: r, Style: template.CSS(htmlStyle), Sentence: sentence(r),
		Editions: r.editions(), Caveats: r.caveats(), Settings: r.Environment.lines(), Inputs: r.Provenance.rows(),
	}
	for _, c := range threeRatios {
		page.Columns = append(page.Columns, strings.ToUpper(c.head[:1])+c.head[1:])
	}
	for i, g := range r.Grants {
		row := ratioRow{Grant: g}
		for _, c := range threeRatios {
			row.Cells = append(row.Cells, r.metric(g.Grant, c.metric))
		}
		for _, e := range page.Editions {
			row.Published = append(row.Published, r.published(e, g.Grant))
		}
		page.Rows = append(page.Rows, row)
		section, err := newSection(r, g, i)
		if err != nil {
			return htmlPage{}, err
		}
		page.Sections = append(page.Sections, section)
	}
	if len(r.Grants) == 0 {
		return page, nil
	}
	drawing, err := forest(r).inline("forest")
	page.Forest = template.HTML(drawing)
	return page, err
}

func newSection(r Report, g Grant, index int) (grantSection, error) {
	s := grantSection{Grant: g, Comparisons: r.comparisons(g.Grant)}
	s.Methods = methodLines(s.Comparisons)
	for _, d := range r.Diagnostics {
		if d.Grant == g.Grant {
			s.Windows = append(s.Windows, d)
		}
	}
	all := grantPictures(r, g.Grant, pointBudget/max(1, len(r.Figures)))
	shown := min(len(all), pageFigures/len(r.Grants))
	s.Hidden = len(all) - shown
	for i, p := range all[:shown] {
		drawing, err := p.inline(fmt.Sprintf("f%d-%d", index, i))
		if err != nil {
			return grantSection{}, err
		}
		// The drawing is ours: every text in it went through html.EscapeString.
		s.Figures = append(s.Figures, drawnFigure{Label: p.label, Unit: p.unit, Caption: p.caption, SVG: template.HTML(drawing)})
	}
	return s, nil
}

// symbol stands beside the word of a verdict or result, never in its place.
func symbol(s any) string {
	switch fmt.Sprint(s) {
	case string(Pass), "agrees":
		return "✓"
	case string(Fail), "differs":
		return "✗"
	case string(NoData), "not comparable":
		return "∅"
	default:
		return "?"
	}
}

// class is the CSS class of a verdict or result.
func class(s any) string {
	return strings.ReplaceAll(strings.ToLower(fmt.Sprint(s)), " ", "-")
}

// EffectText is the effect as shown in tables.
func (c Comparison) EffectText() string { return c.effectText() }

// IntervalText is the interval of the effect, empty when there is none.
func (c Comparison) IntervalText() string { return c.intervalText() }

// Place says where a caveat applies, empty for the whole experiment.
func (c Caveat) Place() string { return c.place() }

// Foreign tells whether any window knows the CPU of other processes.
func (s grantSection) Foreign() bool {
	return slices.ContainsFunc(s.Windows, func(d RunCheck) bool { return d.ForeignCPU != nil })
}

// Warned tells whether any window has a warning of its own.
func (s grantSection) Warned() bool {
	return slices.ContainsFunc(s.Windows, func(d RunCheck) bool { return len(d.Warnings) > 0 })
}
