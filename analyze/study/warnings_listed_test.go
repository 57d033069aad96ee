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

// The warnings that readers are promised: each stands beside the number it
// qualifies, at the top where it is about all of them, and says what to do.
func TestPromisedWarnings(t *testing.T) {
	for _, c := range []struct {
		cause, id, metric, do string
		make                  func(d *source.Dataset, o *study.Options)
	}{
		{"one run per side", "one-run", "throughput", "repeat in 4 or more pairs", func(d *source.Dataset, _ *study.Options) { d.Runs = d.Runs[:2] }},
		{"fewer than 4 pairs", "few-pairs", "throughput", "a verdict needs 4", func(d *source.Dataset, _ *study.Options) { d.Runs = d.Runs[:6] }},
		{"order not randomised", "order", "throughput", "randomise the order within blocks", func(d *source.Dataset, _ *study.Options) {
			for i := range d.Runs {
				if w := &d.Runs[i].Window; w.Mode == source.Off {
					w.Start, w.End = w.Start.Add(2*time.Minute), w.End.Add(2*time.Minute)
				}
			}
		}},
		{"lag-1 autocorrelation", "autocorrelation", "throughput", "trust intervals over runs only", func(d *source.Dataset, _ *study.Options) {
			d.Runs = d.Runs[:2]
			for i := range d.Runs[0].Requests.Seconds {
				d.Runs[0].Requests.Seconds[i].Successes += uint64(10 * i)
			}
		}},
		{"range > step", "range-step", "database_cpu", "leave step out", func(d *source.Dataset, _ *study.Options) {
			d.Problems = append(d.Problems, source.Problem{Window: -1, Series: source.DatabaseCPU, Text: "neighbouring values share samples: leave step out, or shorten the range", Warning: "range-step"})
		}},
		{"scrape aliasing", "aliasing", "database_cpu", "sample at another interval", func(d *source.Dataset, _ *study.Options) {
			for i := range d.Runs[0].Requests.Seconds {
				d.Runs[0].Requests.Seconds[i].Successes += uint64(2000 * (i % 5 / 4))
			}
		}},
		{"counter reset, requests", "counter", "throughput", "keep the exporter running", func(d *source.Dataset, _ *study.Options) {
			*d = counted(*d)
			s := d.Runs[0].Series[source.EndpointRequests]
			s.Resets = 1
			d.Runs[0].Series[source.EndpointRequests] = s
		}},
		{"counter reset, a host", "counter", "apim_cpu", "find out what was restarted", func(d *source.Dataset, _ *study.Options) {
			s := d.Runs[0].Series[source.APIManagerCPU]
			s.Resets = 1
			d.Runs[0].Series[source.APIManagerCPU] = s
		}},
		{"too few CloudWatch points", "few-points", "database_cpu", "measure longer or use a shorter period", func(d *source.Dataset, _ *study.Options) {
			points(d.Runs[0], source.DatabaseCPU, 10*time.Second, 0.5, 0.5, 0.5, 0.5)
		}},
		{"unequal windows", "unequal-windows", "throughput", "give them one length", func(d *source.Dataset, _ *study.Options) {
			d.Runs[0].Window.End = d.Runs[0].Window.End.Add(-6 * time.Second)
		}},
		{"closed loop", "closed-loop", "", "repeat it with load: rate", func(_ *source.Dataset, o *study.Options) { o.Load = study.ClosedLoad }},
		{"saturation", "saturation", "apim_cpu", "compare CPU per token, not CPU", func(d *source.Dataset, _ *study.Options) {
			points(d.Runs[0], source.APIManagerCPU, 5*time.Second, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.97)
		}},
		{"load generator > 80 % CPU", "load-generator", "throughput", "give it more cores", func(d *source.Dataset, _ *study.Options) {
			points(d.Runs[0], source.LoadGeneratorCPU, 5*time.Second, 0.81, 0.81, 0.81, 0.81, 0.81, 0.81, 0.81, 0.81)
		}},
		{"carry-over", "carry-over", "throughput", "restore the same table before each window", func(d *source.Dataset, _ *study.Options) {
			tokenRows(*d, 1e6, 1.2e6, 1.4e6, 1.6e6)
		}},
		{"missing data", "missing-data", "database_cpu", "look for scrapes or periods that failed", func(d *source.Dataset, _ *study.Options) {
			s := d.Runs[0].Series[source.DatabaseCPU]
			s.Points = slices.Delete(slices.Clone(s.Points), 3, 5)
			d.Runs[0].Series[source.DatabaseCPU] = s
		}},
		{"database core count unknown", "database-cores", "database_cpu", "set environment.database.vcpus", func(_ *source.Dataset, o *study.Options) { o.Environment.Database.VCPUs = 0 }},
		{"database core count of the published page", "database-cores", "database_cpu", "check environment.database.vcpus", func(_ *source.Dataset, o *study.Options) {
			o.Environment.Database = report.Host{Instance: "db.m5.2xlarge", VCPUs: 4}
		}},
	} {
		t.Run(c.cause, func(t *testing.T) {
			find := func(r report.Report) *report.Warning {
				all := r.Warnings
				if c.metric != "" {
					all = comparison(r, "password", c.metric).Warnings
				}
				if i := slices.IndexFunc(all, func(w report.Warning) bool { return w.ID == c.id }); i >= 0 {
					return &all[i]
				}
				return nil
			}
			d, o := sound(), options()
			if c.id == "closed-loop" {
				o.Load = study.RateLoad
			}
			if w := find(study.Run(d, o)); w != nil {
				t.Fatalf("warned without a cause: %+v", w)
			}
			c.make(&d, &o)
			if w := find(study.Run(d, o)); w == nil || !strings.Contains(w.Text, c.do) {
				t.Errorf("%+v, want %s with %q", w, c.id, c.do)
			}
		})
	}
}

// tokenRows gives the windows with persistence, in their order, so many rows in
// the token table.
func tokenRows(d source.Dataset, rows ...float64) {
	i := 0
	for _, r := range d.Runs {
		if r.Window.Mode == source.On {
			points(r, source.TokenRows, 5*time.Second, rows[i], rows[i]+1, rows[i]+2)
			i++
		}
	}
}
