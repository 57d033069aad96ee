package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func rangeOf(lo, middle, hi float64) Range {
	return Range{Lo: num(lo), Middle: num(middle), Hi: num(hi)}
}

// sampleEstimate has a case with everything, one that is refused, and one whose
// range has no upper end.
func sampleEstimate() Estimate {
	full := EstimatedCase{
		Name: "refresh_token", From: "2026-07-01T10:00:00Z", To: "2026-07-01T12:00:00Z", Seconds: 7140, Readings: 119,
		Answer: []string{
			"Without persistence the hosts could carry 8 % to 40 % more tokens: 518 to 673/s instead of 480/s.",
			"The database limits now, the API Manager would then.",
		},
		Direction: "gain", Throughput: num(333.3),
		Mix:        []GrantShare{{"client_credentials", rangeOf(0.25, 0.25, 0.25)}, {"refresh_token", rangeOf(0.75, 0.75, 0.75)}},
		APIManager: EstimatedHost{VCPUs: 4, DemandOn: num(2.08), DemandOff: rangeOf(1.35, 1.71, 1.93), BusyOn: num(0.88), BusyOff: rangeOf(0.57, 0.73, 1.02)},
		Database:   EstimatedHost{VCPUs: 8, DemandOn: num(1.95), DemandOff: rangeOf(0.25, 0.43, 0.62), BusyOn: num(0.83), BusyOff: rangeOf(0.1, 0.18, 0.26)},
		CapacityOn: rangeOf(480, 480, 481), CapacityOff: rangeOf(518, 585, 673), Ratio: rangeOf(1.08, 1.22, 1.4), LimitOn: "database", LimitOff: "API Manager",
		Statements: []EstimatedStatement{
			{"insert_token", rangeOf(1, 1, 1), rangeOf(0.5, 0.5, 0.5), "goes"},
			{"look-up of a revocation", rangeOf(2.25, 2.25, 2.25), rangeOf(0.02, 0.03, 0.05), "comes"},
		},
		StatementBy: "processor time that the server measured", Growth: rangeOf(21e6, 21e6, 21e6),
		Assumptions: []Assumption{
			{"statement-cpu", "CPU that API Manager spends on one statement: driver, pool, rows, system calls", "core-ms", "assumed", 0.03, 0.075, 0.12, num(1.1), num(1.31)},
			{"refreshes", "refreshes, by the look-ups of a refresh token", "per token", "measured", 0.75, 0.75, 0.75, num(1.22), num(1.22)},
		},
		Warnings: []Warning{{ID: "few-readings", Text: "only 5 readings of the statement summaries: a longer range says more"}},
		Truth: &EstimateTruth{Runs: 8, Checks: []EstimateHit{
			{"API Manager", "core-ms/token", rangeOf(1.35, 1.71, 1.93), about(1.8, 0.03), "inside"},
			{"throughput", "ratio", rangeOf(1.08, 1.22, 1.4), about(1.47, 0.05), "above"},
		}},
	}
	open := full
	open.Name, open.Ratio.Hi, open.CapacityOff, open.Truth = "a grant with a name that is longer than its column has room for\x1b[31m", nil, Range{Lo: num(518)}, nil
	return Estimate{
		SchemaVersion: SchemaVersion, Title: "Estimate without persistence", Banner: "Demonstration rig: not evidence about API Manager", Source: "http://prometheus:9090",
		Cases:   []EstimatedCase{full, {Name: "password", Refused: "only 2 readings of the statement summaries lie in the range, 4 are needed: give a longer range"}, open},
		Notes:   []string{"Low–high is a sensitivity range: what the number becomes when the assumptions move between their ends together. It is no confidence interval."},
		Program: "analyze 1.0",
	}
}

func TestEstimateText(t *testing.T) {
	var got bytes.Buffer
	if err := sampleEstimate().WriteText(&got, Options{}); err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(got.String(), "\n") {
		if width(l) > textWidth {
			t.Errorf("line %d has %d columns: %s", i+1, width(l), l)
		}
	}
	if strings.Contains(got.String(), "\x1b") {
		t.Error("a name steers the terminal")
	}
	compareGolden(t, "estimate.txt", got.Bytes())
}

// The JSON form is read back as it was, and has lists where there is nothing.
func TestEstimateJSON(t *testing.T) {
	var text bytes.Buffer
	if err := sampleEstimate().WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), `"assumptions": []`); n != 1 {
		t.Errorf("%d empty lists of assumptions, want that of the refused case", n)
	}
	var got Estimate
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleEstimate().Cases[0], got.Cases[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	text.Reset()
	if err := (Estimate{}).WriteJSON(&text); err != nil || !strings.Contains(text.String(), `"cases": []`) {
		t.Errorf("an empty estimate: %v\n%s", err, text.String())
	}
}

func TestCalibrationText(t *testing.T) {
	c := Calibration{
		SchemaVersion: SchemaVersion, Engine: "java 17.0.15 OpenJDK 64-Bit Server VM", Bits: 2048, VCPUs: 4, Rounds: 7,
		Signature:    Operation{Cost{0.92, 0.91, 0.95}, Cost{1.2, 1.18, 1.25}, "0.91ms..1.25ms"},
		Verification: Operation{Cost{0.031, 0.03, 0.033}, Cost{0.04, 0.039, 0.042}, "0.03ms..0.042ms"},
		Notes:        []string{"Go's crypto/rsa is not what API Manager runs: for estimate, measure on its host with its JVM"},
	}
	var got bytes.Buffer
	if err := c.WriteText(&got, Options{}); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "calibration.txt", got.Bytes())
}
