package report

import (
	"fmt"
	"math"
	"time"
)

func num(v float64) Number { return &v }

// sample is a report with everything a report can hold: three grants, five
// pairs, every verdict but PASS alone, missing numbers, long texts and texts
// that have to be escaped.
func sample() Report {
	r := Report{
		SchemaVersion: SchemaVersion,
		Title:         "Token persistence, rig run of 1 July",
		Banner:        "Demonstration rig: not evidence about API Manager",
		Verdict:       Fail,
		ExitCode:      10,
		Hypothesis: Hypothesis{
			Text: "For each grant: switching persistence off loses at most 5 % of the throughput, and the share of errors rises by at most 0.5 percentage points.",
			Load: "closed", MaxLoss: 0.05, MaxErrorIncrease: 0.005, ReferenceMargin: 0.05, WarmupSeconds: 2,
		},
		Environment: Environment{
			APIManager: Host{Instance: "testbed-apim", VCPUs: 1}, Database: Host{Instance: "testbed-db", VCPUs: 1},
			Users: 100, Applications: 10,
			Notes: []string{"database and users share core 0, key managers have core 1"},
		},
		Warnings: []Warning{
			{ID: "closed-loop", Text: "closed loop: throughput and latency are one piece of evidence; do not count them twice"},
			{ID: "order", Text: "every block starts with persistence on: randomise the order, drift looks like an effect"},
			{ID: "database-cores", Text: "the published page lists db.m5.2xlarge with 4 vCPU / 8 GiB, AWS with 8 / 32: compare database CPU with care"},
		},
		Methods: []string{
			"The run is the unit: every window gives one number per metric, warm-up discarded, and the interval is that of the paired t on the log ratios of the blocks.",
			"Throughput is the number of successful tokens over the measured seconds; a request belongs to the second in which it ended.",
		},
		Provenance: Provenance{
			Program: "analyze 0.1.0", Arguments: []string{"compare", "experiment.yaml", "--format", "text,html,json"}, Seed: 7,
		},
	}
	published := map[string][2][2]float64{
		"client_credentials": {{764, 973}, {789, 988}},
		"password":           {{434, 368}, {453, 357}},
		"refresh_token":      {{333, 415}, {229, 430}},
	}
	for i, g := range []string{"client_credentials", "password", "refresh_token"} {
		addGrant(&r, g, float64(i))
		for e, edition := range []string{"API-M 4.3, JDK 17 (2024)", "API-M 4.7, JDK 21"} {
			p := published[g][e]
			r.Reference = append(r.Reference, Reference{
				Edition: edition, Grant: g, On: p[0], Off: p[1], Ratio: p[1] / p[0], Margin: 0.05,
				Result: []string{"agrees", "differs", "undecided"}[i], Direction: []string{"same", "opposite", "same"}[i],
			})
		}
	}
	r.Explanation = []string{
		"client_credentials: The API Manager takes 1.08 instead of 0.929 core-ms per token (off/on 1.16 [1.12, 1.21]); the database takes 0.189 instead of 0.759 core-ms per token (off/on 0.25 [0.24, 0.26]). Without persistence the API Manager (71 → 86 % busy), not the database (58 → 18 % busy), limits throughput; with it neither CPU is saturated, so the limit is outside both: waits for locks, disk or connections, delays in the network, or the load generator. Throughput rises (off/on 1.24 [1.18, 1.30]).",
		"password: The API Manager takes 1.66 instead of 1.16 core-ms per token (off/on 1.43 [1.37, 1.50]), as the published page says: the refresh token is then a signed JWT, a second signature. Without persistence the API Manager (71 → 86 % busy), not the database (58 → 18 % busy), limits throughput; with it neither CPU is saturated, so the limit is outside both: waits for locks, disk or connections, delays in the network, or the load generator. Throughput falls (off/on 0.84 [0.80, 0.89]).",
		"refresh_token: Whether the API Manager takes more or less per token is undecided (off/on 1.02 [0.97, 1.08]).",
	}
	r.Projections = []string{}
	return r
}

