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
			Ratio:            report.Interval{Estimate: num(o.capacityOff / m.x)},
		}
		truth := Truth(p, Options{}, off)
		for _, c := range truth.Checks {
			if c.What != "capacity by measured CPU" && c.Result != "inside" {
				t.Errorf("%s: %v is %s of %v to %v", c.What, *c.Measured.Estimate, c.Result, *c.Estimated.Lo, *c.Estimated.Hi)
			}
		}
	})
}

// TestTruthOutside says on which side of its range a measurement fell.
func TestTruthOutside(t *testing.T) {
	for _, c := range []struct {
		ms   float64
		want string
	}{{100, "above"}, {0.1, "below"}, {3.6, "inside"}} {
		off := Measured{Throughput: report.Interval{Estimate: num(100)}, APIManagerCoreMS: report.Interval{Estimate: num(c.ms)}}
		if got := Truth(clientCredentials(), Options{}, off).Checks[0].Result; got != c.want {
			t.Errorf("%g core-ms are %s, want %s", c.ms, got, c.want)
		}
	}
	p := clientCredentials()
	p.Readings = 0
	if Truth(p, Options{}, Measured{}) != nil {
		t.Error("a refused estimate was held against something")
	}
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
