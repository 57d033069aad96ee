package study_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// change edits a dataset.
type change func(d source.Dataset) source.Dataset

func TestVerdicts(t *testing.T) {
	gain := []float64{0.20, 0.22, 0.21, 0.19, 0.23}
	loss := []float64{-0.20, -0.22, -0.21, -0.19, -0.23}
	even := []float64{0.004, -0.004, 0.002, -0.003, 0.001}
	wide := []float64{0.2, -0.2, 0.1, -0.1, 0.05}
	rate := func(o *study.Options) { o.Load = study.RateLoad }
	for _, c := range []struct {
		name    string
		ratios  []float64
		change  change
		options func(*study.Options)
		want    report.Verdict
		why     string
	}{
		{"a gain passes", gain, nil, nil, report.Pass, "throughput off/on 1.23 [1.21, 1.26], 5 pairs: the loss is at most 5 %"},
		{"no change passes", even, nil, nil, report.Pass, "the loss is at most 5 %"},
		{"a loss fails", loss, nil, nil, report.Fail, "throughput off/on 0.81 [0.79, 0.83], 5 pairs: the loss exceeds 5 %"},
		{"a loss within a larger limit passes", loss, nil, func(o *study.Options) { o.MaxLoss = 0.25 }, report.Pass, "at most 25 %"},
		{"too wide", wide, nil, nil, report.Inconclusive, "5 pairs: a loss above 5 % is neither shown nor excluded"},
		{"three pairs", gain[:3], nil, nil, report.Inconclusive, "3 pairs: a verdict needs 4 pairs"},
		{"three pairs of a loss", loss[:3], nil, nil, report.Inconclusive, "3 pairs: a verdict needs 4 pairs"},
		{"one pair", gain[:1], nil, nil, report.Inconclusive, "within this window only: a verdict needs 4 pairs"},
		{"unpaired gain", gain, unpaired, nil, report.Pass, "5 and 5 runs"},
		{"unpaired loss", loss, unpaired, nil, report.Fail, "5 and 5 runs"},
		{"three unpaired runs", gain[:3], unpaired, nil, report.Inconclusive, "or 4 runs of each mode"},
		{"from counters", gain, counted, nil, report.Pass, "5 pairs"},
		{"runs that agree to the last digit", []float64{0, 0, 0, 0}, func(d source.Dataset) source.Dataset {
			for i := range d.Runs {
				r := d.Runs[i]
				d.Runs[i] = steady(r.Window.Grant, r.Window.Mode, r.Window.Block, r.Window.Start, 150_000, 0)
			}
			return d
		}, nil, report.Inconclusive, "4 pairs: no interval can be given"},

		{"errors rise", gain, with(failures, source.Off, 3000, 3100, 2900, 3050, 2950), nil, report.Fail, "the error share rises by at least 1.5 points, more than 0.5 points"},
		{"errors fall", gain, with(failures, source.On, 3000, 3100, 2900, 3050, 2950), nil, report.Pass, "rises by at most"},
		{"errors may rise", gain, with(failures, source.Off, 9000, 0, 0, 0, 0), nil, report.Inconclusive, "the error share may rise by"},
		{"some errors, within the limit", gain, with(failures, source.Off, 10, 12, 9, 0, 3), nil, report.Pass, "rises by at most 0.0"},
		{"errors rise at the offered rate", even, with(failures, source.Off, 3000, 3100, 2900, 3050, 2950), rate, report.Fail, "the error share rises"},
		{"the offered rate is no throughput test", even, nil, rate, report.Inconclusive, "API Manager CPU per token is unknown: client_credentials, on, block 1: no series"},
		{"a loss at the offered rate", loss, nil, rate, report.Inconclusive, "API Manager CPU per token is unknown"},

		{"a window without a partner", gain, func(d source.Dataset) source.Dataset { d.Runs = d.Runs[:9]; return d }, nil, report.NoData, "block 5 has no window with persistence off"},
		{"one mode only", gain, func(d source.Dataset) source.Dataset {
			for i := range d.Runs {
				d.Runs[i].Window.Mode = source.On
			}
			return d
		}, nil, report.NoData, "no window has persistence off"},
		{"a window without its file", gain, func(d source.Dataset) source.Dataset { d.Runs[3].Requests = nil; return d }, nil, report.NoData, "client_credentials, off, block 2: neither a result file nor"},
		{"an unusable input", gain, func(d source.Dataset) source.Dataset {
			d.Problems = append(d.Problems, source.Problem{Window: 2, Text: "off-2.jtl is empty", NoData: true})
			return d
		}, nil, report.NoData, "client_credentials, on, block 2: off-2.jtl is empty"},
		{"an unusable source", gain, func(d source.Dataset) source.Dataset {
			d.Problems = append(d.Problems, source.Problem{Window: -1, Text: "the server answers 503", NoData: true})
			return d
		}, nil, report.NoData, "the server answers 503"},
		{"nothing but warm-up", gain, nil, func(o *study.Options) { o.Warmup = time.Hour }, report.NoData, "not longer than its warm-up"},
		{"a counter reset", gain, func(d source.Dataset) source.Dataset {
			d = counted(d)
			s := d.Runs[0].Series[source.EndpointRequests]
			s.Resets = 1
			d.Runs[0].Series[source.EndpointRequests] = s
			return d
		}, nil, report.Inconclusive, "was reset once"},
		{"errors unknown", gain, func(d source.Dataset) source.Dataset {
			d = counted(d)
			delete(d.Runs[0].Series, source.EndpointErrors)
			return d
		}, nil, report.Inconclusive, "how much the error share rises is unknown"},
		{"a window without a success", loss, func(d source.Dataset) source.Dataset {
			for i := range d.Runs[1].Requests.Seconds {
				s := &d.Runs[1].Requests.Seconds[i]
				s.Successes, s.Errors = 0, s.Successes
			}
			return d
		}, nil, report.Inconclusive, "no interval can be given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, o := pairs("client_credentials", c.ratios...), options()
			d = noisyOne(d)
			if c.change != nil {
				d = c.change(d)
			}
			if c.options != nil {
				c.options(&o)
			}
			r := study.Run(d, o)
			if len(r.Grants) != 1 || r.Grants[0].Verdict != c.want || r.Verdict != c.want {
				t.Fatalf("%s, %+v; want %s", r.Verdict, r.Grants, c.want)
			}
			if !strings.Contains(r.Grants[0].Why, c.why) {
				t.Errorf("why = %q, want %q in it", r.Grants[0].Why, c.why)
			}
		})
	}
}

