package study_test

import (
	"math"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

func TestAgainstThePublishedNumbers(t *testing.T) {
	at := func(ratio, spread float64) []float64 {
		c := math.Log(ratio)
		return []float64{c + spread, c - spread, c + spread, c - spread, c}
	}
	users := func(o *study.Options) { o.Environment.Users = 20 }
	undeclared := func(o *study.Options) { o.Environment.Applications = 0 }
	rate := func(o *study.Options) { o.Load = study.RateLoad }
	for _, c := range []struct {
		name, grant       string
		ratios            []float64
		options           func(*study.Options)
		result, direction string // of the edition for API-M 4.3
	}{
		{"the published ratio", "client_credentials", at(1.2736, 0.004), nil, "agrees", "same"},
		{"within the margin", "client_credentials", at(1.30, 0.004), nil, "agrees", "same"},
		{"reaching out of the margin", "client_credentials", at(1.33, 0.02), nil, "undecided", "same"},
		{"too wide", "client_credentials", at(1.27, 0.15), nil, "undecided", "same"},
		{"beyond", "client_credentials", at(1.60, 0.004), nil, "differs", "same"},
		{"a loss where a gain was published", "client_credentials", at(0.90, 0.004), nil, "differs", "opposite"},
		{"a loss where a loss was published", "password", at(0.85, 0.004), nil, "agrees", "same"},
		{"a gain where a loss was published", "password", at(1.1, 0.004), nil, "differs", "opposite"},
		{"no change", "password", at(1, 0.02), nil, "differs", "undecided"},
		{"other users", "password", at(0.85, 0.004), users, "not comparable", "same"},
		{"applications not declared", "password", at(0.85, 0.004), undeclared, "not comparable", "same"},
		{"other load", "password", at(0.85, 0.004), rate, "not comparable", "same"},
		{"one pair", "client_credentials", at(1.27, 0)[:1], nil, "undecided", "same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options()
			if c.options != nil {
				c.options(&o)
			}
			d := pairs(c.grant, c.ratios...)
			if len(d.Runs) == 2 {
				d = noisy(d, 3)
			}
			r := study.Run(d, o)
			if len(r.Reference) != 2 {
				t.Fatalf("%d rows, want one for each edition", len(r.Reference))
			}
			got := r.Reference[0]
			if got.Result != c.result || got.Direction != c.direction || got.Why == "" || got.Margin != 0.05 {
				t.Errorf("%+v, want %s, direction %s", got, c.result, c.direction)
			}
		})
	}
}

// No refresh ratio agrees with both editions, and a grant that nobody published
// has no row.
func TestEditionsContradictEachOther(t *testing.T) {
	for ratio := 1.0; ratio < 2.2; ratio += 0.02 {
		c := math.Log(ratio)
		r := study.Run(pairs("refresh_token", c+0.001, c-0.001, c+0.002, c-0.002), options())
		if r.Reference[0].Result == "agrees" && r.Reference[1].Result == "agrees" {
			t.Errorf("%.2f agrees with both: %+v", ratio, r.Reference)
		}
	}
	if r := study.Run(pairs("authorization_code", 0.1, 0.2, 0.1, 0.2), options()); len(r.Reference) != 0 {
		t.Errorf("%+v", r.Reference)
	}
}

// The published numbers never change a verdict.
func TestPublishedNumbersDoNotJudge(t *testing.T) {
	r := study.Run(pairs("client_credentials", 0.60, 0.61, 0.59, 0.60), options())
	if r.Reference[0].Result != "differs" || r.Verdict != report.Pass || r.ExitCode != 0 {
		t.Errorf("%s, exit %d, %+v", r.Verdict, r.ExitCode, r.Reference[0])
	}
}
