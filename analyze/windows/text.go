package windows

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokenpersistence/toolkit/analyze/oneline"
)

// textWidth is what a terminal shows.
const textWidth = 80

// JSON writes the proposal as it is, indented.
func JSON(w io.Writer, p Proposal) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("write the proposal: %w", err)
	}
	return nil
}

// Text writes the windows, what was left out, and why each window begins and ends
// where it does, in at most 80 columns. Times are UTC. A window with a note has
// an ! at the end of its line.
func Text(w io.Writer, p Proposal) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d left out, cells of %s\n%s to %s UTC\n", plural(len(p.Windows), "window"), len(p.LeftOut), round(seconds(p.StepSeconds)),
		p.Start.UTC().Format(time.DateTime), p.End.UTC().Format(time.DateTime))
	if len(p.Windows) > 0 {
		fmt.Fprintf(&b, "\n%2s %-19s %-8s %-4s %-20s %8s %6s %4s\n", "", "start", "end", "mode", "grant", "tokens/s", "CV", "pair")
		for i, v := range p.Windows {
			v.line(&b, i+1)
		}
		fmt.Fprintf(&b, "\nwarm-up %s\n", seconds(p.WarmupSeconds))
		paragraph(&b, "  ", p.WarmupWhy)
	}
	if len(p.Notes) > 0 {
		b.WriteString("\nnotes\n")
		for _, n := range p.Notes {
			paragraph(&b, "  ", n)
		}
	}
	if len(p.LeftOut) > 0 {
		b.WriteString("\nleft out\n")
		for _, l := range p.LeftOut {
			fmt.Fprintf(&b, "   %s %-8s %-5s %-19s %8.1f\n", l.Start.UTC().Format(time.DateTime), clock(l.End, l.Start), mark(string(l.Persistence)), "", l.TokensPerSecond)
			paragraph(&b, "      ", l.Why)
		}
	}
	if len(p.Windows) > 0 {
		b.WriteString("\nwhy\n")
		for i, v := range p.Windows {
			v.why(&b, i+1)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the proposal: %w", err)
	}
	return nil
}

func (v Window) line(b *strings.Builder, number int) {
	cv, block, note := "–", "–", ""
	if v.CV != nil {
		cv = fmt.Sprintf("%.1f %%", 100**v.CV)
	}
	if v.Block > 0 {
		block = fmt.Sprint(v.Block)
	}
	if len(v.Notes) > 0 {
		note = " !"
	}
	fmt.Fprintf(b, "%2d %s %-8s %-4s %-20s %8.1f %6s %4s%s\n", number, v.Start.UTC().Format(time.DateTime), clock(v.End, v.Start),
		mark(string(v.Persistence)), cut(mark(v.Grant), 20), v.TokensPerSecond, cv, block, note)
}

func (v Window) why(b *strings.Builder, number int) {
	indent := fmt.Sprintf("%2d ", number)
	for _, text := range append([]string{"begins: " + v.Begins + "; ends: " + v.Ends, "mode: " + v.Mode, "grant: " + v.GrantWhy}, v.Notes...) {
		paragraph(b, indent, text)
		indent = "   "
	}
}

// mark shows what is not known.
func mark(s string) string {
	if s == "" {
		return "?"
	}
	return s
}

// clock is a time of day, with the days since another time's.
func clock(t, since time.Time) string {
	text := t.UTC().Format(time.TimeOnly)
	const day = 24 * time.Hour
	if days := t.UTC().Truncate(day).Sub(since.UTC().Truncate(day)) / day; days > 0 {
		text += fmt.Sprintf("+%d", days)
	}
	return text
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// paragraph writes text behind an indent, further lines two columns deeper.
func paragraph(b *strings.Builder, indent, text string) {
	line := indent
	indent = strings.Repeat(" ", len(indent))
	for i, word := range strings.Fields(oneline.Text(text)) {
		switch {
		case i == 0:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= textWidth:
			line += " " + word
		default:
			b.WriteString(line + "\n")
			line = indent + "  " + word
		}
	}
	b.WriteString(line + "\n")
}

// cut shortens text that must fit.
func cut(text string, most int) string {
	runes := []rune(oneline.Text(text))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}
