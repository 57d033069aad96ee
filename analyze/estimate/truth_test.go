package estimate

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// TestTruthInside draws a truth within the assumptions, computes by the model's
// own words what a run without persistence would then measure, and finds it in
// the range; a truth outside of them is reported as such.
func TestTruthInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := clientCredentials()
		if rapid.Bool().Draw(t, "refreshes") {
			p = withRefreshes(p)
		}
		p.CPUMeasured = rapid.Bool().Draw(t, "cpu")
		m := newModel(p)
		all, err := assumptions(m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		v := values{}
		for _, a := range all {
			v[a.Name] = a.Lo + (a.Hi-a.Lo)*rapid.Float64Range(0, 1).Draw(t, a.Name)
		}
		o := m.at(v)
		x := o.capacityOff
		off := Measured{
			Runs: 4, Throughput: report.Interval{Estimate: num(x)},
			APIManagerCoreMS: report.Interval{Estimate: num(o.apimOff)},
			DatabaseCoreMS:   report.Interval{Estimate: num(o.perToken + o.fixedDatabase/x)},
			Ratio:            report.Interval{Estimate: num(o.capacityOff / o.capacityOn)},
		}
		truth := Truth(p, Options{}, off)
		for _, c := range truth.Checks {
			if c.What != "capacity by measured CPU" && c.Result != "inside" {
				t.Errorf("%s: %v is %s of %v to %v", c.What, *c.Measured.Estimate, c.Result, *c.Estimated.Lo, *c.Estimated.Hi)
			}
		}
		off.APIManagerCoreMS.Estimate = num(100)
		if got := Truth(p, Options{}, off).Checks[0].Result; got != "above" {
			t.Errorf("100 core-ms are %s", got)
		}
	})
}

// TestMonotone: each assumption moves the answer in one direction, so that the
// corners hold the extremes.
func TestMonotone(t *testing.T) {
	for _, cpu := range []bool{true, false} {
		p := withRefreshes(clientCredentials())
		p.CPUMeasured = cpu
		m := newModel(p)
		all, err := assumptions(m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			last, direction := 0.0, 0
			for i := range 21 {
				v := middles(all)
				v[a.Name] = a.Lo + (a.Hi-a.Lo)*float64(i)/20
				o := m.at(v)
				r := o.databaseOff
				now := 0
				switch {
				case i > 0 && r > last+1e-12:
					now = 1
				case i > 0 && r < last-1e-12:
					now = -1
				}
				if now != 0 && direction != 0 && now != direction {
					t.Errorf("CPU %t: %s turns at step %d", cpu, a.Name, i)
				}
				if now != 0 {
					direction = now
				}
				last = r
			}
		}
	}
}
