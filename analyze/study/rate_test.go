package study_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// Under load: rate what a token costs is judged, on either host.
func TestVerdictsAtARate(t *testing.T) {
	dearer := []float64{0.20, 0.22, 0.21, 0.19, 0.23}
	cheaper := []float64{-0.10, -0.11, -0.10, -0.09, -0.10}
	little := []float64{0.02, 0.015, 0.025, 0.02, 0.02}
	wide := []float64{0.2, -0.2, 0.1, -0.1, 0.05}
	tokens := func(mode source.Mode, factor float64) change {
		return func(d source.Dataset) source.Dataset {
			for _, r := range d.Runs {
				for i := range r.Requests.Seconds {
					if r.Window.Mode == mode {
						r.Requests.Seconds[i].Successes = uint64(factor * float64(r.Requests.Seconds[i].Successes))
					}
				}
			}
			return d
		}
	}
	without := func(series string, windows ...int) change {
		return func(d source.Dataset) source.Dataset {
			for i, r := range d.Runs {
				if len(windows) == 0 || slices.Contains(windows, i) {
					delete(r.Series, series)
				}
			}
			return d
		}
	}
	for _, c := range []struct {
		name     string
		database float64
		costs    []float64
		change   change
		options  func(*study.Options)
		want     report.Verdict
		why      string
	}{
		{"cheaper on both", 0.2, cheaper, nil, nil, report.Pass, "API Manager CPU per token off/on 0.90 [0.90, 0.91], 5 pairs; Database CPU per token off/on 0.20 [0.20, 0.20], 5 pairs: the loss of tokens per core-ms is at most 5 % and the error share rises by at most"},
		{"a little dearer", 0.2, little, nil, nil, report.Pass, "the loss of tokens per core-ms is at most 5 %"},
		{"dearer for the API Manager, whatever the database saves", 0.2, dearer, nil, nil, report.Fail, "API Manager CPU per token off/on 1.23 [1.21, 1.26], 5 pairs: the loss of tokens per core-ms exceeds 5 % (p"},
		{"dearer for the database", 1.3, cheaper, nil, nil, report.Fail, "Database CPU per token off/on 1.3"},
		{"within a larger limit", 0.2, dearer, nil, func(o *study.Options) { o.MaxLoss = 0.25 }, report.Pass, "at most 25 %"},
		{"undecided", 0.2, wide, nil, nil, report.Inconclusive, "5 pairs: a loss of tokens per core-ms above 5 % is neither shown nor excluded"},
		{"three pairs", 0.2, cheaper[:3], nil, nil, report.Inconclusive, "3 pairs: a verdict needs 4 pairs"},
		{"three pairs of a loss", 0.2, dearer[:3], nil, nil, report.Inconclusive, "3 pairs: a verdict needs 4 pairs"},
		{"unpaired", 0.2, cheaper, unpaired, nil, report.Pass, "5 and 5 runs"},
		{"from counters", 0.2, cheaper, counted, nil, report.Pass, "5 pairs"},

		{"no CPU at all", 0.2, cheaper, func(d source.Dataset) source.Dataset {
			return without(source.DatabaseCPU)(without(source.APIManagerCPU)(d))
		}, nil, report.Inconclusive, "API Manager CPU per token is unknown: password, on, block 1: no series"},
		{"no database CPU", 0.2, cheaper, without(source.DatabaseCPU), nil, report.Inconclusive, "Database CPU per token is unknown: password, on, block 1: no series"},
		{"no database CPU in one window", 0.2, cheaper, without(source.DatabaseCPU, 3), nil, report.Inconclusive, "password, off, block 2: no series"},
		{"no API Manager CPU in one window of a loss", 0.2, dearer, without(source.APIManagerCPU, 3), nil, report.Inconclusive, "password, off, block 2: no series"},
		{"core count unknown", 0.2, cheaper, nil, func(o *study.Options) { o.Environment.APIManager.VCPUs = 0 }, report.Inconclusive, "set environment.apim.vcpus"},
		{"fewer tokens without", 0.2, cheaper, tokens(source.Off, 0.98), nil, report.Inconclusive, "throughput off/on is 0.98, but under load: rate it has to be 1 within 1 %"},
		{"fewer tokens with", 0.2, cheaper, tokens(source.On, 0.98), nil, report.Inconclusive, "throughput off/on is 1.02"},
		{"rows that may be missing", 0.2, little, func(d source.Dataset) source.Dataset {
			d.Runs[0].Requests.BadRows = 30_000
			return d
		}, nil, report.Inconclusive, "throughput off/on lies between 0.9"},
		{"few rows that may be missing", 0.2, little, func(d source.Dataset) source.Dataset {
			d.Runs[0].Requests.BadRows = 100
			return d
		}, nil, report.Pass, "at most 5 %"},
		{"errors rise", 0.2, cheaper, with(failures, source.Off, 3000, 3100, 2900, 3050, 2950), nil, report.Fail, "the error share rises by at least 1."},
		{"a window without its file", 0.2, cheaper, func(d source.Dataset) source.Dataset { d.Runs[3].Requests = nil; return d }, nil, report.NoData, "password, off, block 2: neither a result file nor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, o := offered(c.database, c.costs...), atRate()
			if c.change != nil {
				d = c.change(d)
			}
			if c.options != nil {
				c.options(&o)
			}
			r := study.Run(d, o)
			if r.Verdict != c.want || !strings.Contains(r.Grants[0].Why, c.why) {
				t.Errorf("%s, %s; want %s with %q", r.Verdict, r.Grants[0].Why, c.want, c.why)
			}
			if got := comparison(r, "password", "throughput"); got.Status != "descriptive" || got.PLoss != nil || got.PDifference != nil {
				t.Errorf("throughput was judged: %+v", got)
			}
		})
	}
}

