package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/reference"
)

// Published writes the published measurements with what follows from them:
// ratio and its rounding interval, mean response time by Little's law, and the
// most CPU a token can have cost.
func Published(w io.Writer, editions []reference.Edition) error {
	p := &page{}
	for i, e := range editions {
		if i > 0 {
			p.line("")
		}
		p.edition(e)
	}
	p.heading("How to read this")
	for _, l := range publishedNotes {
		p.hanging("- ", l)
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

// publishedNotes say what the derived numbers assume.
var publishedNotes = []string{
	"on, off: successful tokens per second with and without persistence, as published. The page gives no duration, no repeats and no interval: each number is a point.",
	"ratio: off / on. The rounding interval holds every ratio of rates that round to the published ones; it is not a confidence interval.",
	"response: mean response time N / X in milliseconds by Little's law, if users do not pause between requests.",
	"ceiling: cores of API Manager / X in core-milliseconds, the most CPU that one token can have cost; reached when every core was busy. extra: the ceiling off minus on.",
	"Between the editions the refresh ratios are 0.41 apart on the log scale, so no measurement can agree with both at a margin of 5 %.",
}

func (p *page) edition(e reference.Edition) {
	p.line(p.bold(e.Name))
	p.line(strings.Repeat("-", min(width(e.Name), textWidth)))
	p.hanging("source      ", e.Title+", "+e.Source)
	if e.Date != "" {
		p.hanging("date        ", e.Date)
	}
	p.hanging("conditions  ", conditions(e.Conditions))
	p.hanging("machines    ", machines(e.Conditions))
	for _, n := range e.Notes {
		p.hanging("note        ", n)
	}
	p.line("")
	p.line(pad("grant", 20) + padLeft("on/s", 6) + padLeft("off/s", 7) + padLeft("change", 9) + padLeft("ratio", 8) + padLeft("rounding", 16) + padLeft("ln", 9))
	rows := e.Rows()
	for _, r := range rows {
		p.line(pad(cut(r.Grant, 19), 20) + padLeft(fixed(r.On, e.Decimals), 6) + padLeft(fixed(r.Off, e.Decimals), 7) +
			padLeft(signed(r.Percent, 1)+" %", 9) + padLeft(fixed(r.Ratio, 3), 8) +
			padLeft(fixed(r.RatioLo, 3)+"–"+fixed(r.RatioHi, 3), 16) + padLeft(signed(r.LogRatio, 3), 9))
	}
	p.line("")
	p.line(pad("", 20) + padLeft("response, ms", 18) + padLeft("CPU ceiling, core-ms", 26) + padLeft("extra", 9))
	p.line(pad("grant", 20) + padLeft("on", 9) + padLeft("off", 9) + padLeft("on", 14) + padLeft("off", 12) + padLeft("", 9))
	for _, r := range rows {
		p.line(pad(cut(r.Grant, 19), 20) + padLeft(fixed(r.ResponseOn, 0), 9) + padLeft(fixed(r.ResponseOff, 0), 9) +
			padLeft(fixed(r.CeilingOn, 2), 14) + padLeft(fixed(r.CeilingOff, 2), 12) + padLeft(signed(r.Extra, 2), 9))
	}
}

// conditions leaves out what an edition does not say.
func conditions(c reference.Conditions) string {
	parts := []string{fmt.Sprintf("%d users", c.Users), fmt.Sprintf("%d applications", c.Applications), c.Load + " load"}
	for _, x := range []struct{ before, text string }{{"tokens: ", c.Token}, {"", c.Java}, {"MySQL ", c.MySQL}, {"", c.OS}} {
		if x.text != "" {
			parts = append(parts, x.before+x.text)
		}
	}
	return strings.Join(parts, "; ")
}

func machines(c reference.Conditions) string {
	var parts []string
	for _, x := range []struct {
		name string
		m    reference.Machine
	}{{"load generator", c.LoadGenerator}, {"API Manager", c.APIManager}, {"database", c.Database}} {
		if x.m.Instance == "" {
			parts = append(parts, x.name+" not stated")
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s (%d vCPU, %d GiB)", x.name, x.m.Instance, x.m.VCPUs, x.m.MemoryGiB))
	}
	return strings.Join(parts, "; ")
}
