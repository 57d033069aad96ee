package main

import (
	"fmt"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/reference"
	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// compare holds the second of the two pictures to remember: the published
// comparison, on the user's own system.
//
// A window is named by its end and has a length. Both are variables, so that a
// figure is computed over exactly that time with the modifier @, whatever the
// dashboard shows: an average over a trailing interval would mix one window
// with the one before.
func compare() board {
	return board{
		name: "compare", title: "On against off",
		question: "What changes when token persistence is switched off: throughput, response time, CPU of both hosts, I/O and the cost of one token, in two windows side by side.",
		variables: []variable{
			{name: "grant", label: "Grant", all: true, query: "label_values(" + testwindow.End + ", grant)"},
			windowVariable("on_end", "Window with persistence on", "on", 1),
			windowVariable("off_end", "Window with persistence off", "off", 0),
			{name: "length", label: "Length of each, seconds", free: true, regex: lastNumber,
				query: "query_result(max(last_over_time(" + testwindow.End + `{grant=~"$grant"}[$__range]) - last_over_time(` + testwindow.Start + `{grant=~"$grant"}[$__range])) or on () vector(300))`},
			{name: "lag", label: "CloudWatch's delay, seconds", free: true, regex: lastNumber,
				query: "query_result(clamp_min(round(quantile_over_time(0.5, (time() - max(" + ofRDS("rds_datapoint_timestamp_seconds", `metric="CPUUtilization"`) + "))[$__range:1m])), 1) or on () vector(1))"},
		},
		lines: []line{
			{height: 4, panels: windowTiles()},
			{section: "What changes? Blue: tokens are stored. Orange: they are not.", height: 9, panels: comparison(changes())},
			{section: "What does one token cost?", height: 8, panels: comparison(perTokenCosts())},
			{section: "In the course of time", height: 7, panels: courses()[:2]},
			{height: 7, panels: courses()[2:]},
			{height: 9, panels: explanations()},
		},
	}
}

// lastNumber takes the value out of what query_result gives: {labels} value time.
const lastNumber = `/ (?<value>\d+)(?:\.\d+)? \d+$/`

// windowVariable offers the test windows of a mode, or the end of the latest
// stretch in that mode, less the two minutes that the rule looks back. 0 is no
// window: its panels say so.
func windowVariable(name, label, mode string, value int) variable {
	return variable{
		name: name, label: label, free: true, regex: `/window="(?<text>[^"]+)".* (?<value>\d+)(?:\.\d+)? \d+$/`,
		query: "query_result(sort_desc(last_over_time(" + testwindow.End + fmt.Sprintf(`{persistence=%q,grant=~"$grant"}[$__range])) or on () `, mode) +
			fmt.Sprintf(`label_replace(floor(max(max_over_time(timestamp(%s == %d)[$__range:1m]))) - 120, "window", "latest stretch", "", "") or on () `, modeRule, value) +
			`label_replace(vector(0), "window", "none in view", "", ""))`,
	}
}

// figure is a measure of one window. In expr END is the window's end, LENGTH
// how long it is, and LAGGED its end for CloudWatch, whose values arrive late.
type figure struct {
	title, unit, expr string
	digits            *int
	share             bool
	need              need
	about             about
}

var (
	windowTokens = "sum(increase(" + tokenRequests + "[LENGTH] @ END))"
	windowRate   = "(" + windowTokens + " / $length > 0)"
	windowAPIM   = "avg(avg_over_time(" + apimCPU + "[LENGTH] LAGGED))"
	windowDBCPU  = "avg(avg_over_time(" + ofRDS("rds_cpu_utilization_ratio") + "[LENGTH] LAGGED))"
	windowIOPS   = "sum(avg_over_time(" + ofRDS("rds_total_iops") + "[LENGTH] LAGGED))"
)

// in puts a window into an expression.
func in(end, expr string) string {
	return strings.NewReplacer("LENGTH", "${length}s", "LAGGED", "@ $"+end+" offset -${lag}s", "END", "$"+end).Replace(expr)
}

// pair asks for a figure in both windows.
func pair(expr string) []query {
	return []query{{expr: in("on_end", expr), legend: "on"}, {expr: in("off_end", expr), legend: "off"}}
}

// modes is the one pair of colours that both modes have everywhere.
func modes() []colour { return []colour{fixed("on", colourOn), fixed("off", colourOff)} }

func windowTiles() []panel {
	when := about{
		"When the compared window ended. Choose another one at the top: a test window, or any time as Unix seconds.",
		"variables of this dashboard.", "a window in which something else ran as well.",
		"choose windows of the same load that lie near each other, then a pair in the other order.",
	}
	return []panel{
		{
			kind: stat, title: "Persistence on until", width: 6, unit: unitTime, need: needWindows, about: when,
			queries: []query{{expr: "vector($on_end * 1000) > 0", legend: "on"}}, colours: modes()[:1],
		},
		{
			kind: stat, title: "Persistence off until", width: 6, unit: unitTime, need: needWindows, about: when,
			queries: []query{{expr: "vector($off_end * 1000) > 0", legend: "off"}}, colours: modes()[1:],
		},
		{
			kind: stat, title: "Tokens issued in the windows", width: 6, unit: unitCount, named: true, need: needWindows,
			about: about{
				"How many tokens the figures of each window rest on.", "collector endpoint (access log).",
				"a few hundred: chance decides.", "longer windows, and several pairs of them with `analyze compare`.",
			},
			queries: pair(windowTokens + " > 0"), colours: modes(),
		},
		{
			kind: stat, title: "Requests that failed", width: 6, unit: unitShare, digits: digits(2), named: true, need: needWindows,
			about: about{
				"Share of token requests that did not end with 2xx.", "collector endpoint (access log).",
				"more in one window than in the other: that is not the same load.", "find the cause before you believe the comparison.",
			},
			queries: pair("1 - " + windowTokens + " / (sum(increase(" + allRequests + "[LENGTH] @ END)) > 0)"), colours: modes(),
		},
	}
}

// changes are what WSO2 published, and the response time that goes with it.
func changes() []figure {
	return []figure{
		{
			title: "Throughput", unit: unitTokens, digits: digits(0), expr: windowRate, need: needWindows,
			about: about{
				"Tokens issued per second over the window.", "collector endpoint (access log).",
				"less with persistence off: API Manager has no CPU for the second signature of refresh tokens.", "more vCPUs for API Manager: `analyze project`.",
			},
		},
		{
			title: "Response time, p95", unit: unitSeconds, need: needLatency,
			expr: "histogram_quantile(0.95, sum by (le) (rate(" + ofJob("wso2_token_endpoint_request_duration_seconds_bucket", `endpoint="token"`) + "[LENGTH] @ END))) >= 0",
			about: about{
				"95 % of the window's token requests took no longer.", "collector endpoint (access log with %D or %T).",
				"longer in the mode that you want.", "with a fixed number of users it follows from throughput: N = X·R.",
			},
		},
		{
			title: "API Manager CPU", unit: unitShare, digits: digits(0), share: true, expr: windowAPIM, need: needHosts,
			about: about{
				"Mean CPU of API Manager's hosts over the window; the axis ends at 100 %.", "CloudWatch, moved back by its delay.",
				"near 100 %: API Manager limits this mode's throughput.", "compare the cost per token below.",
			},
		},
		{
			title: "Database CPU", unit: unitShare, digits: digits(0), share: true, expr: windowDBCPU, need: needRDS,
			about: about{
				"Mean CPU of the database over the window; the axis ends at 100 %.", "CloudWatch, moved back by its delay.",
				"near 100 %: the database limits this mode's throughput.", "compare the cost per token below.",
			},
		},
		{
			title: "Disk operations per second", unit: "suffix:IOPS", digits: digits(0), expr: windowIOPS, need: needRDS,
			about: about{
				"Mean of reads and writes per second over the window.", "CloudWatch, moved back by its delay.",
				"near what the storage allows.", "compare with the limit on Token Persistence / Database saturation.",
			},
		},
	}
}

// perTokenCosts do not depend on how fast the windows went.
func perTokenCosts() []figure {
	const rule = "more than in the other mode is what the mode costs, whatever the throughput was."
	return []figure{
		{
			title: "API Manager CPU time", unit: unitSeconds, expr: windowAPIM + " / " + windowRate, need: needHosts,
			about: about{
				"How long a token occupies API Manager with all its vCPUs; its inverse is the throughput at 100 % CPU.",
				"CloudWatch over throughput.", rule, "times its vCPUs it is CPU time: `analyze compare` gives it with an interval.",
			},
		},
		{
			title: "Database CPU time", unit: unitSeconds, expr: windowDBCPU + " / " + windowRate, need: needRDS,
			about: about{
				"How long a token occupies the database with all its vCPUs; its inverse is the throughput at 100 % CPU.",
				"CloudWatch over throughput.", rule, "times its vCPUs it is CPU time: `analyze compare` gives it with an interval.",
			},
		},
		{
			title: "Statement time", unit: unitSeconds, need: needPerformers,
			expr: "sum(increase(" + ofDatabase("mysql_statement_seconds_total") + "[LENGTH] @ END)) / (" + windowTokens + " > 0)",
			about: about{
				"Time that all statements of the database took per token, waiting included.", "collector statements over tokens issued.",
				rule, "see which statements on Token Persistence / Token tables.",
			},
		},
		{
			title: "Disk operations", unit: unitCount, digits: digits(2), expr: windowIOPS + " / " + windowRate, need: needRDS,
			about: about{
				"Reads and writes of the database's disk per token.", "CloudWatch over throughput.",
				rule, "times the tokens per second that you expect it must stay below the storage's IOPS.",
			},
		},
		{
			title: "Rows written", unit: unitCount, digits: digits(2), need: needPerformers,
			expr: "sum(increase(" + ofDatabase("mysql_statement_rows_affected_total") + "[LENGTH] @ END)) / (" + windowTokens + " > 0)",
			about: about{
				"Rows that all statements inserted, changed or deleted per token.", "collector statements over tokens issued.",
				rule, "rows that stay make the tables grow: see Token Persistence / Token tables.",
			},
		},
	}
}

// comparison draws each figure as two bars, and below them the change.
func comparison(figures []figure) []panel {
	var out []panel
	for i, f := range figures {
		width := 5
		if i == 1 {
			width = 4 // 24 has no five equal parts
		}
		out = append(out, panel{
			kind: bars, title: f.title, width: width, height: 6, upright: true, unit: f.unit, digits: f.digits, share: f.share,
			need: f.need, about: f.about, queries: pair(f.expr), colours: modes(),
		}, panel{
			kind: stat, title: "off / on", width: width, height: 3, under: true, unit: "prefix:× ", digits: digits(2), plain: true, need: f.need,
			about: about{
				"The figure with persistence off over the one with persistence on, in this one pair of windows; × 1 is no change.", f.about.source,
				"nothing by itself: one pair is no evidence.", "`analyze compare` gives the change with its interval over several pairs.",
			},
			queries: []query{{expr: "(" + in("off_end", f.expr) + ") / (" + in("on_end", f.expr) + ")", legend: "ratio"}},
		})
	}
	return out
}

// during is true while a mode holds: in the test windows of the mode, or where
// none are known by the rule.
func during(mode string, value int) string {
	return fmt.Sprintf(`(max(%s{persistence=%q,grant=~"$grant"} >= time()) or on () (max(%s) == %d unless on () count(last_over_time(%s[$__range]))))`,
		testwindow.End, mode, modeRule, value, testwindow.End)
}

// courses show the same figures over time in the colour of the mode.
func courses() []panel {
	var out []panel
	add := func(title, unit, expr string, share bool, need need, about about) {
		out = append(out, panel{
			kind: graph, title: title, width: 12, unit: unit, share: share, need: need, about: about, colours: modes(), sums: []string{"mean", "max"},
			queries: []query{
				{expr: expr + " and on () " + during("on", 1), legend: "on"},
				{expr: expr + " and on () " + during("off", 0), legend: "off"},
			},
		})
	}
	const bad, act = "figures that drift within a window: it had not settled.", "leave the drift out: a shorter window that ends at the same time."
	add("Throughput", unitTokens, "sum("+rate(tokenRequests)+")", false, needEndpoint, about{"Tokens issued per second in either mode.", "collector endpoint (access log).", bad, act})
	add("Database statement time per token", unitSeconds, "sum("+rate(ofDatabase("mysql_statement_seconds_total"))+") / (sum("+rate(tokenRequests)+") > 0)", false, needEndpoint,
		about{"Time of all statements per issued token in either mode.", "collectors statements and endpoint.", bad, act})
	add("API Manager CPU", unitShare, "avg("+apimCPU+")", true, needHosts, about{"Mean CPU of API Manager's hosts in either mode. It arrives with CloudWatch's delay.", "CloudWatch.", bad, act})
	add("Database CPU", unitShare, "avg("+ofRDS("rds_cpu_utilization_ratio")+")", true, needRDS, about{"Mean CPU of the database in either mode. It arrives with CloudWatch's delay.", "CloudWatch.", bad, act})
	return out
}

func explanations() []panel {
	return []panel{
		{kind: text, title: "What WSO2 published", width: 12, content: published()},
		{kind: text, title: "How to read this", width: 12, content: reading},
	}
}

const reading = `**Two windows, the same load, one difference.** Choose a window with persistence on and one with persistence off at the top. Test windows are offered by name once ` +
	"`go run ./dashboards windows experiment.yaml`" + ` has put them into Prometheus; otherwise the latest stretch in each mode is taken.

- CPU and I/O at *different* throughputs do not compare. The cost of one token does.
- One pair of windows is an anecdote. ` + "`analyze compare`" + ` takes several pairs and gives every change with its interval.
- Before you switch: tokens issued with persistence off are lost when you switch back.
`

// published is the table of WSO2's page, both editions.
func published() string {
	var b strings.Builder
	b.WriteString("Tokens per second with and without persistence, 100 users:\n\n| grant |")
	editions := reference.Editions()
	for _, e := range editions {
		fmt.Fprintf(&b, " %s |", e.Name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(editions)) + "\n")
	for i, cell := range editions[0].Cells {
		fmt.Fprintf(&b, "| %s |", cell.Grant)
		for _, e := range editions {
			c := e.Cells[i]
			fmt.Fprintf(&b, " %.0f → %.0f (%+.0f %%) |", c.On, c.Off, 100*(c.Off/c.On-1))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nNo intervals, durations or repetitions were published, and the graphs of CPU and IOPS carry no numbers. WSO2 says that both fall for every grant.\n")
	return b.String()
}
