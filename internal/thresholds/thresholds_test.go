package thresholds_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

func TestRowsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range thresholds.All() {
		if seen[row.ID] || !regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`).MatchString(row.ID) {
			t.Errorf("%s: given twice or not in snake case", row.ID)
		}
		seen[row.ID] = true
		if row.Value <= 0 || row.Unit == "" || row.Source == "" || !strings.HasSuffix(row.Why, ".") {
			t.Errorf("%s: want a positive value, a unit, a source and a sentence: %+v", row.ID, row)
		}
		if !slices.Contains([]thresholds.Severity{thresholds.Critical, thresholds.Warning, thresholds.Info}, row.Severity) {
			t.Errorf("%s: severity %q", row.ID, row.Severity)
		}
		if got, err := thresholds.Get(row.ID); err != nil || got != row {
			t.Errorf("Get(%s) is %+v, %v", row.ID, got, err)
		}
	}
}

func TestUnknownSuggests(t *testing.T) {
	_, err := thresholds.Get("database_cpu_satuarted")
	if err == nil || !strings.Contains(err.Error(), "did you mean database_cpu_saturated?") {
		t.Errorf("got %v", err)
	}
}

func TestText(t *testing.T) {
	for want, in := range map[string]thresholds.Threshold{
		"7%":             {Value: 0.07, Unit: "ratio"},
		"1GiB":           {Value: 1 << 30, Unit: "bytes"},
		"2GiB/day":       {Value: 2 << 30, Unit: "bytes/day"},
		"512B":           {Value: 512, Unit: "bytes"},
		"20ms":           {Value: 0.02, Unit: "seconds"},
		"20m":            {Value: 1200, Unit: "seconds"},
		"90s":            {Value: 90, Unit: "seconds"},
		"1.5M undo logs": {Value: 1.5e6, Unit: "undo logs"},
		"32 sessions":    {Value: 32, Unit: "sessions"},
		"14.4×":          {Value: 14.4, Unit: "times"},
		"0.1/s":          {Value: 0.1, Unit: "per second"},
		"500k rows":      {Value: 500_000, Unit: "rows"},
	} {
		if got := in.Text(); got != want {
			t.Errorf("%v %s is %q, want %q", in.Value, in.Unit, got, want)
		}
	}
	if got := (thresholds.Threshold{Value: 1e6}).String(); got != "1000000" {
		t.Errorf("String gives %s, want no exponent", got)
	}
}
