package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func samplePlan() Plan {
	return Plan{
		SchemaVersion: SchemaVersion, Title: "Token persistence, rig run of 1 July", Report: "report.json",
		MaxLoss: 0.05, Power: 0.8, Confidence: 0.8, Pairs: 14, Hours: num(12.6), Seed: 1, Program: "analyze 1.0",
		Grants: []PlannedGrant{
			{Grant: "client_credentials", Pilot: 5, Paired: true, SD: num(0.0312), SDUpper: num(0.0486), Pairs: 6, PairsCautious: 10, Detectable: num(0.051)},
			{Grant: "password", Pilot: 4, SD: num(0.0412), SDUpper: num(0.0711), Pairs: 8, PairsCautious: 14, Detectable: num(0.11)},
			{Grant: "refresh_token", Unknown: "refresh_token has 1 pair, and how much they differ is what a plan is made of: measure at least 4"},
			{Grant: "urn:ietf:params:oauth:grant-type:device_code", Pilot: 2, SD: num(1), SDUpper: num(4), Pairs: 2000},
		},
		Notes: []string{"password: the pilot's runs are in no blocks, so their spread includes drift that pairs would cancel; the plan errs on the side of too many"},
		Schedule: []PlannedBlock{
			{Block: 1, First: "on", Then: "off", Grants: []string{"password", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"}},
			{Block: 2, First: "off", Then: "on", Grants: []string{"refresh_token", "password", "client_credentials"}},
		},
		Checklist: []string{"Restore the database from the same snapshot, so that every window starts with the same rows in the token tables.", "Restart every node."},
	}
}

func TestPlanText(t *testing.T) {
	var got bytes.Buffer
	if err := samplePlan().WriteText(&got, Options{}); err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(got.String(), "\n") {
		if width(l) > textWidth {
			t.Errorf("line %d has %d columns: %s", i+1, width(l), l)
		}
	}
	compareGolden(t, "plan.txt", got.Bytes())
}

func TestPlanJSON(t *testing.T) {
	var got bytes.Buffer
	if err := samplePlan().WriteJSON(&got); err != nil {
		t.Fatal(err)
	}
	var p Plan
	if err := json.Unmarshal(got.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(samplePlan(), p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
