package study

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// found is the result of a judged comparison in the words of a verdict.
func found(c *comparison) string {
	r := c.Ratio
	subject := "throughput"
	if c.Metric != throughput {
		subject = c.Label
	}
	if r.Estimate == nil {
		return subject + " is unknown"
	}
	text := subject + " off/on " + ratio(*r.Estimate)
	if r.Lo != nil && r.Hi != nil {
		text += fmt.Sprintf(" [%s, %s]", ratio(*r.Lo), ratio(*r.Hi))
	}
	switch on, off := len(c.On.Runs), len(c.Off.Runs); {
	case c.Method == methodWithin:
		return text + " within this window only"
	case on == 1 && off == 1:
		return text + ", one run of each mode"
	case strings.HasPrefix(c.Method, "paired") || len(r.Pairs) > 0:
		return fmt.Sprintf("%s, %d pairs", text, on)
	default:
		return fmt.Sprintf("%s, %d and %d runs", text, on, off)
	}
}

// ratio prints two decimals, and three digits of what is far from 1.
func ratio(v float64) string {
	if v != 0 && (v < 0.1 || v >= 100) {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// figure prints three significant digits, and all that stand before the point.
func figure(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// loss names what may be lost: tokens per second, or where the rate is given,
// what the CPU of a host yields.
func loss(o Options) string {
	if o.Load == RateLoad {
		return "loss of tokens per core-ms"
	}
	return "loss"
}

// percent prints a ratio as per cent with up to three digits.
func percent(v float64) string {
	return strconv.FormatFloat(100*v, 'g', 3, 64) + " %"
}

// points100 prints a difference of shares in percentage points.
func points100(v float64) string {
	v *= 100
	if v != 0 && math.Abs(v) < 0.001 {
		return "less than 0.001 points"
	}
	return strconv.FormatFloat(v, 'g', 2, 64) + " points"
}

func pValue(p float64) string {
	if p < 0.0001 {
		return "p < 0.0001"
	}
	return "p = " + strconv.FormatFloat(p, 'g', 2, 64)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// list shows the first of several reasons and counts the rest.
func list(reasons []string) string {
	if len(reasons) == 1 {
		return reasons[0]
	}
	return fmt.Sprintf("%s; and %d more", reasons[0], len(reasons)-1)
}

// hypothesis states what was tested.
func hypothesis(o Options) report.Hypothesis {
	text := fmt.Sprintf("Without persistence a grant keeps at least %s of its throughput, and its error share rises by at most %s.",
		percent(1-o.MaxLoss), points100(o.MaxErrorIncrease))
	if o.Load == RateLoad {
		text = fmt.Sprintf("Both modes issue the same tokens per second. Without persistence each host, API Manager and database, yields at least %s of its tokens per core-ms, so that a token takes at most %s of the CPU time, and the error share of a grant rises by at most %s.",
			percent(1-o.MaxLoss), percent(1/(1-o.MaxLoss)), points100(o.MaxErrorIncrease))
	}
	return report.Hypothesis{
		Text:             text,
		Load:             o.Load,
		MaxLoss:          o.MaxLoss,
		MaxErrorIncrease: o.MaxErrorIncrease,
		ReferenceMargin:  o.ReferenceMargin,
		WarmupSeconds:    o.Warmup.Seconds(),
	}
}

// methods describes in words what was done, naming only the statistics used.
func methods(grants []*grant, o Options) []string {
	used := map[string]bool{}
	for _, g := range grants {
		for _, r := range g.runs {
			if _, ok, _ := r.mser5(); ok {
				used["mser-5"] = true
			}
			if r.tested {
				used[stepped], used[drifted] = true, true
			}
		}
		for _, c := range g.comparisons {
			switch {
			case strings.HasPrefix(c.Method, "paired"):
				used["paired-t"] = true
			case strings.HasPrefix(c.Method, "Welch"):
				used["welch-t"] = true
			case c.Method == methodWithin:
				used["ewc-t"] = true
			}
			if c.PLoss != nil {
				used["holm"] = true
			}
			if c.Metric == withErrors {
				used[withErrors] = true
			}
			if perToken(c.Metric) && c.Ratio.Estimate != nil {
				used["demand"] = true
			}
			if c.PSignFlip != nil {
				used["sign-flip"] = true
			}
			if c.DetectableLoss != nil {
				used["power"] = true
			}
		}
	}
	out := []string{
		fmt.Sprintf("The run is the unit: each window gives one number per metric, measured after %g s of warm-up. Requests within a window depend on each other and are never treated as independent observations.", o.Warmup.Seconds()),
		"Throughput is successful tokens per second of measured time, from the result file where there is one (a row belongs to the second in which it ends), else from the increments of the endpoint counter. A second without a row counts as zero.",
		fmt.Sprintf("Latency percentiles come from each run's exact millisecond histogram of successful requests, definition type %d; percentiles are never averaged over requests of different runs.", o.QuantileType),
		"Means on each side are geometric where a ratio is formed, arithmetic for error shares. Intervals are 95 %.",
	}
	if used[withErrors] {
		out = append(out, "Throughput with errors counts failed requests too, as WSO2's results splitter and JMeter do: hold that against their figures.")
	}
	if used["demand"] {
		out = append(out, "What a token costs is D = U·m/X, the utilisation law: mean CPU times cores (I/O: operations or bytes per second) over successful tokens per second, both over the time of the same points. It holds the work for failed requests and all else that the host does.")
	}
	if o.Load == ClosedLoad && o.Environment.Users > 0 {
		out = append(out, fmt.Sprintf("The load generator is checked by N = X·(R+Z) with Z = 0: throughput times mean response time of each window has to account for the declared users within %s.", percent(userTolerance)))
	}
	for _, s := range stats.Table() {
		if used[s.ID] {
			out = append(out, fmt.Sprintf("%s: assumes %s (%s).", strings.ToUpper(s.Name[:1])+s.Name[1:], s.Assumes, s.Source))
		}
	}
	return append(out, verdictRules(o)...)
}

func verdictRules(o Options) []string {
	out := []string{fmt.Sprintf("PASS: the 95 %% interval of the throughput ratio lies above %s, and the one-sided 95 %% upper bound of the rise in error share is at most %s. FAIL: \"the loss is at most %s\" is rejected one-sided at 2.5 %%, Holm over the grants, or the 95 %% lower bound of the rise exceeds its limit. A verdict needs %d pairs, or %d runs of each mode.",
		ratio(1-o.MaxLoss), points100(o.MaxErrorIncrease), percent(o.MaxLoss), leastRuns, leastRuns)}
	if o.Load == RateLoad {
		out[0] = fmt.Sprintf("The rate is the same by design, so what a token costs is judged. PASS: the 95 %% intervals of the ratios of API Manager and database CPU per token lie below %s, the throughputs of the two modes differ by at most %s, and the one-sided 95 %% upper bound of the rise in error share is at most %s. FAIL: for one of the hosts \"the loss of tokens per core-ms is at most %s\" is rejected one-sided at 2.5 %%, Holm over hosts and grants, or the 95 %% lower bound of the rise exceeds its limit. A verdict needs %d pairs, or %d runs of each mode.",
			ratio(1/(1-o.MaxLoss)), percent(rateTolerance), points100(o.MaxErrorIncrease), percent(o.MaxLoss), leastRuns, leastRuns)
	}
	return append(out,
		fmt.Sprintf("A step or a drift within a window is one that is found at a familywise %s over all windows. It keeps a grant from passing where the ratio formed of first, or of last, levels differs by more than half the allowed loss; it never helps.", percent(changeSize)),
		"What may be missing is counted against switching off before a grant may pass. The published numbers never change a verdict.",
		"The detectable loss is the smallest true loss that this design and this spread would have told from no change, two-sided 5 %, with power 80 %.",
		fmt.Sprintf("A published ratio agrees when our 90 %% interval lies within %s of it, and differs when our 95 %% interval lies wholly beyond that margin around the ratios its rounding allows.", percent(o.ReferenceMargin)),
	)
}
