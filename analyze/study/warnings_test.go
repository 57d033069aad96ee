package study_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// sound is an experiment that nothing warns of: four pairs with every CPU.
func sound() source.Dataset {
	d := pairs("password", 0.2, 0.22, 0.19, 0.21)
	for _, r := range d.Runs {
		for _, s := range []string{source.APIManagerCPU, source.DatabaseCPU, source.LoadGeneratorCPU} {
			points(r, s, 5*time.Second, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
		}
	}
	return d
}

// Every warning appears where it belongs, and only when its cause is there.
func TestWarnings(t *testing.T) {
	foreign := 0.5
	inThroughput := func(r report.Report) []report.Warning { return comparison(r, "password", "throughput").Warnings }
	inAPIM := func(r report.Report) []report.Warning { return comparison(r, "password", "apim_cpu").Warnings }
	inDatabase := func(r report.Report) []report.Warning { return comparison(r, "password", "database_cpu").Warnings }
	inCost := func(r report.Report) []report.Warning { return comparison(r, "password", "apim_core_ms").Warnings }
	inWindow := func(r report.Report) []report.Warning { return r.Diagnostics[0].Warnings }
	inReport := func(r report.Report) []report.Warning { return r.Warnings }
	for _, c := range []struct {
		id    string
		where func(report.Report) []report.Warning
		cause func(d *source.Dataset, o *study.Options)
	}{
		{"few-pairs", inThroughput, func(d *source.Dataset, _ *study.Options) { d.Runs = d.Runs[:6] }},
		{"few-runs", inThroughput, func(d *source.Dataset, _ *study.Options) { *d = unpaired(*d); d.Runs = d.Runs[:6] }},
		{"one-run", inThroughput, func(d *source.Dataset, _ *study.Options) { d.Runs = d.Runs[:2] }},
		{"mixed-blocks", inThroughput, func(d *source.Dataset, _ *study.Options) { d.Runs[7].Window.Block = 0 }},
		{"order", inThroughput, func(d *source.Dataset, _ *study.Options) {
			for i := range d.Runs {
				if d.Runs[i].Window.Mode == source.Off {
					d.Runs[i].Window.Start = d.Runs[i].Window.Start.Add(2 * time.Minute)
					d.Runs[i].Window.End = d.Runs[i].Window.End.Add(2 * time.Minute)
				}
			}
		}},
		{"unequal-windows", inThroughput, func(d *source.Dataset, _ *study.Options) {
			d.Runs[0].Window.End = d.Runs[0].Window.End.Add(-6 * time.Second)
		}},
		{"rate", inThroughput, func(_ *source.Dataset, o *study.Options) { o.Load = study.RateLoad }},
		{"counter", inThroughput, func(d *source.Dataset, _ *study.Options) {
			*d = counted(*d)
			s := d.Runs[0].Series[source.EndpointRequests]
			s.Resets = 2
			d.Runs[0].Series[source.EndpointRequests] = s
		}},
		{"counter", inWindow, func(d *source.Dataset, _ *study.Options) {
			*d = counted(*d)
			s := d.Runs[0].Series[source.EndpointRequests]
			s.Intervals = s.Intervals[:4]
			d.Runs[0].Series[source.EndpointRequests] = s
		}},
		{"load-generator", inThroughput, func(d *source.Dataset, _ *study.Options) {
			points(d.Runs[0], source.LoadGeneratorCPU, 5*time.Second, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)
		}},
		{"foreign-cpu", inThroughput, func(d *source.Dataset, _ *study.Options) { d.Runs[0].Window.ForeignCPU = &foreign }},
		{"foreign-cpu", inWindow, func(d *source.Dataset, _ *study.Options) { d.Runs[0].Window.ForeignCPU = &foreign }},
		{"autocorrelation", inWindow, func(d *source.Dataset, _ *study.Options) {
			for i := range d.Runs[0].Requests.Seconds {
				d.Runs[0].Requests.Seconds[i].Successes += uint64(10 * i)
			}
		}},
		{"saturation", inAPIM, func(d *source.Dataset, _ *study.Options) {
			points(d.Runs[0], source.APIManagerCPU, 5*time.Second, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97)
		}},
		{"few-points", inDatabase, func(d *source.Dataset, _ *study.Options) {
			points(d.Runs[0], source.DatabaseCPU, 10*time.Second, 0.5, 0.5, 0.5, 0.5)
		}},
		{"missing-data", inDatabase, func(d *source.Dataset, _ *study.Options) {
			s := d.Runs[0].Series[source.DatabaseCPU]
			s.Points = slices.Delete(slices.Clone(s.Points), 3, 5)
			d.Runs[0].Series[source.DatabaseCPU] = s
		}},
		{"missing-data", inDatabase, func(d *source.Dataset, _ *study.Options) { delete(d.Runs[0].Series, source.DatabaseCPU) }},
		{"ambiguous", inDatabase, func(d *source.Dataset, _ *study.Options) {
			d.Problems = append(d.Problems, source.Problem{Window: 0, Series: source.DatabaseCPU, Text: "2 series match", Warning: "ambiguous"})
		}},
		{"bad-rows", inThroughput, func(d *source.Dataset, _ *study.Options) {
			d.Problems = append(d.Problems, source.Problem{Window: 0, Text: "1 of 9 rows", Warning: "bad-rows"})
		}},
		{"bad-rows", inWindow, func(d *source.Dataset, _ *study.Options) {
			d.Problems = append(d.Problems, source.Problem{Window: 0, Text: "1 of 9 rows", Warning: "bad-rows"})
		}},
		{"missing-data", inReport, func(d *source.Dataset, _ *study.Options) {
			d.Problems = append(d.Problems, source.Problem{Window: -1, Series: source.DatabaseIOPS, Text: "no samples in any window"})
		}},
		{"apim-cores", inReport, func(_ *source.Dataset, o *study.Options) { o.Environment.APIManager.VCPUs = 0 }},
		{"counter", inAPIM, func(d *source.Dataset, _ *study.Options) {
			s := d.Runs[0].Series[source.APIManagerCPU]
			s.Resets = 8
			d.Runs[0].Series[source.APIManagerCPU] = s
		}},
		{"apim-cores", inAPIM, func(_ *source.Dataset, o *study.Options) { o.Environment.APIManager.VCPUs = 0 }},
		{"range-step", inDatabase, func(d *source.Dataset, _ *study.Options) {
			d.Problems = append(d.Problems, source.Problem{Window: -1, Series: source.DatabaseCPU, Text: "neighbours share samples", Warning: "range-step"})
		}},
		{"nodes", inAPIM, func(_ *source.Dataset, o *study.Options) { o.Environment.APIManager.Nodes = 2 }},
		{"nodes", inDatabase, func(_ *source.Dataset, o *study.Options) { o.Environment.Database.Nodes = 2 }},
		{"other-requests", inCost, func(d *source.Dataset, _ *study.Options) { d.Runs[0].Requests.Rows += 5000 }},
		{"aliasing", inDatabase, func(d *source.Dataset, _ *study.Options) {
			for i := range d.Runs[0].Requests.Seconds {
				d.Runs[0].Requests.Seconds[i].Successes += uint64(2000 * (i % 5 / 4))
			}
		}},
		{"carry-over", inThroughput, func(d *source.Dataset, _ *study.Options) {
			for i, r := range d.Runs {
				for j := range r.Requests.Seconds {
					if s := &r.Requests.Seconds[j]; r.Window.Mode == source.On {
						s.Successes = uint64(float64(s.Successes) * (1 - 0.03*float64(i)))
					}
				}
			}
		}},
		{"database-cores", inReport, func(_ *source.Dataset, o *study.Options) { o.Environment.Database.VCPUs = 0 }},
		{"database-cores", inReport, func(_ *source.Dataset, o *study.Options) {
			o.Environment.Database = report.Host{Instance: "db.m5.2xlarge", VCPUs: 4}
		}},
	} {
		t.Run(c.id, func(t *testing.T) {
			d, o := sound(), options()
			if r := study.Run(d, o); warned(c.where(r), c.id) {
				t.Fatalf("warned without a cause: %+v", c.where(r))
			}
			c.cause(&d, &o)
			if r := study.Run(d, o); !warned(c.where(r), c.id) {
				t.Errorf("no warning: %+v", c.where(r))
			}
		})
	}
}

// Under a closed loop latency is not a second piece of evidence.
func TestClosedLoopIsSaid(t *testing.T) {
	o := options()
	if r := study.Run(pairs("password", 0.2), o); !warned(r.Warnings, "closed-loop") {
		t.Errorf("%+v", r.Warnings)
	}
	o.Load = study.RateLoad
	if r := study.Run(pairs("password", 0.2), o); warned(r.Warnings, "closed-loop") {
		t.Errorf("%+v", r.Warnings)
	}
}

// A trend is not a cycle, and a slowdown of both modes is no carry-over.
func TestNoWarningWithoutItsCause(t *testing.T) {
	d := pairs("password", 0.2, 0.22, 0.19, 0.21)
	for i, r := range d.Runs {
		points(r, source.DatabaseCPU, 5*time.Second, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
		for j := range r.Requests.Seconds {
			s := &r.Requests.Seconds[j]
			s.Successes = uint64(float64(s.Successes+uint64(50*j)) * (1 - 0.03*float64(i)))
		}
	}
	r := study.Run(d, options())
	if w := comparison(r, "password", "database_cpu").Warnings; warned(w, "aliasing") {
		t.Errorf("aliasing: %+v", w)
	}
	if w := comparison(r, "password", "throughput").Warnings; warned(w, "carry-over") {
		t.Errorf("carry-over: %+v", w)
	}
}

// N = X(R+Z): 5000 tokens/s of 101.98 ms each keep 509.9 users busy.
func TestUsers(t *testing.T) {
	for _, c := range []struct {
		users int
		load  string
		want  bool
		text  string
	}{
		{510, study.ClosedLoad, false, ""},
		{490, study.ClosedLoad, false, ""},
		{535, study.ClosedLoad, false, ""},
		{480, study.ClosedLoad, true, "accounts for 509.9 users, 480 are declared: there were more"},
		{600, study.ClosedLoad, true, "accounts for 509.9 of 600 users: the others paused between requests or the load generator stalled"},
		{600, study.RateLoad, false, ""},
		{0, study.ClosedLoad, false, ""},
	} {
		o := options()
		o.Environment.Users, o.Load = c.users, c.load
		r := study.Run(pairs("password", 0), o)
		for where, warnings := range map[string][]report.Warning{
			"the comparison": comparison(r, "password", "throughput").Warnings,
			"the window":     r.Diagnostics[0].Warnings,
		} {
			i := slices.IndexFunc(warnings, func(w report.Warning) bool { return w.ID == "users" })
			if (i >= 0) != c.want || i >= 0 && !strings.Contains(warnings[i].Text, c.text) {
				t.Errorf("%d users, load: %s: %s has %+v", c.users, c.load, where, warnings)
			}
		}
		if got := r.Diagnostics[0].InFlight; got == nil || math.Abs(*got-509.9) > 1e-9 {
			t.Errorf("%v in flight", got)
		}
	}
	o := options()
	o.Environment.Users = 600
	d := failures(pairs("password", 0), source.On, 900)
	d.Runs[0].Requests.FailedMS = 900 * 3000 // 90 users waited for a timeout of 3 s
	if r := study.Run(d, o).Diagnostics[0]; math.Abs(*r.InFlight-599.9) > 1e-9 || warned(r.Warnings, "users") {
		t.Errorf("%v in flight, %+v", *r.InFlight, r.Warnings)
	}
}
