package windows_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// TestWarmup: windows that take a minute to settle ask for more than a fifth.
func TestWarmup(t *testing.T) {
	var loads []load
	for range 2 {
		for i := range 18 {
			loads = append(loads, load{5, 400 * (1 - 0.6*math.Exp(-float64(i)/6)), 1, "password", false})
		}
		loads = append(loads, load{260, 400, 1, "password", false}, load{seconds: 60})
	}
	quiet := usual
	quiet.cv = 0.005
	p := propose(t, quiet.record(loads...), usualOptions)
	if len(p.Windows) != 2 || p.WarmupSeconds < 70 || p.WarmupSeconds > 175 || !strings.Contains(p.WarmupWhy, "what MSER-5 finds in three of four windows") {
		t.Errorf("%d windows, a warm-up of %g s: %s", len(p.Windows), p.WarmupSeconds, p.WarmupWhy)
	}
}

// TestSteps: scrapes can be joined, and what cannot be had is said.
func TestSteps(t *testing.T) {
	o := usualOptions
	o.Step = 20 * time.Second
	p := propose(t, usual.record(load{300, 400, 1, "password", false}, load{seconds: 60}, load{300, 400, 0, "password", false}), o)
	if p.StepSeconds != 20 || len(p.Windows) != 2 {
		t.Errorf("cells of %g s, %d windows", p.StepSeconds, len(p.Windows))
	}
	o.Step = time.Second
	p = propose(t, usual.record(load{300, 400, 1, "password", false}), o)
	if len(p.Notes) == 0 || !strings.Contains(p.Notes[0], "--step 1s is shorter than the scrapes are apart (5s)") {
		t.Errorf("notes %q", p.Notes)
	}
}

// TestSteadiness: what moves within a window is said.
func TestSteadiness(t *testing.T) {
	p := propose(t, usual.record(load{400, 400, 1, "password", false}, load{400, 440, 1, "password", false}), usualOptions)
	if len(p.Windows) != 1 || p.Windows[0].CV == nil || !told(p.Windows[0].Notes, "throughput steps from") {
		t.Errorf("%s", shown(p))
	}
	r := usual.record(load{300, 400, 1, "password", false})
	s := r.Series[source.EndpointErrors]
	for i := range s.Intervals {
		s.Intervals[i].Increase = 100
	}
	p = propose(t, r, usualOptions)
	if w := p.Windows[0]; math.Abs(w.ErrorShare-0.0476) > 0.002 || !strings.Contains(w.Notes[0], "of its requests failed") {
		t.Errorf("%s", shown(p))
	}
}
