package projection_test

import (
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/projection"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// The interval of the projected throughput and of off / on holds the truth as
// often as it says, within what so few experiments can tell: of 1,500 the shares
// are 0.971, 0.980 and 1: the intervals hold both ends of the delay.
func TestIntervalsHoldTheTruth(t *testing.T) {
	const (
		experiments = 80
		least, most = 0.86, 1.0
	)
	h := rig
	h.APIManagerVCPUs = 8
	on, off := systemOn.run(t, h).throughput, systemOff.run(t, h).throughput
	covered := map[string]int{}
	for seed := range uint64(experiments) {
		g := project(t, experiment(t, 5, noise{common: 0.02, own: 0.02}, seed), projection.Options{APIManagerVCPUs: 8, Seed: seed, Draws: 200})
		if g.Refused != "" {
			t.Fatal(g.Refused)
		}
		for name, c := range map[string]struct {
			i     report.Interval
			truth float64
		}{"on": {g.On.Throughput, on}, "off": {g.Off.Throughput, off}, "off / on": {g.RatioProjected, off / on}} {
			if *c.i.Lo <= c.truth && c.truth <= *c.i.Hi {
				covered[name]++
			}
		}
	}
	for _, name := range []string{"on", "off", "off / on"} {
		if share := float64(covered[name]) / experiments; share < least || share > most {
			t.Errorf("%s: %.3f of the intervals hold the truth, want %v to %v", name, share, least, most)
		}
	}
}

// What disturbs both modes of a block leaves their ratio alone, as long as the
// report says which runs belong together.
func TestBlocksKeepTheRatioNarrow(t *testing.T) {
	r := experiment(t, 6, noise{common: 0.10, own: 0.005}, 3)
	o := projection.Options{DatabaseVCPUs: 8, Seed: 1, Draws: 1000}
	paired := project(t, r, o).RatioProjected
	for i := range r.Comparisons {
		for _, side := range []*report.Side{&r.Comparisons[i].On, &r.Comparisons[i].Off} {
			for k := range side.Runs {
				side.Runs[k].Block = 0
			}
		}
	}
	for i := range r.Diagnostics {
		r.Diagnostics[i].Block = 0
	}
	unpaired := project(t, r, o).RatioProjected
	if a, b := *paired.Hi-*paired.Lo, *unpaired.Hi-*unpaired.Lo; a > b/2 {
		t.Errorf("off / on: %.3f wide in blocks, %.3f without", a, b)
	}
}

// One run has no interval and says so; two have one, however wide.
func TestFewRuns(t *testing.T) {
	one := project(t, experiment(t, 1, noise{own: 0.02}, 1), projection.Options{APIManagerVCPUs: 8})
	if one.On.Throughput.Estimate == nil || one.On.Throughput.Lo != nil || len(one.Notes) == 0 {
		t.Errorf("one run: %v, notes %q", one.On.Throughput, one.Notes)
	}
	two := project(t, experiment(t, 2, noise{own: 0.02}, 1), projection.Options{APIManagerVCPUs: 8})
	if two.On.Throughput.Lo == nil || *two.On.Throughput.Lo <= 0 || *two.On.Throughput.Lo >= *two.On.Throughput.Hi || len(two.Notes) == 0 {
		t.Errorf("two runs: %v, notes %q", two.On.Throughput, two.Notes)
	}
}
