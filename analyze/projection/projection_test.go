package projection_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/analyze/projection"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// What the true system does on hardware that nobody measured is what is
// projected from runs on the rig, to the precision of the fitted delay.
func TestProjectsWhatTheSystemDoes(t *testing.T) {
	for _, c := range []struct {
		name       string
		options    projection.Options
		bottleneck [2]string
	}{
		{"as measured", projection.Options{Users: rig.Users}, [2]string{"API Manager", "API Manager"}},
		{"twice the vCPUs", projection.Options{APIManagerVCPUs: 8}, [2]string{"database", "none of the CPUs"}},
		{"a large API Manager and database", projection.Options{APIManagerVCPUs: 64, DatabaseVCPUs: 32}, [2]string{"none of the CPUs", "none of the CPUs"}},
		{"more users", projection.Options{Users: 500}, [2]string{"API Manager", "API Manager"}},
		{"two users", projection.Options{Users: 2}, [2]string{"none of the CPUs", "none of the CPUs"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := rig
			for _, f := range []struct {
				to    *int
				asked int
			}{{&h.APIManagerVCPUs, c.options.APIManagerVCPUs}, {&h.DatabaseVCPUs, c.options.DatabaseVCPUs}, {&h.Users, c.options.Users}} {
				if f.asked > 0 {
					*f.to = f.asked
				}
			}
			g := project(t, experiment(t, 5, noise{}, 1), c.options)
			if g.Refused != "" {
				t.Fatal(g.Refused)
			}
			for i, m := range []*report.ProjectedMode{g.On, g.Off} {
				truth := []system{systemOn, systemOff}[i]
				want := truth.run(t, h)
				near(t, "delay", m.Delay.Estimate, 1000*truth.delay, 1e-3)
				near(t, "API Manager demand", m.APIManagerDemand.Estimate, 1000*truth.apim, 1e-9)
				near(t, "database demand", m.DatabaseDemand.Estimate, 1000*truth.database, 1e-9)
				near(t, "throughput", m.Throughput.Estimate, want.throughput, 1e-4)
				near(t, "response time", m.Response.Estimate, 1000*want.response, 1e-4)
				near(t, "API Manager busy", m.APIManagerBusy.Estimate, want.apimBusy, 1e-4)
				near(t, "database busy", m.DatabaseBusy.Estimate, want.databaseBusy, 1e-4)
				near(t, "change", number(1+*m.Change), want.throughput/truth.run(t, rig).throughput, 1e-4)
				if m.Bottleneck != c.bottleneck[i] {
					t.Errorf("bottleneck %s, want %s", m.Bottleneck, c.bottleneck[i])
				}
				if x := *m.Throughput.Estimate; *m.BoundLo > x*(1+1e-9) || *m.BoundHi < x*(1-1e-9) {
					t.Errorf("throughput %v outside its bounds %v to %v", *m.Throughput.Estimate, *m.BoundLo, *m.BoundHi)
				}
			}
			near(t, "off / on", g.RatioProjected.Estimate, *g.Off.Throughput.Estimate / *g.On.Throughput.Estimate, 1e-12)
		})
	}
}

func number(v float64) report.Number { return &v }

// Demands that the report gives are taken before those from the shares of CPU.
func TestDemandsOfTheReport(t *testing.T) {
	r := experiment(t, 5, noise{own: 0.02}, 1)
	for block := 1; block <= 5; block++ {
		for _, off := range []bool{false, true} {
			add(&r, "apim_core_ms", off, block, 8.8)
			add(&r, "database_core_ms", off, block, 0.9)
		}
	}
	g := project(t, r, projection.Options{APIManagerVCPUs: 8})
	near(t, "API Manager demand", g.On.APIManagerDemand.Estimate, 8.8, 1e-12)
	near(t, "database demand", g.Off.DatabaseDemand.Estimate, 0.9, 1e-12)
}

