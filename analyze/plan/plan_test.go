package plan_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/analyze/plan"
	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// pilot is a report whose pairs have the given log ratios.
func pilot(grant string, logRatios ...float64) report.Report {
	c := report.Comparison{Grant: grant, Metric: report.MetricThroughput}
	for i, l := range logRatios {
		on := 400 * (1 + 0.05*float64(i)) // a drift that pairs cancel
		c.On.Runs = append(c.On.Runs, report.Run{Block: i + 1, Value: on})
		c.Off.Runs = append(c.Off.Runs, report.Run{Block: i + 1, Value: on * math.Exp(l)})
		c.Ratio.Pairs = append(c.Ratio.Pairs, report.Paired{Block: i + 1, Ratio: math.Exp(l)})
	}
	return report.Report{
		SchemaVersion: report.SchemaVersion, Hypothesis: report.Hypothesis{Load: "closed", WarmupSeconds: 120},
		Grants: []report.Grant{{Grant: grant}}, Comparisons: []report.Comparison{c},
		Diagnostics: []report.RunCheck{{Grant: grant, Seconds: 780}},
	}
}

// join puts the grants of two reports into one.
func join(a, b report.Report) report.Report {
	a.Grants = append(a.Grants, b.Grants...)
	a.Comparisons = append(a.Comparisons, b.Comparisons...)
	return a
}

func unpaired(r report.Report) report.Report {
	for i := range r.Comparisons {
		r.Comparisons[i].Ratio.Pairs = nil
	}
	return r
}

var usual = plan.Options{MaxLoss: 0.05, Power: 0.8, Seed: 1}

