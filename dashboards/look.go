package main

import (
	"fmt"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

// Colours mean the same on every dashboard: blue is persistence on, orange is
// off; violet is API Manager, teal is the database. Green, yellow and red say
// how well something is and are used for nothing else. Names are Grafana's and
// follow its light and dark theme.
const (
	colourOn       = "blue"
	colourPossible = "light-blue"
	colourOff      = "orange"
	colourAPIM     = "#A352CC"
	colourAPIMDark = "#6B2C91"
	colourAPIMPale = "#C990E4"
	colourDatabase = "#1C9A9A"
	colourDBPale   = "#6FCBC6"
	colourDBDark   = "#0B6363"
	colourRest     = "#8E949C"
	colourGood     = "green"
	colourWarning  = "semi-dark-yellow"
	colourCritical = "red"
	colourInfo     = "semi-dark-purple"
)

// Units as Grafana names them.
const (
	unitShare   = "percentunit"
	unitSeconds = "s"
	unitBytes   = "bytes"
	unitThrough = "binBps"
	unitCount   = "short"
	unitTime    = "dateTimeAsIso"
	unitTokens  = "suffix:tokens/s"
	unitRows    = "suffix:rows/s"
	unitEach    = "suffix:/s"
)

// need is a collector or a switch without which a panel has no data, in the
// words that the panel then shows.
type need string

// Whoever reads these words looks at an empty panel: say what fills it.
const (
	needEndpoint   need = "no token request in view, or the exporter lacks --collector.endpoint.access-log"
	needLatency    need = "no token request in view, or the log pattern has no %D: see --collector.endpoint.log-pattern"
	needHosts      need = "give the exporter --cloudwatch.ec2-instance=apim=ID"
	needRDS        need = "give the exporter --cloudwatch.rds-instance"
	needDatabase   need = "give the exporter --mysqld.address"
	needProcess    need = "MySQL shows it to accounts with PROCESS only; the exporter does without"
	needPerformers need = "performance_schema is off, or --no-collector.statements is given: see docs/missing.md"
	needTax        need = "nothing ran, too much could not be attributed, or performance_schema is off: see docs/missing.md"
	needTableIO    need = "performance_schema is off, or --no-collector.tableio is given: see docs/missing.md"
	needCensus     need = "the first census has not ended, or the tables have more rows than --collector.census.max-rows"
	needSchema     need = "not looked at yet, or --no-collector.schema is given"
	needRules      need = "unknown: too few tokens to tell, or alerts/rules is not loaded into Prometheus"
	needWindows    need = "no such stretch in view: widen the time range, or type a window's end as Unix time"
	needExporter   need = "no exporter answers under this job"
)

// palette gives each series the next of Grafana's colours.
const palette = "palette-classic"

// fixed gives a series its colour.
func fixed(series, of string) colour { return colour{series: series, colour: of} }

// shadesOf gives each of several databases its own shade of one colour.
func shadesOf(series, of string) colour { return colour{series, of, true} }

// tableColours are the same in every graph: blue what switching persistence off
// ends, orange what it begins.
func tableColours() []colour {
	return []colour{
		fixed("IDN_OAUTH2_ACCESS_TOKEN", colourOn), fixed("IDN_OAUTH2_ACCESS_TOKEN_SCOPE", "light-blue"),
		fixed("IDN_OAUTH2_ACCESS_TOKEN_AUDIT", "super-light-blue"),
		fixed("IDN_INVALID_TOKENS", colourOff), fixed("AM_REVOKED_JWT", "super-light-orange"),
	}
}

// grantColours tell grants apart in shades of blue: all of their rows are there
// because of persistence.
func grantColours() []colour {
	return []colour{
		shadesOf("/.*/", colourOn), fixed("client_credentials", "super-light-blue"), fixed("password", colourOn), fixed("refresh_token", "dark-blue"),
	}
}

// severityColour is the colour of what is past a limit.
func severityColour(s thresholds.Severity) string {
	switch s {
	case thresholds.Critical:
		return colourCritical
	case thresholds.Warning:
		return colourWarning
	default:
		return colourInfo
	}
}

// steps returns Grafana's thresholds for the limits of a panel, from least to
// most. fine is the colour where no limit is passed.
func steps(fine string, ids []string) ([]object, error) {
	var above, below []thresholds.Threshold
	for _, id := range ids {
		t, err := thresholds.Get(id)
		if err != nil {
			return nil, err
		}
		if t.Below {
			below = append(below, t)
		} else {
			above = append(above, t)
		}
	}
	if len(above) > 0 && len(below) > 0 {
		return nil, fmt.Errorf("limits %v: some are bad above and some below", ids)
	}
	out := []object{{"color": fine, "value": nil}}
	for _, t := range above {
		out = append(out, object{"color": severityColour(t.Severity), "value": t.Value})
	}
	for _, t := range below { // the colour belongs to what lies under the limit
		out[len(out)-1]["color"] = severityColour(t.Severity)
		out = append(out, object{"color": fine, "value": t.Value})
	}
	for i := 2; i < len(out); i++ {
		if out[i]["value"].(float64) <= out[i-1]["value"].(float64) {
			return nil, fmt.Errorf("limits %v: want them from least to most", ids)
		}
	}
	return out, nil
}
