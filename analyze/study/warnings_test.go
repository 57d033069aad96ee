package study_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// Every warning appears where it belongs, and only when its cause is there.
func TestWarnings(t *testing.T) {
	clean := func() source.Dataset {
		d := pairs("password", 0.2, 0.22, 0.19, 0.21)
		for _, r := range d.Runs {
			for _, s := range []string{source.APIManagerCPU, source.DatabaseCPU, source.LoadGeneratorCPU} {
				points(r, s, 5*time.Second, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
			}
		}
		return d
	}
	foreign := 0.5
	inThroughput := func(r report.Report) []report.Warning { return comparison(r, "password", "throughput").Warnings }
	inAPIM := func(r report.Report) []report.Warning { return comparison(r, "password", "apim_cpu").Warnings }
	inDatabase := func(r report.Report) []report.Warning { return comparison(r, "password", "database_cpu").Warnings }
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
		{"database-cores", inReport, func(_ *source.Dataset, o *study.Options) { o.Environment.Database.VCPUs = 0 }},
		{"database-cores", inReport, func(_ *source.Dataset, o *study.Options) {
			o.Environment.Database = report.Host{Instance: "db.m5.2xlarge", VCPUs: 4}
		}},
	} {
		t.Run(c.id, func(t *testing.T) {
			d, o := clean(), options()
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
