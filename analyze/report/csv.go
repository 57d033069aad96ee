package report

import (
	"encoding/csv"
	"io"
	"strconv"
)

// csvColumns are the columns of the CSV report, the same for every row. What a
// row has no value for is empty, never 0. docs/report.md explains them.
var csvColumns = []string{
	"row", "grant", "metric", "unit", "mode", "block", "value", "lo", "hi", "n",
	"level", "status", "method", "p_difference", "p_noninferiority", "p_loss", "detectable_loss", "verdict",
}

// csvRow is one row; its fields stand in the order of csvColumns.
type csvRow struct {
	kind, grant, metric, unit, mode string
	block                           int
	value, lo, hi                   Number
	n                               int
	level                           float64
	status, method                  string
	p                               [4]Number
	verdict                         Verdict
}

// CSV writes one table for spreadsheets and statistics programs, with commas,
// CRLF and a header as RFC 4180 says: a verdict per grant, a row for every
// window's value of every metric, the mean of each mode, the ratio of each
// block, and the effect with its interval. Numbers have all their digits.
func CSV(w io.Writer, r Report, _ Options) error {
	r = plain(r)
	c := csv.NewWriter(w)
	c.UseCRLF = true
	// Errors stay with the writer until its end.
	_ = c.Write(csvColumns)
	for _, g := range r.Grants {
		_ = c.Write(csvRow{kind: "verdict", grant: g.Grant, verdict: g.Verdict}.fields())
	}
	for _, comparison := range r.Comparisons {
		for _, row := range csvRows(comparison) {
			_ = c.Write(row.fields())
		}
	}
	c.Flush()
	return c.Error()
}

// csvRows are the rows of one comparison: runs and mean of each mode, pairs,
// effect.
func csvRows(c Comparison) []csvRow {
	base := csvRow{grant: c.Grant, metric: c.Metric, unit: c.Unit}
	var out []csvRow
	for _, s := range []struct {
		mode string
		side Side
	}{{"on", c.On}, {"off", c.Off}} {
		for _, run := range s.side.Runs {
			row := base
			row.kind, row.mode, row.block, row.value, row.n = "run", s.mode, run.Block, &run.Value, run.N
			out = append(out, row)
		}
		row := base
		row.kind, row.mode, row.value, row.lo, row.hi = "mean", s.mode, s.side.Estimate, s.side.Lo, s.side.Hi
		row.n = len(s.side.Runs)
		out = append(out, row)
	}
	mode := "off/on"
	if c.Effect == "difference" {
		mode = "off-on"
	} else {
		base.unit = "ratio"
	}
	for _, p := range c.Ratio.Pairs {
		row := base
		row.kind, row.mode, row.block, row.value = "pair", mode, p.Block, &p.Ratio
		out = append(out, row)
	}
	row := base
	row.kind, row.mode, row.value, row.lo, row.hi = "effect", mode, c.Ratio.Estimate, c.Ratio.Lo, c.Ratio.Hi
	row.level, row.status, row.method = c.Ratio.Level, c.Status, c.Method
	row.p = [4]Number{c.PDifference, c.PNonInferior, c.PLoss, c.DetectableLoss}
	return append(out, row)
}

func (r csvRow) fields() []string {
	out := []string{
		r.kind, r.grant, r.metric, r.unit, r.mode, csvCount(r.block), csvNumber(r.value), csvNumber(r.lo), csvNumber(r.hi), csvCount(r.n),
		"", r.status, r.method,
	}
	if r.level != 0 {
		out[10] = csvNumber(&r.level)
	}
	for _, p := range r.p {
		out = append(out, csvNumber(p))
	}
	return append(out, string(r.verdict))
}

// csvCount leaves 0 empty: a window without a block, a row that counts nothing.
func csvCount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func csvNumber(n Number) string {
	if n == nil || !finite(*n) {
		return ""
	}
	return strconv.FormatFloat(*n, 'g', -1, 64)
}
