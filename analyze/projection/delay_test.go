package projection_test

import (
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/projection"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// answers gives every mode a distribution of response times in which one in a
// hundred answers takes less than ms.
func answers(r *report.Report, ms float64) {
	for _, mode := range []string{"on", "off"} {
		r.Latencies = append(r.Latencies, report.Latency{
			Grant: r.Comparisons[0].Grant, Persistence: mode, Requests: 1000,
			Shares: []float64{0.001, 0.011, 0.5, 1}, Milliseconds: []float64{ms / 2, ms, 3 * ms, 9 * ms},
		})
	}
}

// A saturated API Manager hides the delay: any from nothing to the fitted one
// gives back what was measured, and the interval says so.
func TestSaturationHidesTheDelay(t *testing.T) {
	g := project(t, experiment(t, 5, noise{own: 0.01}, 3), projection.Options{APIManagerVCPUs: 16})
	for name, m := range map[string]*report.ProjectedMode{"on": g.On, "off": g.Off} {
		if *m.Delay.Lo > 0.5**m.Delay.Hi {
			t.Errorf("%s: delay %v to %v ms: the model cannot tell them apart", name, *m.Delay.Lo, *m.Delay.Hi)
		}
		if *m.Throughput.Hi < *m.WithoutDelay*0.9 && *m.Delay.Lo == 0 {
			t.Errorf("%s: at most %v tokens/s, without a delay %v", name, *m.Throughput.Hi, *m.WithoutDelay)
		}
	}
	if text := strings.Join(g.Notes, "\n"); !strings.Contains(text, "persistence off: the CPUs are so busy") {
		t.Errorf("no note about the delay:\n%s", text)
	}
}

// The fastest answers had to wait for the delay as well.
func TestFastAnswersBoundTheDelay(t *testing.T) {
	r := experiment(t, 5, noise{own: 0.01}, 3)
	free := project(t, r, projection.Options{APIManagerVCPUs: 16})
	answers(&r, 12)
	bound := project(t, r, projection.Options{APIManagerVCPUs: 16})
	if got := *bound.Off.Delay.Hi; got != 12 {
		t.Errorf("a delay of up to %v ms, and one in a hundred answers took 12", got)
	}
	if *bound.Off.Throughput.Lo <= *free.Off.Throughput.Lo {
		t.Errorf("the bound does not raise the least throughput: %v, without it %v", *bound.Off.Throughput.Lo, *free.Off.Throughput.Lo)
	}
	if !(*bound.RatioProjected.Lo < *bound.RatioProjected.Estimate && *bound.RatioProjected.Estimate < *bound.RatioProjected.Hi) {
		t.Errorf("ratio %v not inside %v to %v", *bound.RatioProjected.Estimate, *bound.RatioProjected.Lo, *bound.RatioProjected.Hi)
	}
}

// Where the CPUs cannot explain the response time, the delay is known well; if
// answers are faster than it, a part of it is a queue.
func TestAQueueIsNoDelay(t *testing.T) {
	r := experiment(t, 0, noise{}, 3)
	waiting := systemOn
	waiting.delay = 0.4
	for block := 1; block <= 5; block++ {
		addRun(&r, false, block, waiting.run(t, rig))
		addRun(&r, true, block, systemOff.run(t, rig))
	}
	answers(&r, 40)
	g := project(t, r, projection.Options{APIManagerVCPUs: 16})
	if *g.On.Delay.Lo < 300 || *g.On.Delay.Hi < *g.On.Delay.Lo {
		t.Errorf("a delay of 400 ms is given as %v to %v", *g.On.Delay.Lo, *g.On.Delay.Hi)
	}
	if text := strings.Join(g.Notes, "\n"); !strings.Contains(text, "persistence on: one in a hundred answers took less than 40 ms") {
		t.Errorf("no note about a queue:\n%s", text)
	}
}

// A load generator that would be full is named.
func TestLoadGeneratorIsNotInTheModel(t *testing.T) {
	r := experiment(t, 5, noise{own: 0.01}, 3)
	for i := range r.Diagnostics {
		r.Diagnostics[i].LoadCPU = number(0.7)
	}
	g := project(t, r, projection.Options{APIManagerVCPUs: 64, DatabaseVCPUs: 64})
	if text := strings.Join(g.Notes, "\n"); strings.Count(text, "the load generator was 70 % busy") != 2 {
		t.Errorf("the load generator is not named twice:\n%s", text)
	}
	same := project(t, r, projection.Options{Users: rig.Users})
	if text := strings.Join(same.Notes, "\n"); strings.Contains(text, "load generator") {
		t.Errorf("named without reason:\n%s", text)
	}
}