func run(t *testing.T, r report.Report, o plan.Options) report.Plan {
	t.Helper()
	p, err := plan.Run(r, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The numbers are those of the t test: sd 0.05 of five log ratios, by hand.
func TestPairsFromThePilot(t *testing.T) {
	ratios := []float64{0.02, 0.07, 0.12, -0.03, -0.08}
	p := run(t, pilot("password", ratios...), usual)
	g := p.Grants[0]
	sd := math.Sqrt((0.05*0.05 + 0.10*0.10) * 2 / 4)
	if math.Abs(*g.SD-sd) > 1e-12 || !g.Paired || g.Pilot != 5 {
		t.Errorf("%d pairs (%t) with SD %v, want 5 with %v", g.Pilot, g.Paired, *g.SD, sd)
	}
	if want := sd * math.Sqrt(4/1.6488); math.Abs(*g.SDUpper-want) > 1e-4*want {
		t.Errorf("upper limit %v, want %v", *g.SDUpper, want)
	}
	for _, c := range []struct {
		pairs int
		sd    float64
	}{{g.Pairs, *g.SD}, {g.PairsCautious, *g.SDUpper}} {
		for _, n := range []int{c.pairs, c.pairs - 1} {
			power, err := stats.Power(math.Log(0.95), c.sd/math.Sqrt(float64(n)), float64(n-1), 0.05, stats.OneTail)
			if err != nil {
				t.Fatal(err)
			}
			if (power >= 0.8) != (n == c.pairs) {
				t.Errorf("%d pairs have power %v with SD %v", n, power, c.sd)
			}
		}
	}
	if p.Pairs != g.PairsCautious || len(p.Schedule) != p.Pairs {
		t.Errorf("%d pairs, %d blocks, cautious %d", p.Pairs, len(p.Schedule), g.PairsCautious)
	}
	if want := float64(p.Pairs) * 2 * 900 / 3600; *p.Hours != want {
		t.Errorf("%v hours, want %v", *p.Hours, want)
	}
}

// However alike the pairs are, a verdict needs four.
func TestNoFewerThanAVerdictNeeds(t *testing.T) {
	p := run(t, pilot("password", 0.1, 0.1001, 0.0999), usual)
	if p.Grants[0].Pairs != 4 || p.Pairs != 4 {
		t.Errorf("%d pairs", p.Pairs)
	}
}

// Runs without blocks contain the drift that pairs cancel, and say so.
func TestUnpairedPilot(t *testing.T) {
	r := pilot("password", 0.1, 0.11, 0.09, 0.10)
	paired, alone := run(t, r, usual), run(t, unpaired(r), usual)
	if *alone.Grants[0].SD <= *paired.Grants[0].SD || alone.Grants[0].Paired || len(alone.Notes) != 1 {
		t.Errorf("SD %v unpaired, %v paired; notes %q", *alone.Grants[0].SD, *paired.Grants[0].SD, alone.Notes)
	}
}

// The grant that differs most decides, and one of which nothing is known says so.
func TestSeveralGrants(t *testing.T) {
	r := join(join(pilot("a", 0, 0.01, -0.01, 0.02), pilot("b", 0, 0.05, -0.05, 0.03)), pilot("c", 0.1))
	p := run(t, r, usual)
	if p.Pairs != p.Grants[1].PairsCautious || p.Grants[0].PairsCautious >= p.Pairs {
		t.Errorf("%d pairs of %+v", p.Pairs, p.Grants)
	}
	if !strings.Contains(p.Grants[2].Unknown, "c has 1 pair,") {
		t.Errorf("unknown: %q", p.Grants[2].Unknown)
	}
	for _, b := range p.Schedule {
		if len(b.Grants) != 3 {
			t.Errorf("block %d has %q", b.Block, b.Grants)
		}
	}
}

// Half of the blocks start with each mode, the same seed draws the same order,
// and over seeds every block starts with each mode.
func TestSchedule(t *testing.T) {
	r := join(pilot("a", 0, 0.05, -0.05, 0.03, 0.02), pilot("b", 0, 0.05, -0.05, 0.03, 0.01))
	first := map[bool]int{}
	for seed := range uint64(40) {
		o := usual
		o.Seed = seed
		p := run(t, r, o)
		onFirst := 0
		for i, b := range p.Schedule {
			if b.Block != i+1 || b.First == b.Then || !strings.Contains("on off", b.First) || !strings.Contains("on off", b.Then) {
				t.Fatalf("block %+v", b)
			}
			if b.First == "on" {
				onFirst++
			}
		}
		first[p.Schedule[0].First == "on"]++
		if n := len(p.Schedule); onFirst < n/2 || onFirst > (n+1)/2 {
			t.Errorf("seed %d: %d of %d blocks start with on", seed, onFirst, n)
		}
		if diff := cmp.Diff(p, run(t, r, o)); diff != "" {
			t.Errorf("the same seed gives two plans:\n%s", diff)
		}
	}
	if first[true] < 8 || first[false] < 8 {
		t.Errorf("the first block starts with on for %d of 40 seeds", first[true])
	}
}

// A planned experiment finds the loss as often as planned: 2,000 of them, drawn
// with the spread of the pilot.
func TestPlannedPowerIsThePower(t *testing.T) {
	const experiments = 2000
	p := run(t, pilot("password", 0.02, 0.07, 0.12, -0.03, -0.08), usual)
	g := p.Grants[0]
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range experiments {
		v := make([]float64, g.Pairs)
		for i := range v {
			v[i] = math.Log(0.95) + *g.SD*random.NormFloat64()
		}
		e, err := stats.MeanT(v, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if e.Hi < 0 {
			found++
		}
	}
	if share := float64(found) / experiments; share < 0.77 || share > 0.85 {
		t.Errorf("%d pairs find the loss in %.3f of the experiments, planned 0.8", g.Pairs, share)
	}
}

// A pilot that differs by factors needs no schedule but an explanation.
func TestHopelessPilot(t *testing.T) {
	p := run(t, pilot("password", -1, 1, 0.3, -0.4), usual)
	if p.Pairs != 0 || len(p.Schedule) != 0 || len(p.Notes) != 1 || p.Hours != nil {
		t.Errorf("%d pairs, %d blocks, notes %q", p.Pairs, len(p.Schedule), p.Notes)
	}
}

func TestInputErrors(t *testing.T) {
	good := pilot("password", 0.1, 0.12, 0.09)
	rate := good
	rate.Hypothesis.Load = "rate"
	oneHost := offered([]float64{0.1, 0.12, 0.09}, nil)
	oneHost.Comparisons = oneHost.Comparisons[:2]
	for name, c := range map[string]struct {
		report  report.Report
		options plan.Options
		want    string
	}{
		"no loss":        {good, plan.Options{MaxLoss: 0, Power: 0.8}, "--max-loss"},
		"certainty":      {good, plan.Options{MaxLoss: 0.05, Power: 1}, "--power"},
		"power NaN":      {good, plan.Options{MaxLoss: 0.05, Power: math.NaN()}, "--power"},
		"a rate":         {rate, usual, "password has no apim_core_ms in the report, on which load: rate is judged: compare needs a source, environment.apim.vcpus"},
		"one host":       {oneHost, usual, "password has no database_core_ms"},
		"a rate, 1 pair": {offered([]float64{0.1}, []float64{0.1, 0.2}), usual, "API Manager CPU per token: password has 1 pair,"},
		"no grant":       {report.Report{}, usual, "no grant"},
		"one pair":       {pilot("password", 0.1), usual, "1 pair,"},
		"one run a side": {unpaired(pilot("password", 0.1)), usual, "1 run of a mode,"},
		"equal pairs":    {pilot("password", 0, 0, 0), usual, "no spread"},
		"no throughput":  {report.Report{Grants: []report.Grant{{Grant: "password"}}}, usual, "no throughput"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := plan.Run(c.report, c.options)
			if _, ok := errors.AsType[*plan.InputError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an InputError with %q", err, c.want)
			}
		})
	}
}
