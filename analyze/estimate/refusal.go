package estimate

import (
	"fmt"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Limits beyond which there is no estimate, or a warning beside it.
const (
	leastReadings    = 3    // intervals between readings of the statement summaries
	fewReadings      = 10   // fewer get a warning
	leastPoints      = 3    // of a CPU series
	mostUncovered    = 0.1  // of the time, without a count of requests
	longGap          = 3    // times the usual distance of readings
	mostGap          = 0.2  // of the time, as one gap
	mostUnattributed = 0.05 // of the executions, as the exporter's own limit
	someUnattributed = 0.01
	leastRows        = 0.5 // inserted token rows per token: less is not persistence on
	mostRows         = 1.5
	expectedLo       = 0.95
	expectedHi       = 1.05
	mostlyIdle       = 0.3 // of the busier host
	mostSeen         = 1.1 // times the database's CPU, as processor time of statements
)

// refusal says why there is no estimate and what to change, "" when there is one.
func refusal(p Present) string {
	switch {
	case len(p.Problems) > 0:
		return strings.Join(p.Problems, "; ")
	case p.Readings == 0:
		return "no statements were counted: the exporter's collector statements has to run, and the range has to hold its data (--start, --end, --match)"
	case p.Readings < leastReadings:
		return fmt.Sprintf("only %d intervals between readings of the statement summaries lie in the range, %d are needed: give a longer range, or run the exporter with a shorter --collector.statements.interval", p.Readings, leastReadings)
	case p.Resets > 0:
		return "a counter went back: the exporter was restarted within the range, and what it missed would be taken for idleness; choose a range without a restart"
	case p.Gap > longGap*p.Step && p.Gap.Seconds() > mostGap*p.Seconds:
		return fmt.Sprintf("%s of the range pass between two readings of the statement summaries: scrapes are missing; choose a range without the gap", p.Gap.Round(time.Second))
	case p.Tokens <= 0 || p.Throughput == nil || *p.Throughput <= 0:
		return "no successful token request was counted: let the exporter read API Manager's access log (collector endpoint), and choose a range with load"
	case p.Uncovered.Seconds() > mostUncovered*p.Seconds:
		return fmt.Sprintf("for %s of the %.0f s the endpoint counter has no samples: choose a range without gaps in the scrapes", p.Uncovered.Round(time.Second), p.Seconds)
	case p.All.Executions <= 0:
		return "no samples of mysql_statement_executions_total: the exporter's collector statements has to run"
	}
	if text := wrongMode(p); text != "" {
		return text
	}
	return noCPU(p)
}

// wrongMode says that persistence is not on.
func wrongMode(p Present) string {
	rows := p.Kinds[insertToken].Executions / p.Tokens
	switch {
	case p.NodesOff > 0:
		return fmt.Sprintf("the log of %.0f API Manager nodes says that persistence is off: an estimate needs a range with persistence on everywhere", p.NodesOff)
	case rows < leastRows:
		return fmt.Sprintf("%.2f token rows are inserted per token: persistence is off, or most tokens are opaque ones given again; an estimate needs JWT tokens and persistence on", rows)
	case rows > mostRows:
		return fmt.Sprintf("%.2f token rows are inserted per counted token: the exporter does not see the access logs of all API Manager nodes at this database, so the cost per token is unknown; let it read all of them", rows)
	case p.unknown() > mostUnattributed*p.All.Executions:
		return fmt.Sprintf("%.0f of %.0f statements cannot be attributed to a kind: see wso2_token_statement_unattributed_total for the reason and its fix", p.Unattributed+p.Uncounted, p.All.Executions)
	}
	return ""
}

// unknown counts the executions of no known kind. The exporter compares counts
// that it reads up to a tenth of a second apart, at every reading: what that
// alone can explain is left out.
func (p Present) unknown() float64 {
	const apart = 0.1 // s
	noise := apart * ratioOf(p.All.Executions, p.Step.Seconds())
	return p.Unattributed + max(0, p.Uncounted-noise)
}

// noCPU says what of the hosts' CPU is unknown.
func noCPU(p Present) string {
	for _, h := range []struct {
		name, flag, series string
		vcpus, points      int
		known              bool
	}{
		{apimName, "--apim-vcpus (environment.apim.vcpus)", "ec2_cpu_utilization_ratio{role=\"apim\"}", p.APIManagerVCPUs, p.APIManagerPoints, p.APIManagerCoreMS != nil && p.APIManagerCPU != nil},
		{databaseName, "--database-vcpus (environment.database.vcpus)", "rds_cpu_utilization_ratio", p.DatabaseVCPUs, p.DatabasePoints, p.DatabaseCoreMS != nil && p.DatabaseCPU != nil},
	} {
		switch {
		case h.vcpus < 1:
			return fmt.Sprintf("the vCPUs of the %s are unknown: give %s", h.name, h.flag)
		case !h.known:
			return fmt.Sprintf("the CPU of the %s is unknown: no usable samples of %s in the range; configure it in the exporter, or choose a range that has it", h.name, h.series)
		case h.points < leastPoints:
			return fmt.Sprintf("the CPU of the %s has %d points in the range, %d are needed: give a longer range", h.name, h.points, leastPoints)
		}
	}
	return ""
}

// warnings weaken the numbers.
func warnings(m model) []report.Warning {
	var out []report.Warning
	warn := func(id, format string, args ...any) {
		out = append(out, report.Warning{ID: id, Text: fmt.Sprintf(format, args...)})
	}
	p := m.p
	if !p.CPUMeasured {
		warn("statement-time", "the server does not measure the processor time of statements (MySQL from 8.0.28 on does, with the consumer events_statements_cpu): their time, which is mostly waiting, stands for it, scaled to the database's CPU")
	} else if seen := 1000 * p.All.CPUSeconds / p.Tokens; seen > mostSeen*m.database {
		warn("cpu-mismatch", "statements took %.3g core-ms per token of a processor, and the database's CPU shows %.3g: check --database-vcpus and that both are the same server", seen, m.database)
	}
	if rows := p.Kinds[insertToken].Executions / p.Tokens; rows < expectedLo || rows > expectedHi {
		warn("rows", "%.2f token rows are inserted per token where 1 is expected: opaque tokens that are given again, failed requests, or an access log that is not read", rows)
	}
	if p.unknown() > someUnattributed*p.All.Executions {
		warn("unattributed", "%.1f %% of the statements cannot be attributed to a kind", 100*p.unknown()/p.All.Executions)
	}
	if p.Readings < fewReadings {
		warn("few-readings", "only %d intervals between readings of the statement summaries: a longer range says more", p.Readings)
	}
	if busy := max(*p.APIManagerCPU, *p.DatabaseCPU); busy < mostlyIdle {
		warn("low-load", "the busier host is %.0f %% busy: where two vCPUs share a core, CPU per token rises with the load, so both capacities are less than shown; their ratio suffers less", 100*busy)
	}
	if p.Gap > longGap*p.Step {
		warn("gap", "%s pass between two readings of the statement summaries: scrapes are missing", p.Gap.Round(time.Second))
	}
	if others := m.rowsBesides(); others == 0 && 1-m.refresh > fewRows {
		warn("mix", "no token row tells the grants of %.0f %% of the tokens: how many get a second signature is unknown; let the collector tokens run", 100*(1-m.refresh))
	}
	if m.refresh > 0 && p.InvalidTokensIndex != nil && !*p.InvalidTokensIndex {
		warn("no-index", "IDN_INVALID_TOKENS has no index over TOKEN_IDENTIFIER and CONSUMER_KEY: every refresh would read all of the table, which grows with every refresh, and no estimate holds for long; create the index before switching off")
	}
	return out
}
