package projection

import (
	"fmt"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// notes are what weakens the numbers of one grant.
func notes(on, off mode) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch fewest := min(len(on.samples), len(off.samples)); {
	case fewest < 2:
		add("one run of a mode: there is no interval, and how far another run would be off is unknown")
	case fewest < fewRuns:
		add("%d runs of a mode: the interval is wide because so few runs say little, measure at least %d", fewest, fewRuns)
	}
	for _, c := range []struct {
		name string
		mode mode
	}{{"on", on}, {"off", off}} {
		if c.mode.left > 0 {
			add("persistence %s: %d of %d runs lack a CPU or a response time and are left out", c.name, c.mode.left, c.mode.left+len(c.mode.samples))
		}
		if c.mode.delayHi-c.mode.delayLo > vague*c.mode.response {
			add("persistence %s: the CPUs are so busy that the runs hardly tell how much time passes outside them (%.3g to %.3g ms); between the throughput shown and the one with no time outside, anything is possible", c.name, 1000*c.mode.delayLo, 1000*c.mode.delayHi)
		}
		if share := c.mode.centre.delay / c.mode.response; share > mostDelay {
			add("persistence %s: %.0f %% of the response time passes outside both CPUs; if that is a queue (connection pool, locks, disk), more vCPUs give less than shown", c.name, 100*share)
		}
	}
	return out
}

// between warns where the delay decides the projection although the CPUs were
// nearly busy: how much of the rest was waiting elsewhere is then a guess.
func between(name string, m mode, projected *report.ProjectedMode, h report.Hardware) []string {
	busy := queueing.Utilisation(m.throughput, m.centre.apim, h.APIManagerVCPUs)
	if m.database {
		busy = max(busy, queueing.Utilisation(m.throughput, m.centre.database, h.DatabaseVCPUs))
	}
	shown, free := projected.Throughput.Estimate, projected.WithoutDelay
	if busy < nearlyBusy || shown == nil || free == nil || *free < *shown*decisive {
		return nil
	}
	return []string{fmt.Sprintf("persistence %s: of CPUs that are %.0f %% busy the model reads the rest as waiting elsewhere; if it is not (uneven load, garbage collection), the truth lies between %s and %s tokens/s",
		name, 100*busy, short(*shown), short(*free))}
}

const (
	nearlyBusy = 0.8 // of the busier CPU, in the measured runs
	decisive   = 1.1 // throughput without delay over throughput with it

	fewRuns   = 4   // runs of each mode, as for a verdict
	mostDelay = 0.5 // of the response time that may be unexplained without a note
	vague     = 0.3 // of the response time, as the width of what the delay may be
)

// assumptions say in words what the numbers rest on.
func assumptions(p report.Projection, known facts) []string {
	out := []string{
		"The service demand of a token, CPU time per token, stays what it was measured to be, so the added vCPUs are as fast as the present ones. A vCPU counts as a server of its own; two threads of one core are less than two.",
		"The work spreads over all vCPUs: no lock, connection pool or thread pool limits them before they are busy.",
		"The time outside the CPUs is a delay: the same for every token, however many are asked for at once. It is what the measured response time leaves when the model's time at the CPUs is taken away, so the back-cast tests whether users, think time, response time and throughput agree, and whether the CPUs fit in; it does not test the delay. Busy CPUs hide it: \"no time outside\" shows what it matters.",
		"Users of one grant alone, each asking for the next token when the last has come" + think(p.Measured) + ".",
		"Requests share the CPUs evenly, or queue for them with exponential service times: a closed network of product form, solved by convolution.",
	}
	if known.noDatabase {
		out = append(out, "The database's CPU or number of vCPUs is unknown for at least one grant: its time is part of the delay there, and it can never become the bottleneck.")
	}
	for _, c := range []struct{ origin, text string }{
		{byMedian, "The report holds no mean response time, so the median stands for it."},
		{byLittle, "The report holds no response time, so it is users / throughput less think time: then the back-cast tests only that the CPUs fit into it."},
	} {
		if known.responses[c.origin] {
			out = append(out, c.text)
		}
	}
	if known.intervals {
		out = append(out, fmt.Sprintf("Intervals: 95 %%, %d draws from Student's t over runs for demands and delay together, seed %d. They hold what differs between runs, and nothing of what the model gets wrong.", p.Draws, p.Seed))
	}
	if known.projected {
		out = append(out, "Bounds: asymptotic, from the same demands without a word about distributions above; below, every token finds all others before it.")
	}
	return out
}

func think(h report.Hardware) string {
	if h.ThinkSeconds > 0 {
		return fmt.Sprintf(" and %g s have passed", h.ThinkSeconds)
	}
	return ", without a pause"
}
