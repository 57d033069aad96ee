package projection_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/projection"
	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// system is a true system: what a token costs in one mode, in seconds.
type system struct{ apim, database, delay float64 }

func (s system) network(h report.Hardware) queueing.Network {
	return queueing.Network{Think: h.ThinkSeconds, Stations: []queueing.Station{
		{Demand: s.apim, Servers: h.APIManagerVCPUs}, {Demand: s.database, Servers: h.DatabaseVCPUs}, {Demand: s.delay, Servers: queueing.Delay},
	}}
}

// run is what a run of the system measures.
type measured struct{ throughput, response, apimBusy, databaseBusy float64 }

func (s system) run(t testing.TB, h report.Hardware) measured {
	t.Helper()
	x, err := s.network(h).Throughput(h.Users)
	if err != nil {
		t.Fatal(err)
	}
	return measured{
		throughput: x, response: queueing.Response(h.Users, x, h.ThinkSeconds),
		apimBusy:     queueing.Utilisation(x, s.apim, h.APIManagerVCPUs),
		databaseBusy: queueing.Utilisation(x, s.database, h.DatabaseVCPUs),
	}
}

// rig is the hardware on which everything is measured.
var rig = report.Hardware{APIManagerVCPUs: 4, DatabaseVCPUs: 2, Users: 24}

// A system whose API Manager is at its limit in both modes, and whose database
// is not far from its own with persistence on.
var (
	systemOn  = system{apim: 0.0090, database: 0.0040, delay: 0.030}
	systemOff = system{apim: 0.0085, database: 0.0004, delay: 0.030}
)

// noise varies the systems from block to block: common moves both modes of a
// block, own each run by itself (standard deviations of logarithms).
type noise struct{ common, own float64 }

// experiment runs both systems in blocks and reports them as compare does.
func experiment(t testing.TB, blocks int, n noise, seed uint64) report.Report {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	r := report.Report{
		SchemaVersion: report.SchemaVersion, Title: "Experiment", Hypothesis: report.Hypothesis{Load: "closed"},
		Environment: report.Environment{
			APIManager: report.Host{VCPUs: rig.APIManagerVCPUs}, Database: report.Host{VCPUs: rig.DatabaseVCPUs}, Users: rig.Users,
		},
		Grants: []report.Grant{{Grant: "password", Verdict: report.Inconclusive}},
	}
	for block := 1; block <= blocks; block++ {
		common := n.common * random.NormFloat64()
		for i, s := range []system{systemOn, systemOff} {
			s.apim *= math.Exp(common + n.own*random.NormFloat64())
			s.database *= math.Exp(common + n.own*random.NormFloat64())
			m := s.run(t, rig)
			off := i == 1
			addRun(&r, off, block, m)
		}
	}
	return r
}

// addRun reports one run.
func addRun(r *report.Report, off bool, block int, m measured) {
	add(r, report.MetricThroughput, off, block, m.throughput)
	add(r, report.MetricAPIManagerCPU, off, block, m.apimBusy)
	add(r, report.MetricDatabaseCPU, off, block, m.databaseBusy)
	mode, under := "on", m.throughput*m.response
	if off {
		mode = "off"
	}
	r.Diagnostics = append(r.Diagnostics, report.RunCheck{
		Grant: "password", Persistence: mode, Block: block, Throughput: &m.throughput, InFlight: &under,
	})
}

// comparison finds or makes the comparison of a metric.
func comparison(r *report.Report, metric string) *report.Comparison {
	for i := range r.Comparisons {
		if r.Comparisons[i].Metric == metric {
			return &r.Comparisons[i]
		}
	}
	r.Comparisons = append(r.Comparisons, report.Comparison{Grant: "password", Metric: metric})
	return &r.Comparisons[len(r.Comparisons)-1]
}

func add(r *report.Report, metric string, off bool, block int, value float64) {
	c := comparison(r, metric)
	side := &c.On
	if off {
		side = &c.Off
	}
	side.Runs = append(side.Runs, report.Run{Block: block, Value: value, N: 1})
}

// without takes a metric away.
func without(r report.Report, metric string) report.Report {
	var kept []report.Comparison
	for _, c := range r.Comparisons {
		if c.Metric != metric {
			kept = append(kept, c)
		}
	}
	r.Comparisons = kept
	return r
}

func project(t testing.TB, r report.Report, o projection.Options) report.ProjectedGrant {
	t.Helper()
	p, err := projection.Run(r, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Grants) != 1 {
		t.Fatalf("%d grants", len(p.Grants))
	}
	return p.Grants[0]
}

func near(t testing.TB, what string, got report.Number, want, tolerance float64) {
	t.Helper()
	if got == nil {
		t.Errorf("%s is missing, want %v", what, want)
		return
	}
	if !(math.Abs(*got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s = %v, want %v", what, *got, want)
	}
}
