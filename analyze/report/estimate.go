package report

import (
	"encoding/json"
	"io"
)

// Estimate says what switching persistence off would do, from data with
// persistence on alone. Its JSON form is public.
type Estimate struct {
	SchemaVersion int             `json:"schema_version"`
	Title         string          `json:"title"`
	Banner        string          `json:"banner,omitempty"`
	Source        string          `json:"source"` // experiment file, URL without credentials, or folder
	Cases         []EstimatedCase `json:"cases"`
	Notes         []string        `json:"notes"` // how to read the numbers
	Inputs        []Source        `json:"inputs"`
	Program       string          `json:"program"`
}

// Range is a sensitivity range: what a number becomes when the assumptions move
// between their ends together, and its value with all of them in the middle. It
// is no confidence interval, and nothing says how likely its parts are.
type Range struct {
	Lo     Number `json:"lo"`
	Middle Number `json:"middle"`
	Hi     Number `json:"hi"`
}

// EstimatedCase is one mix of grants, or one grant of an experiment. Refused says
// why there is no estimate; the fields from Answer on are then empty.
type EstimatedCase struct {
	Name     string  `json:"name"`
	Refused  string  `json:"refused,omitempty"`
	From     string  `json:"from"` // RFC 3339, UTC
	To       string  `json:"to"`
	Seconds  float64 `json:"seconds"` // between readings of the statement summaries
	Readings int     `json:"readings"`

	Answer      []string             `json:"answer"`
	Direction   string               `json:"direction"` // gain, loss, undecided
	Throughput  Number               `json:"throughput"`
	Mix         []GrantShare         `json:"mix"`
	APIManager  EstimatedHost        `json:"apim"`
	Database    EstimatedHost        `json:"database"`
	CapacityOn  Range                `json:"capacity_on"`  // tokens/s
	CapacityOff Range                `json:"capacity_off"` // tokens/s
	Ratio       Range                `json:"ratio"`        // of the capacities, off / on
	LimitOn     string               `json:"limit_on"`     // the host that limits; "either" where the range decides
	LimitOff    string               `json:"limit_off"`
	Statements  []EstimatedStatement `json:"statements"`
	StatementBy string               `json:"statement_cost"`     // processor time, or statement time scaled to the database's CPU
	Growth      Range                `json:"invalid_tokens_day"` // rows a day that IDN_INVALID_TOKENS would gain
	Assumptions []Assumption         `json:"assumptions"`        // what matters most first
	Warnings    []Warning            `json:"warnings"`
	Truth       *EstimateTruth       `json:"truth,omitempty"`
}

// GrantShare is the part of one grant in the tokens.
type GrantShare struct {
	Grant string `json:"grant"`
	Share Range  `json:"share"` // ratio
}

// EstimatedHost is one of the two hosts.
type EstimatedHost struct {
	VCPUs     int    `json:"vcpus"`
	DemandOn  Number `json:"demand_on"`  // core-ms per token, all that the host does included
	DemandOff Range  `json:"demand_off"` // the same at the present load
	BusyOn    Number `json:"busy_on"`    // ratio, at the present load
	BusyOff   Range  `json:"busy_off"`
}

// EstimatedStatement is a kind of statement: how many there are per token, what
// one of them takes of the database's CPU, and what becomes of it.
type EstimatedStatement struct {
	Kind     string `json:"kind"`
	PerToken Range  `json:"per_token"`
	CoreMS   Range  `json:"core_ms"` // of one execution
	Fate     string `json:"fate"`    // goes, partly, stays, comes
}

// Assumption is a number that was not measured on this system with persistence
// off, or that was measured with a doubt, and what the ratio of the capacities
// becomes at either end of its range with all others in the middle.
type Assumption struct {
	Name   string  `json:"name"` // as --assume takes it
	Text   string  `json:"text"`
	Unit   string  `json:"unit"`
	Origin string  `json:"origin"` // measured, given or assumed
	Lo     float64 `json:"lo"`
	Middle float64 `json:"middle"`
	Hi     float64 `json:"hi"`
	AtLo   Number  `json:"ratio_at_lo"`
	AtHi   Number  `json:"ratio_at_hi"`
}

// EstimateTruth is what runs with persistence off measured.
type EstimateTruth struct {
	Runs   int           `json:"runs"` // without persistence
	Checks []EstimateHit `json:"checks"`
}

// EstimateHit holds one measured number against the estimate made without it.
type EstimateHit struct {
	What      string   `json:"what"`
	Unit      string   `json:"unit"`
	Estimated Range    `json:"estimated"`
	Measured  Interval `json:"measured"` // with its 95 % interval over runs
	Result    string   `json:"result"`   // inside, below, above
}

// WriteJSON writes the estimate as it is, indented, with [] for empty lists.
func (e Estimate) WriteJSON(w io.Writer) error {
	e.Cases, e.Notes, e.Inputs = append([]EstimatedCase{}, e.Cases...), list(e.Notes), list(e.Inputs)
	for i := range e.Cases {
		c := &e.Cases[i]
		c.Answer, c.Mix, c.Statements = list(c.Answer), list(c.Mix), list(c.Statements)
		c.Assumptions, c.Warnings = list(c.Assumptions), list(c.Warnings)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(e)
}
