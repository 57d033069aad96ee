package reference_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/reference"
)

func TestRowsEqualTheTruth(t *testing.T) {
	b, err := os.ReadFile("testdata/derived.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tolerance float64 `json:"tolerance_rel"`
		Cases     []struct {
			Edition, Grant string
			On, Off        float64
			Expected       map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	rows := map[[2]string]reference.Row{}
	for _, e := range reference.Editions() {
		for _, r := range e.Rows() {
			rows[[2]string{e.Name, r.Grant}] = r
		}
	}
	if len(rows) != 6 || len(file.Cases) != 6 {
		t.Fatalf("%d rows and %d cases, want 6 of each", len(rows), len(file.Cases))
	}
	for _, c := range file.Cases {
		r, ok := rows[[2]string{c.Edition, c.Grant}]
		if !ok {
			t.Fatalf("no row for %s, %s", c.Edition, c.Grant)
		}
		if r.On != c.On || r.Off != c.Off {
			t.Errorf("%s, %s: %v and %v, published %v and %v", c.Edition, c.Grant, r.On, r.Off, c.On, c.Off)
		}
		for name, got := range map[string][]float64{
			"ratio":                         {r.Ratio},
			"pct":                           {r.Percent},
			"log_ratio":                     {r.LogRatio},
			"ratio_rounding_interval":       {r.RatioLo, r.RatioHi},
			"R_ms_on":                       {r.ResponseOn},
			"R_ms_off":                      {r.ResponseOff},
			"cpu_demand_ceiling_core_ms_on": {r.CeilingOn}, "cpu_demand_ceiling_core_ms_off": {r.CeilingOff},
			"extra_core_ms_per_token_if_both_saturated": {r.Extra},
		} {
			want := make([]float64, len(got))
			if len(want) == 1 {
				err = json.Unmarshal(c.Expected[name], &want[0])
			} else {
				err = json.Unmarshal(c.Expected[name], &want)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range got {
				if math.Abs(got[i]-want[i]) > file.Tolerance*math.Abs(want[i]) {
					t.Errorf("%s, %s: %s = %.15g, want %.15g", c.Edition, c.Grant, name, got[i], want[i])
				}
			}
		}
	}
}

// The two editions differ by 0.41 log units on refresh: nothing agrees with both.
func TestEditionsContradictEachOtherOnRefresh(t *testing.T) {
	editions := reference.Editions()
	for i, first := range editions[0].Rows() {
		second := editions[1].Rows()[i]
		if first.Grant != second.Grant {
			t.Fatalf("row %d is %s and %s", i, first.Grant, second.Grant)
		}
		if apart := math.Abs(first.LogRatio-second.LogRatio) > 0.4; apart != (first.Grant == "refresh_token") {
			t.Errorf("%s: log ratios %.3f and %.3f", first.Grant, first.LogRatio, second.LogRatio)
		}
	}
}

func TestEditionsAreComplete(t *testing.T) {
	for _, e := range reference.Editions() {
		c := e.Conditions
		if e.ID == "" || e.Source == "" || e.Unit != "tokens/s" || c.Users != 100 || c.Applications != 10 || c.APIManager.VCPUs != 4 || len(e.Cells) != 3 {
			t.Errorf("%+v", e)
		}
	}
	a, b := reference.Editions(), reference.Editions()
	a[0].Cells[0].On = 1
	if b[0].Cells[0].On == 1 {
		t.Error("two callers share one table")
	}
}
