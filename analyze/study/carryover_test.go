package study_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// slower takes 3 % more off every later window with persistence.
func slower(d source.Dataset) source.Dataset {
	for i, r := range d.Runs {
		for j := range r.Requests.Seconds {
			if s := &r.Requests.Seconds[j]; r.Window.Mode == source.On {
				s.Successes = uint64(float64(s.Successes) * (1 - 0.03*float64(i)))
			}
		}
	}
	return d
}

func carriedOver(r report.Report, metric string) string {
	w := comparison(r, "password", metric).Warnings
	if i := slices.IndexFunc(w, func(w report.Warning) bool { return w.ID == "carry-over" }); i >= 0 {
		return w[i].Text
	}
	return ""
}

// What the token table did and what the windows did are said together.
func TestCarryOver(t *testing.T) {
	four := func() source.Dataset { return pairs("password", 0.2, 0.22, 0.19, 0.21) }
	for _, c := range []struct {
		name string
		d    source.Dataset
		rows []float64
		want string // "" for no warning
	}{
		{"nothing known", four(), nil, ""},
		{"the same table", four(), []float64{1e6, 1.1e6, 0.9e6, 1.05e6}, ""},
		{"grown, restored at last", four(), []float64{1e6, 2e6, 3e6, 1e6}, ""},
		{"grown", four(), []float64{1e6, 1.2e6, 1.4e6, 1.6e6}, "the token table grew from about 1 million rows before the first window with persistence to 1.6 million before the last; later windows are not found to be slower for it: restore the same table before each window all the same"},
		{"from an empty table", four(), []float64{0, 100, 200, 52_300}, "from about 0 rows before the first window with persistence to 52300 before the last"},
		{"from an odd number", four(), []float64{923_260, 1e6, 1.1e6, 1_211_000}, "from about 923000 rows before the first window with persistence to 1.21 million"},
		{"grown, two pairs", pairs("password", 0.2, 0.22), []float64{1e6, 2e6}, "whether that slowed later ones cannot be told: restore"},
		{"slower", slower(four()), nil, "without it does not: the token table may have grown from window to window; restore the same table"},
		{"grown and slower", slower(four()), []float64{1e6, 1.2e6, 1.4e6, 1.6e6}, "to 1.6 million before the last, and with persistence on, throughput falls by "},
		{"slower with the same table", slower(four()), []float64{1e6, 1e6, 1e6, 1e6}, "held about 1 million rows before the first of them and 1 million before the last, so it is not the reason"},
		{"one pair", pairs("password", 0.2), []float64{1e6}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.rows != nil {
				tokenRows(c.d, c.rows...)
			}
			r := study.Run(c.d, options())
			if got := carriedOver(r, "throughput"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if rows := r.Diagnostics[0].TokenRows; (rows == nil) != (c.rows == nil) || rows != nil && *rows != c.rows[0] {
				t.Errorf("the first window began with %v rows", rows)
			}
		})
	}
}

// At a given rate a larger table shows in what a token costs the database.
func TestCarryOverAtARate(t *testing.T) {
	d := offered(0.2, 0, 0.01, -0.01, 0)
	for _, r := range d.Runs {
		if r.Window.Mode == source.On {
			u := 0.5 * (1 + 0.05*float64(r.Window.Block))
			points(r, source.DatabaseCPU, 5*time.Second, u, u, u, u, u, u, u, u)
		}
	}
	tokenRows(d, 1e6, 2e6, 3e6, 4e6)
	r := study.Run(d, atRate())
	if got := carriedOver(r, "database_core_ms"); !strings.Contains(got, "to 4 million before the last, and with persistence on, what a token costs the database rises by 2.5 % per window") {
		t.Errorf("%q", got)
	}
	if got := carriedOver(r, "throughput"); got != "" {
		t.Errorf("beside the throughput: %q", got)
	}
}
