// Package study is the middle of the analysis: it turns windows and their
// series into run-level numbers, compares persistence off with persistence on
// and judges each grant. The run is the unit of inference: a window, however
// long, is one observation, because requests within it depend on each other
// and windows differ by more than chance within one would explain.
//
// It refuses to read files or to format text, and missing data can never turn
// into a PASS: whatever is detectably absent leaves a grant at INCONCLUSIVE or
// NO DATA.
//
//	r := study.Run(dataset, study.Defaults())
//	os.Exit(study.ExitCode(r, []string{"fail", "inconclusive", "nodata"}))
package study

import (
	"math"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// Kinds of load an experiment may declare.
const (
	ClosedLoad = "closed" // users send their next request when the last is answered
	RateLoad   = "rate"   // every window offers the same number of tokens per second
)

const (
	level       = 0.95 // of every interval shown
	failureSize = 0.025
	leastFlips  = 6   // pairs from which sign flips are shown: with 5 they cannot reach 5 %
	leastRuns   = 4   // pairs, or runs on each side, that a verdict needs
	targetPower = 0.8 // of the detectable loss
)

// Options say what is tested and what goes into the report as it is.
type Options struct {
	Load             string        // ClosedLoad or RateLoad; "" is ClosedLoad
	Warmup           time.Duration // discarded at the start of every window
	MaxLoss          float64       // ratio of throughput that may be lost, 0.05 is 5 %
	MaxErrorIncrease float64       // rise of the error share that may be added
	ReferenceMargin  float64       // ratio around a published ratio that counts as agreement
	QuantileType     int           // 6 or 7; 0 is 7
	FailOn           []string      // fail, inconclusive, nodata, reference
	Seed             uint64        // recorded; this version draws no random number
	Title            string
	Banner           string
	Environment      report.Environment
	Program          string // name and version
	Arguments        []string
}

// Defaults are the limits that analyze applies unless told otherwise.
func Defaults() Options {
	return Options{
		Load:             ClosedLoad,
		MaxLoss:          0.05,
		MaxErrorIncrease: 0.005,
		ReferenceMargin:  0.05,
		QuantileType:     int(stats.Type7),
		FailOn:           []string{FailOnFail, FailOnInconclusive, FailOnNoData},
		Seed:             1,
	}
}

// Run analyses one experiment. The dataset is left as it is; the same dataset
// and options give the same report.
func Run(d source.Dataset, o Options) report.Report {
	if o.Load == "" {
		o.Load = ClosedLoad
	}
	if o.QuantileType == 0 {
		o.QuantileType = int(stats.Type7)
	}
	runs := summarise(d, o)
	grants := compareGrants(runs, d, o)
	judge(grants, o)

	r := report.Report{
		SchemaVersion: report.SchemaVersion,
		Title:         o.Title,
		Banner:        o.Banner,
		Hypothesis:    hypothesis(o),
		Environment:   o.Environment,
		Grants:        []report.Grant{},
		Comparisons:   []report.Comparison{},
		Reference:     published(grants, o),
		Explanation:   explain(grants, o),
		Projections:   []string{},
		Warnings:      experimentWarnings(d, runs, o),
		Diagnostics:   diagnose(runs, d, o),
		Figures:       figures(runs, o),
		Latencies:     latencies(runs),
		Methods:       methods(grants, o),
		Provenance:    provenance(d, o),
	}
	for _, g := range grants {
		r.Grants = append(r.Grants, report.Grant{Grant: g.name, Verdict: g.verdict, Why: g.why})
		for _, c := range g.comparisons {
			r.Comparisons = append(r.Comparisons, c.Comparison)
		}
	}
	r.Verdict = overall(r.Grants)
	r.ExitCode = ExitCode(r, o.FailOn)
	return r
}

// overall is the verdict of an experiment: the worst of its grants, where FAIL
// is worse than NO DATA, and NO DATA worse than INCONCLUSIVE. No grant at all is
// NO DATA.
func overall(grants []report.Grant) report.Verdict {
	for _, v := range []report.Verdict{report.Fail, report.NoData, report.Inconclusive} {
		if slices.ContainsFunc(grants, func(g report.Grant) bool { return g.Verdict == v }) {
			return v
		}
	}
	if len(grants) == 0 {
		return report.NoData
	}
	return report.Pass
}

func provenance(d source.Dataset, o Options) report.Provenance {
	p := report.Provenance{Program: o.Program, Arguments: slices.Concat([]string{}, o.Arguments), Inputs: []report.Source{}, Seed: o.Seed}
	for _, in := range d.Inputs {
		p.Inputs = append(p.Inputs, report.Source{Kind: in.Kind, Name: in.Name, Query: in.Query, SHA256: in.SHA256, Range: in.Range, Count: in.Count})
	}
	return p
}

// number is v for the report, nil when JSON could not hold it.
func number(v float64) report.Number {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
