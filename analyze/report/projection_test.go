package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// about is a value with an interval of some part of it on each side.
func about(v, part float64) Interval {
	return Interval{Estimate: num(v), Lo: num(v * (1 - part)), Hi: num(v * (1 + part))}
}

// projected is a mode with everything a mode can hold.
func projected(x, apim, database, delay float64, bottleneck string) *ProjectedMode {
	return &ProjectedMode{
		Runs: 5, Measured: about(x, 0.02), MeasuredResponse: about(1e5/x, 0.02),
		APIManagerDemand: about(apim, 0.03), DatabaseDemand: about(database, 0.05), Delay: about(delay, 0.2),
		Backcast: num(x * 1.012), BackcastError: num(0.012), BackcastResponse: num(0.988e5 / x), BackcastResponseError: num(-0.012),
		Throughput: about(x*1.61, 0.04), Change: num(0.591), WithoutDelay: num(x * 1.93), BoundLo: num(x), BoundHi: num(x * 2),
		Response: about(1e5/x/1.61, 0.04), APIManagerBusy: about(0.812, 0.03), DatabaseBusy: about(0.93, 0.05), Bottleneck: bottleneck,
	}
}

// sampleProjection has a grant that is projected, one that is refused by its
// back-cast and one of which nothing is known.
func sampleProjection() Projection {
	refused := projected(434, 8.1, 3.3, 2, "")
	refused.BackcastError = num(-0.143)
	refused.Throughput, refused.Response, refused.APIManagerBusy, refused.DatabaseBusy = Interval{}, Interval{}, Interval{}, Interval{}
	refused.Change, refused.WithoutDelay, refused.BoundLo, refused.BoundHi = nil, nil, nil, nil
	return Projection{
		SchemaVersion: SchemaVersion, Title: "Token persistence, rig run of 1 July", Banner: "Demonstration rig: not evidence about API Manager",
		Report:    "report.json",
		Measured:  Hardware{APIManagerVCPUs: 4, DatabaseVCPUs: 8, Users: 100},
		Projected: Hardware{APIManagerVCPUs: 8, DatabaseVCPUs: 8, Users: 100},
		Tolerance: 0.1, Level: 0.95, Draws: 5000, Seed: 1, Program: "analyze 1.0",
		Grants: []ProjectedGrant{
			{
				Grant: "client_credentials", On: projected(764, 4.9, 1.2, 22.5, "database"), Off: projected(973, 4.1, 0.05, 12345.678, "none of the CPUs"),
				RatioMeasured: about(1.27, 0.02), RatioProjected: about(1.43, 0.05),
				Notes: []string{"persistence on: 61 % of the response time passes outside both CPUs; if that is a queue (connection pool, locks, disk), more vCPUs give less than shown"},
			},
			{Grant: "password", On: refused, Off: refused, Refused: "with persistence on the model gives 372 tokens/s where 434 were measured (-14.3 %); a model that is more than 10 % off says nothing about other hardware. Possible cause: more users than environment.users"},
			{Grant: "refresh_token", Refused: "no run with persistence off has an API Manager CPU"},
		},
		Assumptions: []string{"The service demand of a token stays what it was measured to be, so the added vCPUs are as fast as the present ones.", "Users of one grant alone."},
	}
}

func TestProjectionText(t *testing.T) {
	var got bytes.Buffer
	if err := sampleProjection().WriteText(&got, Options{}); err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(got.String(), "\n") {
		if width(l) > textWidth {
			t.Errorf("line %d has %d columns: %s", i+1, width(l), l)
		}
	}
	compareGolden(t, "projection.txt", got.Bytes())
}

// The JSON form is read back as it was, and has lists where there is nothing.
func TestProjectionJSON(t *testing.T) {
	var got bytes.Buffer
	if err := sampleProjection().WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	var p Projection
	if err := json.Unmarshal(got.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleProjection(), p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got.Reset()
	if err := (Projection{}).WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.String(), `"grants": []`) || !strings.Contains(got.String(), `"assumptions": []`) {
		t.Errorf("an empty projection: %s", got.String())
	}
}
