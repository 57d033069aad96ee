package report

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// forestRow is one line of the forest plot.
type forestRow struct {
	label   string
	kind    string // grant, pairs, published
	values  []float64
	lo, hi  float64 // of kind grant; NaN when there is no interval
	edition int
}

// forestRows lists, per grant, the overall throughput ratio, those of its
// pairs and the published ones.
func forestRows(r Report) []forestRow {
	var out []forestRow
	for _, g := range r.Grants {
		c := r.metric(g.Grant, MetricThroughput)
		row := forestRow{label: g.Grant, kind: "grant", lo: math.NaN(), hi: math.NaN()}
		if c != nil && drawable(c.Ratio.Estimate) {
			row.values = []float64{*c.Ratio.Estimate}
			if drawable(c.Ratio.Lo) && drawable(c.Ratio.Hi) {
				row.lo, row.hi = *c.Ratio.Lo, *c.Ratio.Hi
			}
		}
		out = append(out, row)
		if c != nil && len(c.Ratio.Pairs) > 1 {
			pairs := forestRow{label: fmt.Sprintf("its %d pairs", len(c.Ratio.Pairs)), kind: "pairs"}
			for _, p := range c.Ratio.Pairs {
				if drawable(&p.Ratio) {
					pairs.values = append(pairs.values, p.Ratio)
				}
			}
			out = append(out, pairs)
		}
		for i, e := range r.editions() {
			if x := r.published(e, g.Grant); x != nil && drawable(&x.Ratio) {
				out = append(out, forestRow{label: "published " + editionMark(i), kind: "published", values: []float64{x.Ratio}, edition: i})
			}
		}
	}
	return out
}

// drawable tells ratios that a log scale can show.
func drawable(n Number) bool { return n != nil && *n >= 1e-12 && *n <= 1e12 }

// forest draws the throughput ratios on a log scale, so that a halving and a
// doubling are equally far from 1.
func forest(r Report) picture {
	rows := forestRows(r)
	lo, hi := 1.0, 1.0
	if limit := 1 - r.Hypothesis.MaxLoss; drawable(&limit) {
		lo = min(lo, limit)
	}
	for _, row := range rows {
		for _, v := range append([]float64{row.lo, row.hi}, row.values...) {
			if drawable(&v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	p := newPlot()
	p.X.Scale = plot.LogScale{}
	p.X.Min, p.X.Max = lo*0.94, hi*1.06
	p.X.Tick.Marker = ratioTicks(p.X.Min, p.X.Max)
	p.X.Label.Text = "throughput, persistence off / on (log scale)"
	p.Y.Min, p.Y.Max = -0.7, float64(len(rows))-0.3
	p.Y.Width, p.Y.Tick.Length = 0, 0
	p.Y.Tick.Marker = rowTicks(rows)
	p.Add(forestMarks{rows: rows, maxLoss: r.Hypothesis.MaxLoss})
	return picture{
		name: "forest", plot: p, width: vg.Points(470), height: vg.Points(44 + 15*float64(len(rows))),
		title: "Throughput ratio off / on per grant", description: describeForest(r), key: forestKey(r),
	}
}

// forestKey says what the marks of a row mean.
func forestKey(r Report) string {
	text := "square: ratio with its 95 % interval; ring: one pair of windows; shaded: more than the allowed loss"
	for i, e := range r.editions() {
		text += fmt.Sprintf("\n%s %s: %s", map[bool]string{true: "full triangle", false: "open triangle"}[i == 0], editionMark(i), cut(e, 60))
	}
	return text
}

func rowTicks(rows []forestRow) plot.ConstantTicks {
	out := make(plot.ConstantTicks, len(rows))
	for i, row := range rows {
		out[i] = plot.Tick{Value: float64(len(rows) - 1 - i), Label: cut(row.label, 28)}
	}
	return out
}

// ratioTicks are round ratios; those between the labels stay bare when the
// range is wide.
func ratioTicks(lo, hi float64) plot.ConstantTicks {
	candidates := []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 7, 10, 20, 50, 100}
	switch {
	case hi/lo > 12:
		candidates = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100}
	case hi/lo > 2.5:
		candidates = []float64{0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 20, 50, 100}
	}
	var inside []float64
	for _, v := range candidates {
		if v >= lo && v <= hi {
			inside = append(inside, v)
		}
	}
	return labelled(inside, 1)
}

// forestMarks draws the rows.
type forestMarks struct {
	rows    []forestRow
	maxLoss float64
}

// Plot implements plot.Plotter.
func (m forestMarks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if limit := 1 - m.maxLoss; limit > p.X.Min && limit < 1 {
		c.FillPolygon(role("shade"), []vg.Point{{X: c.Min.X, Y: c.Min.Y}, {X: x(limit), Y: c.Min.Y}, {X: x(limit), Y: c.Max.Y}, {X: c.Min.X, Y: c.Max.Y}})
		dash := draw.LineStyle{Color: role("loss"), Width: vg.Points(1), Dashes: []vg.Length{vg.Points(3), vg.Points(2)}}
		c.StrokeLine2(dash, x(limit), c.Min.Y, x(limit), c.Max.Y)
	}
	c.StrokeLine2(draw.LineStyle{Color: role("muted"), Width: vg.Points(0.8)}, x(1), c.Min.Y, x(1), c.Max.Y)
	for i, row := range m.rows {
		at := y(float64(len(m.rows) - 1 - i))
		if row.kind == "grant" && i > 0 {
			top := (at + y(float64(len(m.rows)-i))) / 2
			c.StrokeLine2(draw.LineStyle{Color: role("grid"), Width: vg.Points(0.6)}, c.Min.X, top, c.Max.X, top)
		}
		if row.kind == "grant" && finite(row.lo) && finite(row.hi) {
			c.StrokeLine2(draw.LineStyle{Color: role("ink"), Width: vg.Points(2)}, x(row.lo), at, x(row.hi), at)
		}
		for _, v := range row.values {
			c.DrawGlyph(glyph(row), vg.Point{X: x(v), Y: at})
		}
		if len(row.values) == 0 {
			style := p.X.Tick.Label
			style.Color, style.XAlign, style.YAlign = role("muted"), draw.XLeft, draw.YCenter
			c.FillText(style, vg.Point{X: x(1) + vg.Points(6), Y: at}, "no data")
		}
	}
}

// glyph tells the kinds of row apart by shape as well as by colour.
func glyph(row forestRow) draw.GlyphStyle {
	switch {
	case row.kind == "grant":
		return draw.GlyphStyle{Color: role("ink"), Radius: vg.Points(4), Shape: draw.BoxGlyph{}}
	case row.kind == "pairs":
		return draw.GlyphStyle{Color: role("muted"), Radius: vg.Points(2.6), Shape: hollow{}}
	case row.edition == 0:
		return draw.GlyphStyle{Color: role("published"), Radius: vg.Points(4.2), Shape: draw.PyramidGlyph{}}
	default:
		return draw.GlyphStyle{Color: role("published"), Radius: vg.Points(4), Shape: hollow{3}}
	}
}

// describeForest reads the plot aloud.
func describeForest(r Report) string {
	var parts []string
	for _, g := range r.Grants {
		text := g.Grant + ": "
		if c := r.metric(g.Grant, MetricThroughput); c == nil || c.Ratio.Estimate == nil {
			text += "no ratio"
		} else {
			text += "ratio " + strings.TrimSpace(c.effectText()+" "+c.intervalText())
		}
		for i, e := range r.editions() {
			if x := r.published(e, g.Grant); x != nil {
				text += ", published " + editionMark(i) + " " + ratioText(&x.Ratio)
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ") + "."
}