// noisyOne gives single pairs spread within the window; several pairs have
// theirs between windows.
func noisyOne(d source.Dataset) source.Dataset {
	if len(d.Runs) == 2 {
		return noisy(d, 1)
	}
	return d
}

func with(f func(source.Dataset, source.Mode, ...uint64) source.Dataset, mode source.Mode, n ...uint64) change {
	return func(d source.Dataset) source.Dataset { return f(d, mode, n...) }
}

// Overall, FAIL outweighs NO DATA, NO DATA outweighs INCONCLUSIVE, and PASS
// takes every grant.
func TestOverallVerdictAndExitCode(t *testing.T) {
	pass := pairs("client_credentials", 0.20, 0.22, 0.21, 0.19)
	fail := pairs("password", -0.20, -0.22, -0.21, -0.19)
	open := pairs("refresh_token", 0.2, -0.2, 0.1, -0.1)
	none := pairs("authorization_code", 0.20, 0.22, 0.21, 0.19)
	none.Runs = none.Runs[:7]
	all := study.Defaults().FailOn
	for _, c := range []struct {
		name   string
		d      source.Dataset
		failOn []string
		want   report.Verdict
		exit   int
	}{
		{"all pass", pass, all, report.Pass, study.ExitPass},
		{"one open", join(pass, open), all, report.Inconclusive, study.ExitInconclusive},
		{"one without data", join(pass, open, none), all, report.NoData, study.ExitNoData},
		{"one fails", join(pass, open, none, fail), all, report.Fail, study.ExitFail},
		{"nothing", source.Dataset{}, all, report.NoData, study.ExitNoData},
		{"nothing asked", join(fail, none), nil, report.Fail, study.ExitPass},
		{"only no data asked, and there", join(fail, none), []string{"nodata"}, report.Fail, study.ExitNoData},
		{"only no data asked, not there", join(fail, open), []string{"nodata"}, report.Fail, study.ExitPass},
		{"nothing, only no data asked", source.Dataset{}, []string{"nodata"}, report.NoData, study.ExitNoData},
		{"reference", pairs("client_credentials", 0.60, 0.61, 0.59, 0.60), []string{"reference"}, report.Pass, study.ExitReference},
		{"reference not asked", pairs("client_credentials", 0.60, 0.61, 0.59, 0.60), all, report.Pass, study.ExitPass},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options()
			o.FailOn = c.failOn
			r := study.Run(c.d, o)
			if r.Verdict != c.want || r.ExitCode != c.exit {
				t.Errorf("%s, exit %d; want %s, exit %d (%+v)", r.Verdict, r.ExitCode, c.want, c.exit, r.Grants)
			}
		})
	}
}

// Holm makes the same evidence weaker in larger company: a one-sided p of 0.0060
// fails a grant with three others (0.024), not with four (0.030).
func TestHolmOverGrants(t *testing.T) {
	d := pairs("password", lossWithP(t, 0.0060)...)
	for others, want := range map[int]report.Verdict{0: report.Fail, 3: report.Fail, 4: report.Inconclusive} {
		all := d
		for i := range others {
			all = join(all, pairs("grant_"+string(rune('a'+i)), 0.20, 0.22, 0.21, 0.19))
		}
		r := study.Run(all, options())
		if got := r.Grants[len(r.Grants)-1]; got.Grant != "password" || got.Verdict != want {
			t.Errorf("with %d others: %+v, want %s", others, got, want)
		}
	}
}

// lossWithP are four log ratios for which "the loss is at most 5 %" has the
// one-sided p-value p, found by shifting them.
func lossWithP(t *testing.T, p float64) []float64 {
	t.Helper()
	shifted := func(by float64) []float64 { return []float64{by + 0.01, by - 0.01, by + 0.012, by - 0.012} }
	lo, hi := -0.5, math.Log(0.95)
	for range 60 {
		middle := (lo + hi) / 2
		e, err := stats.MeanT(shifted(middle), 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if e.P(math.Log(0.95), stats.Less) > p {
			hi = middle
		} else {
			lo = middle
		}
	}
	return shifted(lo)
}
