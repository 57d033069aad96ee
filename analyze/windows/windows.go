// Package windows proposes the windows of a load test that somebody has already
// run, from what Prometheus recorded of it: when tokens were issued, at which
// level, of which grant, and whether API Manager stored them.
//
// It refuses to guess a mode: where rows, statements and the log do not tell
// whether persistence was on, the proposal leaves that to its reader. Nothing is
// dropped in silence: what makes no window is listed with its reason.
//
//	recording, err := source.ReadRecording(ctx, spec, start, end, windows.Metrics())
//	p, err := windows.Propose(recording, windows.Options{MinLength: time.Minute, MinChange: 0.2})
//	err = windows.Text(os.Stdout, p)
package windows

import (
	"fmt"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// Options say what makes a window.
type Options struct {
	MinLength time.Duration // what is shorter is left out
	MinPause  time.Duration // a shorter time without tokens stays in a window; 0: one scrape without any ends it
	MinChange float64       // change of throughput that ends a window, as a ratio: 0.2 is 20 %
	Step      time.Duration // least length of a cell; 0 is that of the scrapes
}

// Proposal is what was found. Its JSON form is public.
type Proposal struct {
	SchemaVersion int            `json:"schema_version"`
	Start         time.Time      `json:"start"`
	End           time.Time      `json:"end"`
	StepSeconds   float64        `json:"step_seconds"`
	Windows       []Window       `json:"windows"`
	LeftOut       []LeftOut      `json:"left_out"`
	WarmupSeconds float64        `json:"warmup_seconds"` // 0 without windows
	WarmupWhy     string         `json:"warmup_why"`
	Notes         []string       `json:"notes"`
	Inputs        []source.Input `json:"inputs"`
	Program       string         `json:"program"`
}

// Window is a stretch of load of one mode and one grant at one level.
type Window struct {
	Start           time.Time   `json:"start"`
	End             time.Time   `json:"end"`
	Persistence     source.Mode `json:"persistence"` // on or off; "" where it cannot be told
	Grant           string      `json:"grant"`       // "" where it cannot be told
	Block           int         `json:"block"`       // 0 without a partner
	TokensPerSecond float64     `json:"tokens_per_second"`
	ErrorShare      float64     `json:"error_share"`              // of all token requests
	CV              *float64    `json:"cv"`                       // of the tokens/s of its cells
	RowsPerToken    *float64    `json:"rows_per_token,omitempty"` // inserted into the token table
	Begins          string      `json:"begins"`
	Ends            string      `json:"ends"`
	Mode            string      `json:"mode_why"`
	GrantWhy        string      `json:"grant_why"`
	Notes           []string    `json:"notes,omitempty"`

	cells []cell // those that lie wholly in it
}

// LeftOut is a stretch of load that makes no window.
type LeftOut struct {
	Start           time.Time   `json:"start"`
	End             time.Time   `json:"end"`
	Persistence     source.Mode `json:"persistence"`
	TokensPerSecond float64     `json:"tokens_per_second"`
	Why             string      `json:"why"`
}

// Propose finds the windows of a recording. A recording without any successful
// token request is a *source.SpecError.
func Propose(r source.Recording, o Options) (Proposal, error) {
	requests, ok := r.Series[source.EndpointRequests]
	if !ok {
		return Proposal{}, &source.SpecError{Text: "no token request was counted: is API Manager's access log read (collector endpoint), and do the matchers fit?"}
	}
	cells := cellsOf(requests, o.Step)
	if busiest(cells, o.MinLength) == 0 {
		return Proposal{}, &source.SpecError{Text: fmt.Sprintf("not one token was issued from %s to %s: check start and end and their time zone", stamp(r.Start), stamp(r.End))}
	}
	f := finder{o: o, cells: cells, evidence: newEvidence(r.Series)}
	p := Proposal{SchemaVersion: 1, Start: r.Start, End: r.End, StepSeconds: medianLength(cells).Seconds(), Inputs: r.Inputs, LeftOut: []LeftOut{}, Windows: []Window{}}
	for _, piece := range f.pieces() {
		w := f.window(piece)
		if why := f.unfit(w); why != "" {
			p.LeftOut = append(p.LeftOut, LeftOut{w.Start, w.End, w.Persistence, w.TokensPerSecond, why})
			continue
		}
		p.Windows = append(p.Windows, w)
	}
	p.Notes = append(remarks(r, o, requests), f.notes...)
	p.Notes = append(p.Notes, unseen(cells)...)
	p.pair()
	p.suggestWarmup()
	for i := range p.Windows {
		p.Windows[i].steadiness(time.Duration(p.WarmupSeconds * float64(time.Second)))
	}
	p.shortPauses()
	return p, nil
}

// remarks are what concerns the recording as a whole.
func remarks(r source.Recording, o Options, requests source.Series) []string {
	out := []string{}
	if requests.Resets > 0 {
		out = append(out, fmt.Sprintf("the token counter fell back %s: the exporter was restarted, and tokens between its last scrape and its end are in no figure", times(requests.Resets)))
	}
	if o.Step > 0 && o.Step < requests.Step {
		out = append(out, fmt.Sprintf("--step %s is shorter than the scrapes are apart (%s), which is what counts", o.Step, requests.Step))
	}
	for _, p := range r.Problems {
		out = append(out, p.Text)
	}
	return out
}

// unseen notes tokens that were issued while nobody scraped.
func unseen(cells []cell) []string {
	tokens, gaps := 0.0, 0
	for _, c := range cells {
		if c.gap && c.tokens > 0 {
			tokens += c.tokens
			gaps++
		}
	}
	if gaps == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%.0f tokens were issued within %s of the scrapes and are in no window", tokens, plural(gaps, "gap"))}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
