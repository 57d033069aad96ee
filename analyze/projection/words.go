package projection

import (
	"fmt"

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
		if c.mode.queues() {
			add("persistence %s: one in a hundred answers took less than %s ms, and at least %s ms of an answer pass outside both CPUs: a part of that is a queue (locks, commits, a connection pool), which more vCPUs may not shorten", c.name, short(1000*c.mode.ceiling), short(1000*c.mode.shortest))
		} else if longest := c.mode.centre.delay; longest > decisive*c.mode.shortest && longest > marginal*c.mode.response {
			add("persistence %s: the CPUs are so busy that the time outside them may be anything from %s to %s ms; the estimates are for the longer, the intervals hold both", c.name, short(1000*c.mode.shortest), short(1000*longest))
		}
		if share := min(c.mode.shortest, c.mode.centre.delay) / c.mode.response; share > mostDelay {
			add("persistence %s: at least %.0f %% of the response time passes outside both CPUs; if that is a queue (connection pool, locks, disk), more vCPUs give less than shown", c.name, 100*share)
		}
	}
	return out
}

// generator warns where the load generator of the measured runs would be busier
// than it can be before the projected throughput is reached.
func generator(r report.Report, grant, name string, m mode, projected *report.ProjectedMode) []string {
	var busy []float64
	for _, d := range r.Diagnostics {
		if d.Grant == grant && d.Persistence == name && d.LoadCPU != nil && d.Throughput != nil {
			busy = append(busy, *d.LoadCPU)
		}
	}
	if len(busy) == 0 || projected.Throughput.Estimate == nil {
		return nil
	}
	full := m.throughput / mean(busy)
	if *projected.Throughput.Estimate < mostLoad*full {
		return nil
	}
	return []string{fmt.Sprintf("persistence %s: the load generator was %.0f %% busy at %s tokens/s and would be full at %s: it is not in the model, so a test needs a larger one",
		name, 100*mean(busy), short(m.throughput), short(full))}
}

const (
	mostLoad = 0.8  // of the load generator's CPU, as for a warning of a window
	decisive = 1.5  // longest delay over the shortest, from which it is said
	marginal = 0.05 // of the response time, below which a delay is not worth a word

	fewRuns   = 4   // runs of each mode, as for a verdict
	mostDelay = 0.5 // of the response time that may be unexplained without a note
)

// assumptions say in words what the numbers rest on.
func assumptions(p report.Projection, known facts) []string {
	out := []string{
		"The service demand of a token, CPU time per token, stays what it was measured to be, so the added vCPUs are as fast as the present ones. A vCPU counts as a server of its own; two threads of one core are less than two.",
		"The work spreads over all vCPUs: no lock, connection pool or thread pool limits them before they are busy.",
		"The time outside the CPUs is a delay: the same for every token, however many are asked for at once. The longest is what the measured response time leaves when the model's time at the CPUs is taken away, and no longer than the fastest hundredth of the answers took; the shortest is the one with which the model still gives back what was measured within the tolerance. The back-cast tests whether users, think time, response time and throughput agree, and whether the CPUs fit in; it cannot tell the delays between the two apart. Estimates are for the longest, and intervals hold both.",
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
		out = append(out, fmt.Sprintf("Intervals: 95 %%, %d draws from Student's t over runs for demands and delay together, seed %d. They hold what differs between runs and the unknown part of the delay, and nothing else of what the model gets wrong.", p.Draws, p.Seed))
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
