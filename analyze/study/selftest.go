package study

import (
	"fmt"
	"math"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// GateCase is one synthetic experiment whose verdict is known beforehand.
type GateCase struct {
	Name     string
	Want     report.Verdict
	Got      report.Verdict
	ExitCode int
	Why      string // of the verdict
}

// OK tells whether the gate judged the case as it has to.
func (c GateCase) OK() bool { return c.Got == c.Want }

// SelfTest judges built-in experiments under the limits of o: losses and rising
// errors that have to FAIL, a gain that has to PASS, evidence that decides
// nothing and data that is not there. Nothing in them is random: what varies is
// written down, so that the proof never depends on luck.
func SelfTest(o Options) []GateCase {
	if o.Load == "" {
		o.Load = ClosedLoad
	}
	o.Warmup = selfTestWarmup
	o.Environment.APIManager.VCPUs, o.Environment.Database.VCPUs = 4, 8
	const blocks = 6
	loss := 0.8 * (1 - o.MaxLoss) // of the throughput, kept
	failing := o.MaxErrorIncrease + 0.3*(1-o.MaxErrorIncrease)
	var out []GateCase
	for _, c := range []struct {
		name string
		want report.Verdict
		data synthetic
		harm func(*source.Dataset)
	}{
		{name: fmt.Sprintf("a loss of %s, %d pairs", percent(1-loss), blocks), want: report.Fail,
			data: synthetic{pairs: blocks, ratio: loss, spread: 0.01}},
		{name: fmt.Sprintf("errors rise by %s points, %d pairs", significantPoints(failing), blocks), want: report.Fail,
			data: synthetic{pairs: blocks, ratio: 1.2, spread: 0.01, errors: failing}},
		{name: fmt.Sprintf("a gain of 20 %%, %d pairs", blocks), want: report.Pass,
			data: synthetic{pairs: blocks, ratio: 1.2, spread: 0.01}},
		{name: fmt.Sprintf("around a loss of %s, %d pairs", percent(o.MaxLoss), blocks), want: report.Inconclusive,
			data: synthetic{pairs: blocks, ratio: 1 - o.MaxLoss, spread: 0.05}},
		{name: fmt.Sprintf("a loss of %s, one pair", percent(1-loss)), want: report.Inconclusive,
			data: synthetic{pairs: 1, ratio: loss, spread: 0.01}},
		{name: "the gain, with a window left out", want: report.NoData,
			data: synthetic{pairs: blocks, ratio: 1.2, spread: 0.01},
			harm: func(d *source.Dataset) { d.Runs = d.Runs[:len(d.Runs)-1] }},
		{name: "the gain, with an unreadable window", want: report.NoData,
			data: synthetic{pairs: blocks, ratio: 1.2, spread: 0.01},
			harm: func(d *source.Dataset) { d.Runs[1].Requests, d.Runs[1].Series = nil, map[string]source.Series{} }},
	} {
		d := c.data.dataset(o)
		if c.harm != nil {
			c.harm(&d)
		}
		r := Run(d, o)
		g := GateCase{Name: c.name, Want: c.want, Got: r.Verdict, ExitCode: r.ExitCode}
		if len(r.Grants) > 0 {
			g.Why = r.Grants[0].Why
		}
		out = append(out, g)
	}
	return out
}

// CanFail tells whether a gate with these results is one: every case was judged
// as it has to be, and what has to FAIL ends with a status other than 0.
func CanFail(cases []GateCase) bool {
	for _, c := range cases {
		if !c.OK() || c.Want == report.Fail && c.ExitCode == ExitPass {
			return false
		}
	}
	return len(cases) > 0
}

// significantPoints is a share in percentage points, as a number.
func significantPoints(share float64) string { return fmt.Sprintf("%.3g", 100*share) }

const (
	selfTestWarmup = 10 * time.Second
	selfTestWindow = 130 * time.Second // warm-up included
	selfTestRate   = 5000.0            // tokens/s with persistence
	selfTestSwing  = 0.02              // of what varies within a mode, as a ratio
)

// synthetic describes an experiment of one grant: blocks whose ratio off/on is
// known up to a spread between them, and errors only without persistence.
type synthetic struct {
	pairs  int
	ratio  float64 // of what the load kind measures: tokens/s, or tokens per core-second
	spread float64 // of the log ratio between blocks, evenly to both sides
	errors float64 // share of requests that fail without persistence
}

// dataset makes the windows, the mode that begins alternating from block to
// block. Under an offered rate the throughput stays equal, and the CPU that a
// token costs changes instead.
func (s synthetic) dataset(o Options) source.Dataset {
	var d source.Dataset
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for block := 1; block <= s.pairs; block++ {
		ratio := s.ratio
		if s.pairs > 1 {
			ratio *= math.Exp(s.spread * (2*float64(block-1)/float64(s.pairs-1) - 1))
		}
		modes := []source.Mode{source.On, source.Off}
		if block%2 == 0 {
			modes = []source.Mode{source.Off, source.On}
		}
		for _, mode := range modes {
			w := source.Window{Grant: "synthetic", Mode: mode, Block: block, Start: start, End: start.Add(selfTestWindow), JTL: []string{"synthetic"}}
			d.Runs = append(d.Runs, s.run(w, ratio, o))
			start = start.Add(selfTestWindow + time.Minute)
		}
	}
	return d
}

// run makes one window, whose seconds swing around a constant rate without
// drift: neighbours differ by the golden angle.
func (s synthetic) run(w source.Window, ratio float64, o Options) source.Run {
	swing := func(i int) float64 { return 1 + selfTestSwing*math.Sin(2.4*float64(i)) }
	rate, busy, failing := selfTestRate, 0.4, 0.0
	if w.Mode == source.Off {
		failing = s.errors * swing(w.Block)
		if o.Load == RateLoad {
			busy /= ratio
		} else {
			rate *= ratio
		}
	}
	q := &source.Requests{First: w.Start, Last: w.End, Measured: w.Start.Add(o.Warmup), ElapsedMS: make([]uint64, 21)}
	for i := range int(selfTestWindow / time.Second) {
		n := rate * swing(i+w.Block)
		second := source.Second{Successes: uint64(max(1, math.Round(n))), Errors: uint64(math.Round(n * failing / (1 - failing)))}
		q.Seconds = append(q.Seconds, second)
		q.Rows += second.Successes + second.Errors
		q.ElapsedMS[20] += second.Successes
	}
	q.Counted = q.Rows
	run := source.Run{Window: w, Requests: q, Series: map[string]source.Series{}}
	const step = 5 * time.Second
	for _, name := range []string{source.APIManagerCPU, source.DatabaseCPU} {
		series := source.Series{Step: step}
		for i := range int(selfTestWindow / step) {
			series.Points = append(series.Points, source.Point{Time: w.Start.Add(time.Duration(i) * step), Value: busy * swing(i+w.Block)})
		}
		run.Series[name] = series
	}
	return run
}