// addGrant appends the comparisons, windows, figures and inputs of one grant.
func addGrant(r *Report, g string, k float64) {
	ratios := []float64{1.241, 0.843, 1.18}
	verdicts := []Verdict{Pass, Fail, Inconclusive}
	ratio := ratios[int(k)]
	r.Grants = append(r.Grants, Grant{Grant: g, Verdict: verdicts[int(k)],
		Why: fmt.Sprintf("throughput off/on %.2f [%.2f, %.2f], 5 pairs; the loss is compared with at most 5 %%, and the share of errors is 0 in both modes", ratio, ratio*0.95, ratio*1.05)})
	add := func(metric, label, unit string, on, effect float64, status string) {
		c := Comparison{Grant: g, Metric: metric, Label: label, Unit: unit, Effect: "ratio", Status: status,
			Method: "paired t on log ratios", Ratio: Ratio{Estimate: num(effect), Lo: num(effect * 0.95), Hi: num(effect * 1.05), Level: 0.95}}
		c.On = Side{Estimate: num(on), Lo: num(on * 0.97), Hi: num(on * 1.03)}
		c.Off = Side{Estimate: num(on * effect), Lo: num(on * effect * 0.97), Hi: num(on * effect * 1.03)}
		for b := 1; b <= 5; b++ {
			f := 1 + 0.02*math.Sin(float64(b)*3+k)
			c.On.Runs = append(c.On.Runs, Run{Block: b, Value: on / f, N: 4})
			c.Off.Runs = append(c.Off.Runs, Run{Block: b, Value: on * effect * f, N: 4})
			c.Ratio.Pairs = append(c.Ratio.Pairs, Paired{Block: b, Ratio: effect * f * f})
		}
		r.Comparisons = append(r.Comparisons, c)
	}
	add(MetricThroughput, "Throughput", "tokens/s", 764-150*k, ratio, "confirmatory")
	r.Comparisons[len(r.Comparisons)-1].PDifference = num(0.0004)
	r.Comparisons[len(r.Comparisons)-1].PNonInferior = num(0.0213)
	r.Comparisons[len(r.Comparisons)-1].DetectableLoss = num(0.073)
	add(MetricErrors, "Error share", "share", 0, 0, "confirmatory")
	e := &r.Comparisons[len(r.Comparisons)-1]
	e.Effect, e.Method = "difference", "t on the differences of the pairs"
	e.Ratio = Ratio{Estimate: num(0), Lo: nil, Hi: num(0.0008), Level: 0.95}
	add(MetricLatencyMedian, "Latency p50", "ms", 120+20*k, 1/ratio, "descriptive")
	add(MetricLatencyP99, "Latency p99", "ms", 300+20*k, 1.02/ratio, "descriptive")
	add(MetricAPIManagerCPU, "API Manager CPU", "ratio", 0.71, 1.21, "descriptive")
	add(MetricDatabaseCPU, "Database CPU", "ratio", 0.58, 0.31, "descriptive")
	add(MetricDatabaseIOPS, "Total IOPS", "1/s", 812, 0.08, "descriptive")
	add(MetricAPIManagerCoreMS, "API Manager CPU per token", "core-ms/token", 0.929, 1.16, "descriptive")
	add(MetricDatabaseCoreMS, "Database CPU per token", "core-ms/token", 0.759, 0.25, "descriptive")
	add(MetricIOsPerToken, "I/O per token", "1/token", 1.06, 0.065, "descriptive")
	r.Comparisons[len(r.Comparisons)-5].Warnings = []Warning{{ID: "few-points", Text: "only 4 CloudWatch points per window: measure for longer"}}

	begin := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC).Add(time.Duration(k) * 10 * time.Minute)
	for b := 1; b <= 5; b++ {
		for m, mode := range []string{"on", "off"} {
			d := RunCheck{Grant: g, Persistence: mode, Block: b, Start: begin.Add(time.Duration(2*b+m) * 20 * time.Second).Format(time.RFC3339),
				Seconds: 6, Throughput: num(764 + 10*float64(b)), CV: num(0.043), HalfWidth: num(0.031), Lag1: num(0.12), LoadCPU: num(0.42), ForeignCPU: num(0.03),
				APIManagerCPU: num(0.71 + 0.15*float64(m) + 0.004*float64(b)), DatabaseCPU: num(0.58 - 0.4*float64(m) + 0.003*float64(b))}
			if mode == "off" {
				d.Throughput = num((764 + 10*float64(b)) * ratio)
			}
			if b == 3 && mode == "on" {
				d.Lag1, d.LoadCPU = nil, nil
				d.Warnings = []Warning{{ID: "silence", Text: "1 second without a success: an outage, or the rig stood still <b>"}}
			}
			r.Diagnostics = append(r.Diagnostics, d)
		}
	}
	addLatency(r, g, "on", 120+20*k)
	addLatency(r, g, "off", (120+20*k)/ratio)
	addFigure(r, g, MetricThroughput, "Throughput", "tokens/s", 764-150*k, ratio)
	addFigure(r, g, MetricAPIManagerCPU, "API Manager CPU", "ratio", 0.71, 1.21)
	addFigure(r, g, MetricDatabaseCPU, "Database CPU", "ratio", 0.58, 0.31)
	addFigure(r, g, MetricDatabaseIOPS, "Total IOPS", "1/s", 812, 0.08)
	r.Provenance.Inputs = append(r.Provenance.Inputs,
		Source{Kind: "jtl", Name: "jtl/" + g + "-on-1.jtl", SHA256: "4f2c0d7be0aa11223344", Count: 4584, Range: "2026-07-01T10:00:20.000Z/2026-07-01T10:00:26.100Z"},
		Source{Kind: "tsdb", Name: "database_cpu", Query: `rds_cpu_utilization_ratio{job="token-persistence"}`, SHA256: "ab", Count: 6, Range: "2026-07-01T10:00:20.000Z/2026-07-01T10:00:26.000Z"})
}

// addLatency appends a long-tailed distribution around a median.
func addLatency(r *Report, g, mode string, median float64) {
	l := Latency{Grant: g, Persistence: mode, Windows: 5, Requests: 22_920}
	for _, share := range []float64{0.001, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1} {
		l.Shares = append(l.Shares, share)
		l.Milliseconds = append(l.Milliseconds, math.Round(median*math.Pow(1.0001/(1.0001-share), 0.4)*0.76))
	}
	r.Latencies = append(r.Latencies, l)
}

func addFigure(r *Report, g, metric, label, unit string, on, effect float64) {
	f := Figure{Grant: g, Metric: metric, Label: label, Unit: unit, Warmup: 2}
	for b := 1; b <= 5; b++ {
		for _, mode := range []string{"on", "off"} {
			level := on
			if mode == "off" {
				level = on * effect
			}
			l := Line{Persistence: mode, Block: b}
			for s := range 6 {
				ramp := 1 - 0.5*math.Exp(-1.2*float64(s+1))
				l.Seconds = append(l.Seconds, float64(s)+0.5)
				l.Values = append(l.Values, level*ramp*(1+0.05*math.Sin(float64(s*7+b*3)+effect*10)))
			}
			f.Lines = append(f.Lines, l)
		}
	}
	r.Figures = append(r.Figures, f)
}
