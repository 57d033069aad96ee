package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// page collects lines.
type page struct {
	text  strings.Builder
	color bool
}

func (p *page) line(s string) {
	p.text.WriteString(strings.TrimRight(s, " "))
	p.text.WriteByte('\n')
}

func (p *page) linef(format string, args ...any) { p.line(fmt.Sprintf(format, args...)) }

func (p *page) lines(all []string) {
	for _, l := range all {
		p.line(l)
	}
}

func (p *page) heading(s string) {
	s = cut(s, textWidth)
	p.line("")
	p.line(p.bold(s))
	p.line(strings.Repeat("-", width(s)))
}

// paint wraps text in an ANSI style. Colour never stands alone: the word it
// colours says the same.
func (p *page) paint(code, s string) string {
	if !p.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *page) bold(s string) string { return p.paint("1", s) }

func (p *page) verdict(v Verdict) string {
	code := map[Verdict]string{Pass: "1;32", Fail: "1;31", NoData: "1;35", Inconclusive: "1;33"}[v]
	return p.paint(code, string(v))
}

// width is the number of columns of plain text.
func width(s string) int { return utf8.RuneCountInString(s) }

// pad fills a cell to n columns. Text that is too long keeps one space behind.
func pad(s string, n int) string {
	if w := width(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s + " "
}

// padLeft right-aligns a cell in n columns.
func padLeft(s string, n int) string {
	if w := width(s); w < n {
		return strings.Repeat(" ", n-w) + s
	}
	return s
}

// cut shortens text to n columns, with an ellipsis.
func cut(s string, n int) string {
	if width(s) <= n {
		return s
	}
	r := []rune(s)
	return strings.TrimRight(string(r[:n-1]), " ") + "…"
}

// noBreak holds a number and its % together while a text is wrapped.
const noBreak = "\x00" // not U+00A0, which strings.Fields takes for a space

// wrap breaks text at spaces into lines of at most n columns. A longer word,
// such as a query or an address, keeps a line of its own, so that it can be
// copied.
func wrap(s string, n int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(strings.ReplaceAll(s, " %", noBreak+"%")) {
		word = strings.ReplaceAll(word, noBreak, " ")
		switch {
		case line == "":
			line = word
		case width(line)+1+width(word) <= n:
			line += " " + word
		default:
			out = append(out, line)
			line = word
		}
	}
	return append(out, line)
}
