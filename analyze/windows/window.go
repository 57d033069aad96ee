package windows

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// window describes a piece.
func (f *finder) window(p piece) Window {
	w := Window{Start: p.start, End: p.end, Begins: p.begins, Ends: p.ends, cells: within(f.cells, p.start, p.end)}
	cells := w.cells
	if len(cells) == 0 { // shorter than the scrapes are apart
		cells = p.cells(f.cells)
	}
	w.TokensPerSecond = mean(cells)
	from, to, tokens := cells[0].from, cells[len(cells)-1].to, 0.0
	for _, c := range cells {
		tokens += c.tokens
	}
	w.Persistence, w.Mode, w.RowsPerToken = f.evidence.modeOf(from, to, tokens)
	w.Grant, w.GrantWhy = f.evidence.grantOf(w.Persistence, from, to, tokens)
	if failed, known := f.evidence.series[source.EndpointErrors].Over(from, to); known && failed > 0 {
		w.ErrorShare = failed / (failed + tokens)
		if w.ErrorShare >= tellErrors {
			w.Notes = append(w.Notes, fmt.Sprintf("%.1f %% of its requests failed", 100*w.ErrorShare))
		}
	}
	return w
}

// tellErrors is the share of failed requests from which a note tells of them.
const tellErrors = 0.01

// unfit says why a stretch of load makes no window, "" when it makes one.
func (f *finder) unfit(w Window) string {
	switch length := w.End.Sub(w.Start); {
	case length < f.o.MinLength:
		shown := round(length)
		if shown >= f.o.MinLength {
			shown = length.Truncate(time.Millisecond)
		}
		return fmt.Sprintf("%s long, shorter than --min-length %s", shown, f.o.MinLength)
	case len(w.cells) == 0:
		return "it lies between two scrapes"
	case w.Persistence == mixed:
		return "neither on nor off: " + w.Mode
	}
	return ""
}

// movementSize is the chance of calling a steady window one that moves, shared
// by its two tests.
const movementSize = 0.01

// steadiness fills in how much a window varies and whether it moves, after the
// warm-up.
func (w *Window) steadiness(warmup time.Duration) {
	x := rates(within(w.cells, w.Start.Add(warmup), w.End))
	if cv, err := stats.Variation(x); err == nil {
		w.CV = &cv
	}
	step, errStep := stats.Step(x)
	drift, errDrift := stats.Drift(x)
	if errors.Join(errStep, errDrift) != nil { // too few cells, or all alike
		return
	}
	// The one that explains more, when either is found.
	switch found := min(step.P, drift.P) < movementSize/2; {
	case found && step.Share > drift.Share:
		at := within(w.cells, w.Start.Add(warmup), w.End)[step.At].from
		w.Notes = append(w.Notes, fmt.Sprintf("throughput steps from %.0f to %.0f tokens/s at %s", step.Before, step.After, at.UTC().Format(time.TimeOnly)))
	case found:
		w.Notes = append(w.Notes, fmt.Sprintf("throughput drifts from %.0f to %.0f tokens/s", drift.Before, drift.After))
	}
}

// closePause is the longest pause between two windows that could as well be one
// with an outage.
const closePause = 30 * time.Second

// shortPauses marks windows that follow one of the same mode and grant closely.
// Cut apart, an outage within a run is in neither part, which flatters the mode.
func (p *Proposal) shortPauses() {
	for i := 1; i < len(p.Windows); i++ {
		a, w := p.Windows[i-1], &p.Windows[i]
		if pause := w.Start.Sub(a.End); pause > 0 && pause < closePause && a.Persistence == w.Persistence && a.Grant == w.Grant {
			w.Notes = append(w.Notes, fmt.Sprintf("only %s after window %d of the same mode and grant: if that was an outage within one run, make one window of both", round(pause), i))
		}
	}
}

const (
	// usualWarmup is what a JVM and a connection pool need at least; of short
	// windows it is a part of the shortest.
	usualWarmup   = 2 * time.Minute
	warmupOf      = 5 // of the shortest window
	mostWarmupOf  = 2
	worthTrimming = 0.01 // of the throughput, by which a longer warm-up has to move it
)

// suggestWarmup is two minutes, or a fifth of the shortest window, unless MSER-5
// finds that more than a quarter of the windows take longer to settle, and this
// moves their throughput: it follows the noise of steady windows, so that the
// longest of many would be chance. It leaves half of the shortest window.
func (p *Proposal) suggestWarmup() {
	if len(p.Windows) == 0 {
		return
	}
	shortest := p.Windows[0].End.Sub(p.Windows[0].Start)
	for _, w := range p.Windows {
		shortest = min(shortest, w.End.Sub(w.Start))
	}
	warmup, why := usualWarmup, "what a JVM needs at least"
	if part := shortest / warmupOf; part < warmup {
		warmup, why = part, "a fifth of the shortest window"
	}
	wanted := p.settled()
	if n := len(wanted); n > 0 {
		if most := wanted[(n*3+3)/4-1]; most > warmup { // the upper quartile
			warmup, why = most, "what MSER-5 finds in three of four windows"
		}
	}
	if warmup > shortest/mostWarmupOf {
		warmup, why = shortest/mostWarmupOf, why+", but half of the shortest window has to be left"
	}
	warmup = roundUp(warmup)
	fine := len(wanted)
	for fine > 0 && wanted[fine-1] > warmup {
		fine--
	}
	if len(wanted) == 0 {
		why += fmt.Sprintf("; MSER-5, which needs %d cells, says nothing of any window", stats.LeastMSER)
	} else {
		why += fmt.Sprintf("; MSER-5 asks for no more in %d of %s", fine, plural(len(wanted), "window"))
	}
	p.WarmupSeconds, p.WarmupWhy = warmup.Seconds(), why
}

// settled is what MSER-5 asks for in every window that it can be asked about,
// the least first. One that does not settle asks for nothing in particular.
func (p *Proposal) settled() []time.Duration {
	var out []time.Duration
	unsettled := 0
	for _, w := range p.Windows {
		longer, err := w.settles()
		if errors.Is(err, stats.ErrUnsettled) {
			unsettled++
		}
		if err == nil {
			out = append(out, longer)
		}
	}
	if unsettled > 0 {
		p.Notes = append(p.Notes, plural(unsettled, "window")+" not settled in the first half, by MSER-5: a longer warm-up and longer windows would tell whether that is chance")
	}
	slices.Sort(out)
	return out
}

// roundUp is whole seconds, of short times tenths.
func roundUp(d time.Duration) time.Duration {
	unit := time.Second
	if d < 5*time.Second {
		unit = 100 * time.Millisecond
	}
	return (d + unit - 1).Truncate(unit)
}

// settles is how long after its start MSER-5 finds a window settled, 0 where
// that moves its throughput by no more than a little, or than its noise does.
// One that does not settle in its first half is stats.ErrUnsettled.
func (w Window) settles() (time.Duration, error) {
	n, err := stats.MSER5(rates(w.cells))
	unsettled := errors.Is(err, stats.ErrUnsettled)
	if unsettled { // does it matter where it settles?
		n = len(w.cells) / 2
	}
	if err != nil && !unsettled || n == 0 {
		return 0, err
	}
	rest := w.cells[n:]
	least := worthTrimming
	if e, noiseErr := stats.EWCMean(rates(rest), 0.95); noiseErr == nil && e.Value > 0 {
		least = max(least, (e.Hi-e.Lo)/2/e.Value)
	}
	if math.Abs(mean(w.cells)/mean(rest)-1) <= least {
		return 0, nil
	}
	return w.cells[n].from.Sub(w.Start), err
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