// A row that may be missing makes tokens with persistence cheaper, so that
// switching off looks dearer: what just passes no longer does.
func TestMissingRowsAtARate(t *testing.T) {
	d := offered(0.2, 0.045, 0.046, 0.044, 0.045, 0.045)
	if r := study.Run(d, atRate()); r.Verdict != report.Pass {
		t.Fatalf("%s, %+v", r.Verdict, r.Grants)
	}
	for _, r := range d.Runs {
		if r.Window.Mode == source.On {
			r.Requests.BadRows = 1200 // 0.8 % of its tokens
		}
	}
	r := study.Run(d, atRate())
	if r.Verdict != report.Inconclusive || !strings.Contains(r.Grants[0].Why, "this would pass, but rows may be missing (password, on, block 1: 1200 unreadable rows; and 4 more)") {
		t.Errorf("%s, %+v", r.Verdict, r.Grants)
	}
}

// Both hosts of every grant are one family for Holm: the p of a loss on one host
// among two grants is adjusted for four tests.
func TestHolmOverHosts(t *testing.T) {
	alone := study.Run(offered(0.2, 0.07, 0.09, 0.06, 0.08), atRate())
	second := offered(0.2, -0.10, -0.11, -0.10, -0.09)
	for i := range second.Runs {
		second.Runs[i].Window.Grant = "client_credentials"
	}
	both := study.Run(join(offered(0.2, 0.07, 0.09, 0.06, 0.08), second), atRate())
	one, two := comparison(alone, "password", "apim_core_ms"), comparison(both, "password", "apim_core_ms")
	if one.PLoss == nil || two.PLoss == nil || !near(*two.PLoss, 2**one.PLoss) {
		t.Errorf("%v with two hosts, %v with four", one.PLoss, two.PLoss)
	}
	if one.Status != "confirmatory" || one.PDifference == nil || one.DetectableLoss == nil {
		t.Errorf("%+v", one)
	}
}
