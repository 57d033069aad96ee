package study

import (
	"fmt"
	"math"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// Limits beyond which a number gets a warning beside it. A warning says what to
// do; it changes no verdict.
const (
	highLag1      = 0.3  // lag-1 autocorrelation of the per-second throughput
	highLoadCPU   = 0.8  // of the load generator's cores
	highCPU       = 0.9  // of a host's cores: saturated
	highForeign   = 0.2  // cores used by processes outside the experiment
	highOthers    = 0.01 // of a result file's rows: requests that are no token requests
	unequalLength = 0.1  // relative difference of measured lengths
	fewPoints     = 5    // points of a gauge in the measured part
	leastCovered  = 0.9  // of the points that a complete series would have
	contradictory = 8    // vCPUs of db.m5.2xlarge by AWS
	awsListed     = "db.m5.2xlarge"
	listedByWSO2  = 4 // vCPUs of db.m5.2xlarge on the published page
)

// qualify puts the warnings of a comparison beside it.
func (g *grant) qualify(c *comparison, m metric, d source.Dataset, o Options) {
	if c.Metric == throughput {
		g.qualifyThroughput(c, o)
	}
	if always(c.Metric, o) {
		id := "counter"
		if len(m.series) == 0 {
			id = "missing-data"
		}
		c.windows(id, g.collect(func(r run) string { return r.measures[c.Metric].cap }))
	}
	if perToken(c.Metric) {
		c.windows("other-requests", g.collect(run.otherRequests))
	}
	if text := g.carryOver(o); text != "" && c.Metric == carried(o) {
		c.warn("carry-over", "%s", text)
	}
	c.windows(stepped, g.collect(func(r run) string { return r.unsteadiness(c.Metric, stepped, o) }))
	c.windows(drifted, g.collect(func(r run) string { return r.unsteadiness(c.Metric, drifted, o) }))
	if c.Metric == apimCPU || c.Metric == databaseCPU {
		g.qualifyCPU(c, o.Environment)
	}
	if len(m.series) > 0 && !always(m.id, o) {
		c.windows("few-points", g.collect(func(r run) string {
			if v, ok := r.measures[m.id]; ok && v.n < fewPoints {
				return fmt.Sprintf("only %d points lie wholly in the measured part; measure longer or use a shorter period", v.n)
			}
			return ""
		}))
		c.windows("missing-data", g.collect(func(r run) string { return r.gaps(m.series[0]) }))
		c.windows("counter", g.collect(func(r run) string { return r.restarted(m.series[0]) }))
		c.windows("aliasing", g.collect(func(r run) string { return r.aliased(m.series[0]) }))
	}
	c.windows("missing-data", g.collect(func(r run) string {
		if err := r.missing[m.id]; err != nil {
			return err.Error()
		}
		return ""
	}))
	g.relay(c, m, d)
}

// relay repeats beside a comparison what the reader said about its series. An
// absence from all windows that other data made up for is none of its business.
func (g *grant) relay(c *comparison, m metric, d source.Dataset) {
	texts := map[string][]string{}
	var ids []string
	for _, p := range d.Problems {
		mine := slices.Contains(m.series, p.Series) || (p.Series == "" && c.Metric == throughput)
		if id := problemID(p); p.Window < 0 && slices.Contains(m.series, p.Series) && (id != "missing-data" || c.Ratio.Estimate == nil) {
			c.Warnings = slices.DeleteFunc(c.Warnings, func(w report.Warning) bool { return w.ID == id && id == "missing-data" })
			c.warn(id, "%s", p.Text)
		}
		i := slices.IndexFunc(g.runs, func(r run) bool { return r.index == p.Window })
		if !mine || i < 0 {
			continue
		}
		id := problemID(p)
		if texts[id] == nil {
			ids = append(ids, id)
		}
		texts[id] = append(texts[id], p.Text)
	}
	for _, id := range ids {
		// The reader explains an absence better than "no series" does.
		c.Warnings = slices.DeleteFunc(c.Warnings, func(w report.Warning) bool { return w.ID == id && id == "missing-data" })
		c.windows(id, texts[id])
	}
}

func problemID(p source.Problem) string {
	if p.Warning == "" {
		return "missing-data"
	}
	return p.Warning
}

func (g *grant) qualifyThroughput(c *comparison, o Options) {
	on, off := len(c.On.Runs), len(c.Off.Runs)
	switch {
	case on == 0 || off == 0:
	case on == 1 && off == 1:
		c.warn("one-run", "one run of each mode: the interval, if any, knows nothing of how runs differ; repeat in %d or more pairs", leastRuns)
	case min(on, off) < leastRuns && g.layout.paired:
		c.warn("few-pairs", "%d pairs: a verdict needs %d", on, leastRuns)
	case min(on, off) < leastRuns:
		c.warn("few-runs", "%d and %d runs: a verdict needs %d of each mode", on, off, leastRuns)
	}
	if g.layout.mixed {
		c.warn("mixed-blocks", "some windows name a block and some do not, so all count as unpaired: give every window a block")
	}
	if first := g.sameFirst(); first != "" {
		c.warn("order", "every block starts with persistence %s, so a drift over time looks like an effect: randomise the order within blocks", first)
	}
	if shortest, longest := g.lengths(); longest-shortest > unequalLength*longest {
		c.warn("unequal-windows", "the measured windows last between %.0f and %.0f s: give them one length", shortest, longest)
	}
	if e := c.Ratio.Estimate; o.Load == RateLoad && e != nil && math.Abs(*e-1) > rateTolerance {
		c.warn("rate", "off/on is %.4g although load: rate offers both modes the same: one of them did not keep up, or the rates differ, and then so does what a token costs: offer a rate that both keep", *e)
	}
	c.windows("silence", g.collect(func(r run) string { return r.silence.text() }))
	c.windows("users", g.collect(func(r run) string { return r.unaccounted(o) }))
	c.windows("short-warmup", g.collect(func(r run) string { return r.shortWarmup(o) }))
	c.windows("load-generator", g.collect(func(r run) string { return r.busyLoad(o) }))
	c.windows("foreign-cpu", g.collect(func(r run) string { return r.foreign() }))
	if on == 1 && off == 1 {
		c.windows("autocorrelation", g.collect(func(r run) string { return dependence(r) }))
	}
}

func (g *grant) qualifyCPU(c *comparison, e report.Environment) {
	host, name := e.APIManager, "API Manager"
	if c.Metric == databaseCPU {
		host, name = e.Database, "database"
	}
	if id, text := doubtfulCores(c.Metric, e); text != "" {
		c.warn(id, "%s", text)
	}
	if host.Nodes > 1 {
		c.warn("nodes", "the mean of %d %s nodes: under uneven load one of them saturates before the mean shows it: look at each of them", host.Nodes, name)
	}
	c.windows("saturation", g.collect(func(r run) string {
		if m, ok := r.measures[c.Metric]; ok && m.value >= highCPU {
			return fmt.Sprintf("%s was %s: at saturation compare CPU per token, not CPU", c.Label, percent(math.Round(m.value*1000)/1000))
		}
		return ""
	}))
}

// collect asks every window of the grant.
func (g *grant) collect(ask func(run) string) []string {
	var out []string
	for _, r := range g.runs {
		if text := ask(r); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// windows adds one warning for several windows: the first in words, the others
// by their number. Each window has its own warnings in the diagnostics.
func (c *comparison) windows(id string, texts []string) {
	if len(texts) > 0 {
		c.Warnings = append(c.Warnings, report.Warning{ID: id, Text: texts[0], Windows: len(texts)})
	}
}

// sameFirst is the mode that starts every one of several blocks, "" when the
// order varies or there are no blocks.
func (g *grant) sameFirst() source.Mode {
	if !g.layout.paired || g.layout.blocks < 2 {
		return ""
	}
	first := map[int]source.Mode{}
	for _, r := range g.runs { // by start
		if _, ok := first[r.Window.Block]; !ok {
			first[r.Window.Block] = r.Window.Mode
		}
	}
	var mode source.Mode
	for _, m := range first {
		if mode != "" && m != mode {
			return ""
		}
		mode = m
	}
	return mode
}

// lengths are the shortest and the longest measured part in seconds.
func (g *grant) lengths() (shortest, longest float64) {
	shortest = math.Inf(1)
	for _, r := range g.runs {
		s := r.span.length().Seconds()
		shortest, longest = min(shortest, s), max(longest, s)
	}
	return shortest, longest
}

func (s silence) text() string {
	if s.seconds == 0 {
		return ""
	}
	return fmt.Sprintf("%d s without a success (%d of them without any row) count as zero throughput: look for an outage or a file that lost rows", s.seconds, s.empty)
}

// busyLoad says whether the load generator itself may have been the limit.
func (r run) busyLoad(o Options) string {
	m, err := gauge(source.LoadGeneratorCPU)(r.Run, r.span, o)
	if err != nil || m.value <= highLoadCPU {
		return ""
	}
	return fmt.Sprintf("the load generator's CPU was %s busy: it may have set the pace; give it more cores", percent(math.Round(m.value*100)/100))
}

// foreign says whether other processes took part in the experiment.
func (r run) foreign() string {
	if r.Window.ForeignCPU == nil || *r.Window.ForeignCPU <= highForeign {
		return ""
	}
	return fmt.Sprintf("processes outside the experiment used %.2g cores: stop them and repeat", *r.Window.ForeignCPU)
}

// restarted says that counters behind a series of points went back.
func (r run) restarted(series string) string {
	n := r.Series[series].Resets
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("a counter behind %s went back %s, and the time around it is left out: find out what was restarted, and repeat the window", series, times(n))
}

// gaps says how many points of a gauge are absent from the measured part.
func (r run) gaps(series string) string {
	s, ok := r.Series[series]
	if !ok || s.Step <= 0 {
		return ""
	}
	expected := int(r.span.length()/s.Step) - 1 // its edges cut one period
	have := 0
	for _, p := range s.Points {
		if r.span.holds(p.Time, p.Time.Add(s.Step)) {
			have++
		}
	}
	if expected < 1 || float64(have) >= leastCovered*float64(expected) {
		return ""
	}
	return fmt.Sprintf("%s has %d of %d points: look for scrapes or periods that failed", series, have, expected)
}

// experimentWarnings are those that concern all grants.
func experimentWarnings(d source.Dataset, runs []run, o Options) []report.Warning {
	out := []report.Warning{}
	warn := func(id, format string, args ...any) {
		out = append(out, report.Warning{ID: id, Text: fmt.Sprintf(format, args...)})
	}
	for _, p := range d.Problems {
		if p.Window < 0 {
			warn(problemID(p), "%s", p.Text)
		}
	}
	if o.Load == ClosedLoad && len(runs) > 0 {
		warn("closed-loop", "closed loop: throughput and latency are one piece of evidence, and p99 hides queueing because users wait instead of sending: for latency at a given load repeat it with load: rate")
	}
	measured := func(metric string) bool {
		return slices.ContainsFunc(runs, func(r run) bool { _, ok := r.measures[metric]; return ok })
	}
	for _, metric := range []string{apimCPU, databaseCPU} {
		if id, text := doubtfulCores(metric, o.Environment); text != "" && measured(metric) {
			warn(id, "%s", text)
		}
	}
	return out
}

// doubtfulCores says why the CPU of a host is a share of nobody knows how many
// cores, with the name of the warning; "" when it is known.
func doubtfulCores(metric string, e report.Environment) (id, text string) {
	switch db := e.Database; {
	case metric == apimCPU && e.APIManager.VCPUs == 0:
		return "apim-cores", "the API Manager's core count is unknown, so its CPU gives no CPU per token: set environment.apim.vcpus"
	case metric == databaseCPU && db.Instance == awsListed && db.VCPUs != contradictory:
		return "database-cores", fmt.Sprintf("AWS lists %s with %d vCPU and 32 GiB, the published page with %d and 8: check environment.database.vcpus, since CPU is a share of them", awsListed, contradictory, listedByWSO2)
	case metric == databaseCPU && db.VCPUs == 0:
		return "database-cores", "the database's core count is unknown, so its CPU compares with no other system and gives no CPU per token: set environment.database.vcpus"
	}
	return "", ""
}