// Think time belongs to the measured runs as well.
func TestThinkTime(t *testing.T) {
	h := rig
	h.ThinkSeconds = 0.05
	r := experiment(t, 0, noise{}, 1)
	for block := 1; block <= 4; block++ {
		addRun(&r, false, block, systemOn.run(t, h))
		addRun(&r, true, block, systemOff.run(t, h))
	}
	g := project(t, r, projection.Options{APIManagerVCPUs: 8, Think: 0.05})
	near(t, "delay", g.On.Delay.Estimate, 1000*systemOn.delay, 1e-3)
	h.APIManagerVCPUs = 8
	near(t, "throughput", g.On.Throughput.Estimate, systemOn.run(t, h).throughput, 1e-4)

	if g := project(t, r, projection.Options{APIManagerVCPUs: 8, Think: 5}); !strings.Contains(g.Refused, "--think") {
		t.Errorf("a think time that nobody had: %q", g.Refused)
	}
}

// Without a mean the median stands for it, and without both Little's law.
func TestWhereResponseTimesComeFrom(t *testing.T) {
	r := experiment(t, 5, noise{own: 0.02}, 1)
	for _, d := range r.Diagnostics {
		add(&r, report.MetricLatencyMedian, d.Persistence == "off", d.Block, 1000**d.InFlight / *d.Throughput)
	}
	r.Diagnostics = nil
	for name, c := range map[string]struct {
		report report.Report
		want   string
	}{
		"median":       {r, "the median stands for it"},
		"Little's law": {without(r, report.MetricLatencyMedian), "users / throughput less think time"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := projection.Run(c.report, projection.Options{APIManagerVCPUs: 8})
			if err != nil {
				t.Fatal(err)
			}
			if p.Grants[0].Refused != "" || !strings.Contains(strings.Join(p.Assumptions, "\n"), c.want) {
				t.Errorf("%q, assumptions %q", p.Grants[0].Refused, p.Assumptions)
			}
			near(t, "delay", p.Grants[0].On.Delay.Estimate, 1000*systemOn.delay, 0.05)
		})
	}
}

// Without the database's CPU its time is a delay like any other.
func TestUnknownDatabase(t *testing.T) {
	r := experiment(t, 5, noise{own: 0.02}, 1)
	r.Environment.Database.VCPUs = 0
	p, err := projection.Run(r, projection.Options{APIManagerVCPUs: 8})
	if err != nil {
		t.Fatal(err)
	}
	g := p.Grants[0]
	if g.Refused != "" || g.On.DatabaseDemand.Estimate != nil || g.On.DatabaseBusy.Estimate != nil {
		t.Errorf("%q, %v", g.Refused, g.On.DatabaseDemand)
	}
	if *g.On.Delay.Estimate <= 1000*systemOn.delay {
		t.Errorf("delay %v ms holds no database time", *g.On.Delay.Estimate)
	}
	if !strings.Contains(strings.Join(p.Assumptions, "\n"), "never become the bottleneck") {
		t.Errorf("assumptions %q", p.Assumptions)
	}
}

// What cannot be believed is refused, with its reason, grant by grant.
func TestRefusedGrants(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*report.Report)
		want   string
	}{
		"more users than there were": {func(r *report.Report) { r.Environment.Users = 100 }, "fewer users than environment.users"},
		"fewer users":                {func(r *report.Report) { r.Environment.Users = 12 }, "more users than environment.users"},
		"too few vCPUs": {func(r *report.Report) {
			r.Environment.APIManager.VCPUs = 2
			for _, side := range []*report.Side{&comparison(r, report.MetricAPIManagerCPU).On, &comparison(r, report.MetricAPIManagerCPU).Off} {
				for i := range side.Runs {
					side.Runs[i].Value *= 4
				}
			}
		}, "the CPUs alone would take longer"},
		"no API Manager CPU":     {func(r *report.Report) { *r = without(*r, report.MetricAPIManagerCPU) }, "no run with persistence on has an API Manager CPU"},
		"no throughput":          {func(r *report.Report) { *r = without(*r, report.MetricThroughput) }, "no run with persistence on has a throughput"},
		"no off run":             {func(r *report.Report) { comparison(r, report.MetricThroughput).Off.Runs = nil }, "no run with persistence off has a throughput"},
		"a dead run":             {func(r *report.Report) { comparison(r, report.MetricThroughput).On.Runs[2].Value = 0 }, "a throughput that is 0 or below"},
		"a negative CPU":         {func(r *report.Report) { comparison(r, report.MetricDatabaseCPU).Off.Runs[0].Value = -0.1 }, "a database CPU that is 0 or below"},
		"a database in one mode": {func(r *report.Report) { comparison(r, report.MetricDatabaseCPU).Off.Runs = nil }, "only one of the modes has a database CPU"},
		"no common run": {func(r *report.Report) {
			runs := comparison(r, report.MetricAPIManagerCPU).On.Runs
			for i := range runs {
				runs[i].Block += 100
			}
		}, "has throughput, CPU and response time together"},
		"runs without blocks that lack one": {func(r *report.Report) {
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
			c := comparison(r, report.MetricAPIManagerCPU)
			c.On.Runs = c.On.Runs[1:]
		}, "5 runs have a throughput and 4 a CPU"},
	} {
		t.Run(name, func(t *testing.T) {
			r := experiment(t, 5, noise{own: 0.01}, 1)
			c.change(&r)
			g := project(t, r, projection.Options{APIManagerVCPUs: 8})
			if !strings.Contains(g.Refused, c.want) {
				t.Errorf("refused %q, want %q", g.Refused, c.want)
			}
			if g.On != nil && g.On.Throughput.Estimate != nil {
				t.Error("a refused grant is projected")
			}
		})
	}
}

