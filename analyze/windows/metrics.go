package windows

import (
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// TokenInserts is the series of the rows put into the token table, which tells the
// mode best, by performance_schema.
const TokenInserts = "token_inserts"

// Names of the other series that tell modes and grants apart.
const (
	invalidInserts    = "invalid_inserts"    // rows put into the table of void refresh tokens
	insertStatements  = "insert_statements"  // statements that put a row into the token table
	invalidStatements = "invalid_statements" // statements that put one into that of void refresh tokens
	latestStatements  = "latest_statements"  // look-ups of a stored token to hand out again
	refreshStatements = "refresh_statements" // look-ups by refresh token
	logOn, logOff     = "log_on", "log_off"  // API Manager nodes by the mode that their log names
	rowsOf            = "rows_"              // before a grant: rows seen in the token table
)

// refresh is the one grant that leaves traces with persistence off.
const refresh = "refresh_token"

// grants are those by which the exporter counts rows.
var grants = []string{
	"authorization_code", "client_credentials", "device_code", "implicit", "iwa:ntlm", "organization_switch", "other", "password", refresh,
	"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer",
	"urn:ietf:params:oauth:grant-type:token-exchange", "urn:openid:params:grant-type:ciba",
}

// Metrics are what a recording has to hold beside the token requests, as far as
// it does.
func Metrics() []source.Metric {
	const rowOperations, statements, mode = "wso2_token_table_io_operations_total", "wso2_token_statement_executions_total", "wso2_token_persistence_log_mode"
	out := []source.Metric{
		{Name: TokenInserts, Metric: rowOperations, Labels: map[string]string{"operation": "insert", "table": "IDN_OAUTH2_ACCESS_TOKEN"}},
		{Name: invalidInserts, Metric: rowOperations, Labels: map[string]string{"operation": "insert", "table": "IDN_INVALID_TOKENS"}},
		{Name: insertStatements, Metric: statements, Labels: map[string]string{"kind": "insert_token"}},
		{Name: invalidStatements, Metric: statements, Labels: map[string]string{"kind": "insert_invalid_token"}},
		{Name: latestStatements, Metric: statements, Labels: map[string]string{"kind": "select_latest"}},
		{Name: refreshStatements, Metric: statements, Labels: map[string]string{"kind": "select_by_refresh_token"}},
		{Name: logOn, Metric: mode, Labels: map[string]string{"mode": "on"}, Gauge: true},
		{Name: logOff, Metric: mode, Labels: map[string]string{"mode": "off"}, Gauge: true},
	}
	for _, g := range grants {
		out = append(out, source.Metric{Name: rowsOf + g, Metric: "wso2_token_rows_observed_total", Labels: map[string]string{"grant_type": g}})
	}
	return out
}

// evidence is what was recorded beside the token requests.
type evidence struct {
	series map[string]source.Series
	period map[string]time.Duration // from one reading of a counter to the next
}

func newEvidence(series map[string]source.Series) evidence {
	e := evidence{series, map[string]time.Duration{}}
	for name, s := range series {
		e.period[name] = period(s)
	}
	return e
}

// period is the shortest time between two rises of a counter: one that the
// exporter reads on a schedule of its own stands still between.
func period(s source.Series) time.Duration {
	var shortest time.Duration
	var last time.Time
	for _, in := range s.Intervals {
		if in.Increase <= 0 {
			continue
		}
		if step := in.To.Sub(last); !last.IsZero() && (shortest == 0 || step < shortest) {
			shortest = step
		}
		last = in.To
	}
	return max(shortest, s.Step)
}

// slow says that a counter is read more seldom than it is scraped.
func (e evidence) slow(name string) bool {
	return float64(e.period[name]) > 1.5*float64(e.series[name].Step)
}

// leastReadings of a slow counter are needed within a stretch of time before its
// increase over that time means anything.
const leastReadings = 10

// per is a counter's increase per token between two times; not known where the
// counter is absent, not covered, or read too seldom.
func (e evidence) per(name string, from, to time.Time, tokens float64) (ratio float64, known bool) {
	s, ok := e.series[name]
	if !ok || tokens <= 0 || e.slow(name) && to.Sub(from) < leastReadings*e.period[name] {
		return 0, false
	}
	increase, known := s.Over(from, to)
	return increase / tokens, known
}

// rows are the rows seen of every grant between two times, and their sum. They
// are not known where no grant is.
func (e evidence) rows(from, to time.Time) (byGrant map[string]float64, sum float64, known bool) {
	byGrant = map[string]float64{}
	for _, g := range grants {
		s, ok := e.series[rowsOf+g]
		if !ok {
			continue
		}
		if n, covered := s.Over(from, to); covered {
			byGrant[g] = n
			sum += n
			known = true
		}
	}
	return byGrant, sum, known
}

// logged is the mode that the logs of all nodes agree on between two times, ""
// where they do not or are not read.
func (e evidence) logged(from, to time.Time) source.Mode {
	on, off := mostBetween(e.series[logOn], from, to), mostBetween(e.series[logOff], from, to)
	switch {
	case on > 0 && off == 0:
		return source.On
	case off > 0 && on == 0:
		return source.Off
	}
	return ""
}

func mostBetween(s source.Series, from, to time.Time) float64 {
	most := 0.0
	for _, p := range s.Points {
		if p.Time.Add(s.Step).After(from) && p.Time.Before(to) {
			most = max(most, p.Value)
		}
	}
	return most
}
