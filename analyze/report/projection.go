package report

import (
	"encoding/json"
	"io"
)

// Projection says what the measured system would do with other hardware or
// another number of users, by a model that first has to give back what was
// measured. Its JSON form is public.
type Projection struct {
	SchemaVersion int              `json:"schema_version"`
	Title         string           `json:"title"`
	Banner        string           `json:"banner,omitempty"`
	Report        string           `json:"report"` // the file that the numbers come from
	Measured      Hardware         `json:"measured"`
	Projected     Hardware         `json:"projected"`
	Tolerance     float64          `json:"tolerance"` // ratio by which the model may miss what was measured
	Grants        []ProjectedGrant `json:"grants"`
	Assumptions   []string         `json:"assumptions"`
	Level         float64          `json:"level"` // of every interval
	Draws         int              `json:"draws"` // of the Monte Carlo intervals; 0 when there are none
	Seed          uint64           `json:"seed"`
	Program       string           `json:"program"`
}

// Hardware is what a network is made of. DatabaseVCPUs is 0 where the database is
// not part of the model.
type Hardware struct {
	APIManagerVCPUs int     `json:"apim_vcpus"`
	DatabaseVCPUs   int     `json:"database_vcpus"`
	Users           int     `json:"users"`
	ThinkSeconds    float64 `json:"think_seconds"`
}

// ProjectedGrant is one grant. Refused says why nothing is projected; On and Off
// then hold what is known, if anything.
type ProjectedGrant struct {
	Grant   string         `json:"grant"`
	Refused string         `json:"refused,omitempty"`
	Notes   []string       `json:"notes"`
	On      *ProjectedMode `json:"on"`
	Off     *ProjectedMode `json:"off"`
	// RatioMeasured and RatioProjected are throughput off / on.
	RatioMeasured  Interval `json:"ratio_measured"`
	RatioProjected Interval `json:"ratio_projected"`
}

// Interval is a value with its confidence interval, which may be missing.
type Interval struct {
	Estimate Number `json:"estimate"`
	Lo       Number `json:"lo"`
	Hi       Number `json:"hi"`
}

// ProjectedMode is one mode of a grant: what was measured, what the model makes
// of it, and what it gives for the projected hardware. The fields from
// Throughput on are missing when the grant is refused.
type ProjectedMode struct {
	Runs             int      `json:"runs"`
	Measured         Interval `json:"measured"`             // tokens/s
	MeasuredResponse Interval `json:"measured_response_ms"` // ms
	APIManagerDemand Interval `json:"apim_core_ms"`         // core-ms per token
	DatabaseDemand   Interval `json:"database_core_ms"`     // core-ms per token
	// Delay is the part of the response time that passes outside the two CPUs: from
	// the shortest to the longest that the measurements allow, which is the estimate.
	Delay Interval `json:"delay_ms"`
	// FastAnswers is the response time that one in a hundred answers undercuts.
	FastAnswers Number `json:"fast_answers_ms"`
	// Backcast and BackcastResponse are what the model gives for the measured
	// hardware, their errors the ratios by which they miss what was measured.
	Backcast              Number   `json:"backcast"` // tokens/s
	BackcastError         Number   `json:"backcast_error"`
	BackcastResponse      Number   `json:"backcast_response_ms"`
	BackcastResponseError Number   `json:"backcast_response_error"`
	Throughput            Interval `json:"throughput"` // tokens/s
	// Change is Throughput over Backcast, less 1.
	Change Number `json:"change"`
	// WithoutDelay is the throughput if no time at all passed outside the CPUs.
	WithoutDelay   Number   `json:"throughput_without_delay"`
	BoundLo        Number   `json:"bound_lo"` // tokens/s, asymptotic
	BoundHi        Number   `json:"bound_hi"`
	Response       Interval `json:"response_ms"`
	APIManagerBusy Interval `json:"apim_busy"`     // ratio
	DatabaseBusy   Interval `json:"database_busy"` // ratio
	Bottleneck     string   `json:"bottleneck,omitempty"`
}

// WriteJSON writes the projection as it is, indented.
func (p Projection) WriteJSON(w io.Writer) error {
	p.Grants, p.Assumptions = list(p.Grants), list(p.Assumptions)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(p)
}
