package study_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// Every point of a distribution holds for the requests of all windows of the
// mode, there are at most 100, and the common percentiles are among them.
func TestLatencies(t *testing.T) {
	d := pairs("password", 0.1, 0.12)
	random := rand.New(rand.NewPCG(5, 7))
	all := map[string][]float64{}
	for i := range d.Runs {
		r := &d.Runs[i]
		r.Requests.ElapsedMS = nil
		for range 3000 {
			ms := int(20 * math.Exp(random.NormFloat64()))
			for len(r.Requests.ElapsedMS) <= ms {
				r.Requests.ElapsedMS = append(r.Requests.ElapsedMS, 0)
			}
			r.Requests.ElapsedMS[ms]++
			all[string(r.Window.Mode)] = append(all[string(r.Window.Mode)], float64(ms))
		}
	}
	got := study.Run(d, options()).Latencies
	if len(got) != 2 || got[0].Persistence != "on" || got[1].Persistence != "off" {
		t.Fatalf("%+v", got)
	}
	for _, l := range got {
		values := all[l.Persistence]
		slices.Sort(values)
		if l.Grant != "password" || l.Windows != 2 || l.Requests != 6000 || len(l.Shares) > 100 || len(l.Shares) != len(l.Milliseconds) {
			t.Errorf("%s %s: %d windows, %d requests, %d points", l.Grant, l.Persistence, l.Windows, l.Requests, len(l.Shares))
		}
		for i, share := range l.Shares {
			n := 0
			for _, v := range values {
				if v <= l.Milliseconds[i] {
					n++
				}
			}
			if want := float64(n) / float64(len(values)); share != want {
				t.Errorf("%s: %g of the requests within %g ms, want %g", l.Persistence, share, l.Milliseconds[i], want)
			}
			if i > 0 && !(share > l.Shares[i-1] && l.Milliseconds[i] > l.Milliseconds[i-1]) {
				t.Errorf("%s: point %d does not rise", l.Persistence, i)
			}
		}
		for _, p := range []float64{0.5, 0.95, 0.99, 1} {
			i := slices.IndexFunc(l.Shares, func(s float64) bool { return s >= p })
			if want := values[int(math.Ceil(p*6000))-1]; i < 0 || l.Milliseconds[i] != want {
				t.Errorf("%s: %g of the requests take until point %d, want %g ms", l.Persistence, p, i, want)
			}
		}
		if l.Milliseconds[0] != values[0] {
			t.Errorf("%s: the fastest request took %g ms, not %g", l.Persistence, values[0], l.Milliseconds[0])
		}
	}
}

// Without result files there is no distribution, and one value is one point.
func TestLatenciesAtTheEdge(t *testing.T) {
	if got := study.Run(counted(pairs("password", 0.1)), options()).Latencies; len(got) != 0 {
		t.Errorf("%+v", got)
	}
	d := pairs("password", 0.1)
	for i := range d.Runs {
		d.Runs[i].Requests.ElapsedMS = []uint64{0, 0, 7}
	}
	for _, l := range study.Run(d, options()).Latencies {
		if !slices.Equal(l.Shares, []float64{1}) || !slices.Equal(l.Milliseconds, []float64{2}) {
			t.Errorf("%+v", l)
		}
	}
}

// A window's CPU stands beside its throughput, and is absent where it is unknown.
func TestUsageOfWindows(t *testing.T) {
	d := pairs("password", 0.1)
	points(d.Runs[0], source.APIManagerCPU, 10e9, 0.1, 0.6, 0.7, 0.8)
	for _, c := range study.Run(d, options()).Diagnostics {
		var want report.Number
		if c.Persistence == "on" {
			mean := (0.6 + 0.7 + 0.8) / 3
			want = &mean
		}
		if c.DatabaseCPU != nil || (c.APIManagerCPU == nil) != (want == nil) || want != nil && math.Abs(*c.APIManagerCPU-*want) > 1e-12 {
			t.Errorf("%s: API Manager %v, database %v", c.Persistence, c.APIManagerCPU, c.DatabaseCPU)
		}
	}
}