// A run that lacks a series is left out and counted.
func TestIncompleteRunsAreCounted(t *testing.T) {
	r := experiment(t, 5, noise{own: 0.02}, 1)
	c := comparison(&r, report.MetricDatabaseCPU)
	c.On.Runs = c.On.Runs[1:]
	g := project(t, r, projection.Options{APIManagerVCPUs: 8})
	if g.Refused != "" || g.On.Runs != 4 || g.Off.Runs != 5 || !strings.Contains(strings.Join(g.Notes, "\n"), "1 of 5 runs lack") {
		t.Errorf("%q, %d and %d runs, %q", g.Refused, g.On.Runs, g.Off.Runs, g.Notes)
	}
}

// What the report or the flags lack is named by its key or flag.
func TestInputErrors(t *testing.T) {
	eight := projection.Options{APIManagerVCPUs: 8}
	for name, c := range map[string]struct {
		change  func(*report.Report)
		options projection.Options
		want    string
	}{
		"vCPUs":            {func(r *report.Report) { r.Environment.APIManager.VCPUs = 0 }, eight, "environment.apim.vcpus"},
		"users":            {func(r *report.Report) { r.Environment.Users = 0 }, eight, "environment.users"},
		"too many users":   {func(r *report.Report) { r.Environment.Users = 1_000_000 }, eight, "environment.users is 1000000"},
		"database vCPUs":   {func(r *report.Report) { r.Environment.Database.VCPUs = 0 }, projection.Options{DatabaseVCPUs: 8}, "environment.database.vcpus"},
		"a rate":           {func(r *report.Report) { r.Hypothesis.Load = "rate" }, eight, "load: closed"},
		"no grant":         {func(r *report.Report) { r.Grants = nil }, eight, "no grant"},
		"negative vCPUs":   {func(*report.Report) {}, projection.Options{APIManagerVCPUs: -1}, "--apim-vcpus is -1"},
		"too many vCPUs":   {func(*report.Report) {}, projection.Options{DatabaseVCPUs: 5000}, "--database-vcpus is 5000"},
		"a negative pause": {func(*report.Report) {}, projection.Options{APIManagerVCPUs: 8, Think: -1}, "--think"},
	} {
		t.Run(name, func(t *testing.T) {
			r := experiment(t, 2, noise{}, 1)
			c.change(&r)
			_, err := projection.Run(r, c.options)
			if _, ok := errors.AsType[*projection.InputError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an InputError with %q", err, c.want)
			}
		})
	}
}

// The same seed gives the same intervals, another seed others.
func TestSeed(t *testing.T) {
	r := experiment(t, 5, noise{own: 0.03}, 1)
	run := func(seed uint64) report.ProjectedGrant {
		return project(t, r, projection.Options{APIManagerVCPUs: 8, Seed: seed, Draws: 300})
	}
	if diff := cmp.Diff(run(1), run(1)); diff != "" {
		t.Errorf("the same seed gives two results:\n%s", diff)
	}
	a, b := run(1), run(2)
	if *a.On.Throughput.Lo == *b.On.Throughput.Lo || *a.On.Throughput.Estimate != *b.On.Throughput.Estimate {
		t.Errorf("another seed: interval %v and %v, estimate %v and %v", *a.On.Throughput.Lo, *b.On.Throughput.Lo, *a.On.Throughput.Estimate, *b.On.Throughput.Estimate)
	}
}
