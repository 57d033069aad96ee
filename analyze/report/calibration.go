package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/tokenpersistence/toolkit/analyze/oneline"
)

// Calibration is what signing takes of a processor on one host. Its JSON form is
// public.
type Calibration struct {
	SchemaVersion int       `json:"schema_version"`
	Engine        string    `json:"engine"` // java or go, with the version
	Bits          int       `json:"bits"`   // of the RSA key
	VCPUs         int       `json:"vcpus"`
	Rounds        int       `json:"rounds"`
	Signature     Operation `json:"signature"`
	Verification  Operation `json:"verification"`
	Notes         []string  `json:"notes"`
	Program       string    `json:"program"`
}

// Operation is one of the two: on one thread, and on all vCPUs at a time, where
// two threads of one core share it. Flag is its range as analyze estimate takes it.
type Operation struct {
	One  Cost   `json:"one_thread"`
	All  Cost   `json:"all_threads"`
	Flag string `json:"flag"`
}

// Cost is core-ms of one operation: the median, the smallest and the largest
// round.
type Cost struct {
	Median float64 `json:"median"`
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
}

// WriteJSON writes the calibration as it is, indented.
func (c Calibration) WriteJSON(w io.Writer) error {
	c.Notes = list(c.Notes)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(c)
}

// WriteText writes the calibration for a terminal of 80 columns, the flags for
// analyze estimate last, on a line of their own.
func (c Calibration) WriteText(w io.Writer, o Options) error {
	out := &page{color: o.Color}
	out.line(out.bold(fmt.Sprintf("RS256 with a key of %d bits: CPU time of one operation, core-ms", c.Bits)))
	out.lines(wrap(fmt.Sprintf("%s; %d vCPUs, median (smallest–largest) of %d rounds", oneline.Text(c.Engine), c.VCPUs, c.Rounds), textWidth))
	out.line("")
	out.line(pad("", 14) + pad("one thread", 26) + "all vCPUs busy")
	for _, r := range []struct {
		name string
		of   Operation
	}{{"signature", c.Signature}, {"verification", c.Verification}} {
		out.line(pad(r.name, 14) + pad(r.of.One.text(), 26) + r.of.All.text())
	}
	for _, n := range c.Notes {
		out.hanging("! ", n)
	}
	out.line("")
	out.line("For analyze estimate:")
	out.line("  --signature " + c.Signature.Flag + " --verification " + c.Verification.Flag)
	_, err := io.WriteString(w, out.text.String())
	return err
}

func (c Cost) text() string {
	return significant(c.Median) + " (" + significant(c.Lo) + "–" + significant(c.Hi) + ")"
}
