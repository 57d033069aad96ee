package source

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// counters are two minutes of an exporter that reads the statements every 30 s
// and is scraped every 15 s; 1782900000 is 10:00:00. Between its readings at
// 10:00:20 and 10:01:50 it counts 900 tokens with one row each.
const counters = `
wso2_token_statement_read_timestamp_seconds{instance="e"} 1782899990 1782899990 1782900020 1782900020 1782900050 1782900050 1782900080 1782900080 1782900110
wso2_token_statement_executions_total{instance="e",kind="insert_token",purpose="persistence"} 100 100 400 400 700 700 1000 1000 1300
wso2_token_statement_seconds_total{instance="e",kind="insert_token",purpose="persistence"} 1 1 4 4 7 7 10 10 13
wso2_token_statement_lock_seconds_total{instance="e",kind="insert_token",purpose="persistence"} 0 0 0 0 0 0 1 1 1
wso2_token_statement_cpu_seconds_total{instance="e",kind="insert_token",purpose="persistence"} 0 0 0.2 0.2 0.4 0.4 0.6 0.6 0.8
mysql_statement_executions_total{instance="e"} 500 500 1500 1500 2500 2500 3500 3500 4500
mysql_statement_seconds_total{instance="e"} 0 0 10 10 20 20 30 30 40
mysql_statement_lock_seconds_total{instance="e"} 0x8
mysql_statement_cpu_seconds_total{instance="e"} 0 0 1 1 2 2 3 3 4
wso2_token_statement_unattributed_total{instance="e",reason="digest_lost"} 0 0 1 1 2 2 3 3 4
wso2_token_statement_unattributed_total{instance="e",reason="uncounted"} 0 0 2 2 4 4 6 6 8
token_persistence_exporter_collector_success{collector="endpoint",instance="e"} 1x8
wso2_token_endpoint_requests_total{code="2xx",endpoint="token",instance="e",method="POST"} 0+150x8
wso2_token_endpoint_requests_total{code="4xx",endpoint="token",instance="e",method="POST"} 0+15x8
wso2_token_endpoint_requests_total{code="2xx",endpoint="introspect",instance="e",method="POST"} 0+30x8
wso2_token_rows_observed_total{grant_type="password",instance="e"} 0+100x8
wso2_token_rows_observed_total{grant_type="client_credentials",instance="e"} 0+50x8
wso2_token_persistence_log_mode{instance="e",mode="on"} 2x8
wso2_token_persistence_log_mode{instance="e",mode="off"} 0x8
wso2_token_schema_index_present{index="IDX_TOKEN_CONSUMER",instance="e",table="IDN_INVALID_TOKENS"} 1x8
wso2_token_schema_index_present{index="PRIMARY",instance="e",table="IDN_INVALID_TOKENS"} 0x8
`

// usageReader reads two minutes from a database.
func usageReader(db database) *windowReader {
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	return &windowReader{
		window: Window{Grant: "all", Mode: On, Start: start, End: start.Add(2 * time.Minute)},
		db:     db, seen: map[string]answer{}, series: map[string]Series{},
	}
}

func usageOf(t *testing.T, text string) (Usage, []Problem) {
	t.Helper()
	r := usageReader(held(t, text))
	u, err := r.usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u, r.problems
}

// TestUsage counts statements and tokens over the time between readings.
func TestUsage(t *testing.T) {
	u, problems := usageOf(t, counters)
	if len(problems) > 0 {
		t.Errorf("problems %+v", problems)
	}
	insert := u.Kinds["insert_token"]
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"readings", float64(u.Readings), 3},
		{"length", u.To.Sub(u.From).Seconds(), 90},
		{"gap", u.Gap.Seconds(), 30},
		{"inserts", insert.Executions, 900},
		{"insert time", insert.Seconds, 9},
		{"insert locks", insert.LockSeconds, 1},
		{"insert CPU", insert.CPUSeconds, 0.6},
		{"all executions", u.All.Executions, 3000},
		{"all CPU", u.All.CPUSeconds, 3},
		{"unattributed", u.Unattributed, 3},
		{"uncounted", u.Uncounted, 6},
		{"tokens", u.Tokens, 900},
		{"introspections", u.Introspections, 180},
		{"uncovered", u.Uncovered.Seconds(), 0},
		{"password rows", u.Rows["password"], 800},
		{"nodes on", u.Modes["on"], 2},
		{"nodes off", u.Modes["off"], 0},
		{"resets", float64(u.Resets), 0},
	} {
		if near(c.got, c.want) != nil {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if !u.CPUMeasured || u.Purposes["insert_token"] != "persistence" || u.InvalidTokensIndex == nil || !*u.InvalidTokensIndex {
		t.Errorf("CPU measured %t, purpose %q, index %v", u.CPUMeasured, u.Purposes["insert_token"], u.InvalidTokensIndex)
	}
}

// TestUsageTrouble lists what a reader must notice.
func TestUsageTrouble(t *testing.T) {
	drop := func(metric string) string {
		var kept []string
		for line := range strings.Lines(counters) {
			if !strings.HasPrefix(line, metric) {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "")
	}
	for _, c := range []struct {
		name, text, says string
		check            func(Usage) bool
	}{
		{"no statements", drop("wso2_token_statement_read"), "collector statements", func(u Usage) bool { return u.Readings == 0 }},
		{"two exporters", counters + strings.ReplaceAll(counters, `instance="e"`, `instance="f"`), "2 exporters read", func(u Usage) bool { return u.Readings == 0 }},
		{"one reading", strings.ReplaceAll(counters, "1782899990 1782899990 1782900020 1782900020 1782900050 1782900050 1782900080 1782900080 1782900110", "1782900020x8"), "fewer than two readings", func(u Usage) bool { return u.Readings == 0 }},
		{"processor time not measured", drop("mysql_statement_cpu"), "", func(u Usage) bool { return !u.CPUMeasured && u.Readings == 3 }},
		{"the exporter was restarted", strings.ReplaceAll(counters, "500 500 1500 1500 2500 2500 3500 3500 4500", "500 500 1500 1500 2500 2500 10 10 1010"), "", func(u Usage) bool { return u.Resets == 1 }},
		{"no access log", drop("wso2_token_endpoint_requests_total{code=\"2xx\",endpoint=\"token\""), "", func(u Usage) bool { return u.Tokens == 0 }},
		{"the log's exporter fell silent", strings.ReplaceAll(strings.ReplaceAll(counters, `endpoint",instance="e"} 1x8`, `endpoint",instance="e"} 1x7`), "0+150x8", "0+150x7"), "", func(u Usage) bool {
			return u.Uncovered == 5*time.Second && near(u.Tokens, 900) == nil
		}},
		// The database's clock is a day behind: the scrapes tell the time.
		{"another clock", strings.ReplaceAll(counters, "17829", "17828"), "", func(u Usage) bool {
			return u.Readings == 4 && u.Kinds["insert_token"].Executions == 1200 && u.To.Sub(u.From) == 2*time.Minute
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, problems := usageOf(t, c.text)
			if !c.check(u) {
				t.Errorf("%+v", u)
			}
			said := ""
			for _, p := range problems {
				said += p.Text
			}
			if (c.says == "") != (said == "") || !strings.Contains(said, c.says) {
				t.Errorf("problems %q, want %q", said, c.says)
			}
		})
	}
}

// TestUsagePlus adds windows; one without data changes nothing.
func TestUsagePlus(t *testing.T) {
	u, _ := usageOf(t, counters)
	twice := Usage{}.Plus(u).Plus(Usage{}).Plus(u)
	if twice.Tokens != 2*u.Tokens || twice.Readings != 6 || twice.Kinds["insert_token"].CPUSeconds != 2*u.Kinds["insert_token"].CPUSeconds ||
		twice.Rows["password"] != 2*u.Rows["password"] || twice.Uncovered != 0 || u.Kinds["insert_token"].Executions != 900 {
		t.Errorf("%+v", twice)
	}
}

// TestReadUsageSources refuses sources without the exporter's families.
func TestReadUsageSources(t *testing.T) {
	for _, spec := range []Spec{{Kind: "csv"}, {Kind: "prometheus", Profile: "mysqld_exporter"}, {}} {
		if _, _, _, err := ReadUsage(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "profile exporter") {
			t.Errorf("%+v: %v", spec, err)
		}
	}
	if _, _, _, err := ReadUsage(t.Context(), Spec{Kind: "tsdb", TSDB: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "no wal folder") {
		t.Errorf("an empty folder: %v", err)
	}
}

// listening notes the queries that a database is asked.
type listening struct {
	database
	queries map[string]bool
}

func (l listening) fetch(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	l.queries[query] = true
	return l.database.fetch(ctx, query, from, to)
}

// TestUsageMeetsContract holds the queries against what the exporter exposes.
func TestUsageMeetsContract(t *testing.T) {
	f, err := os.Open(contract)
	if err != nil {
		t.Fatal(err)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(f)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	l := listening{held(t, counters), map[string]bool{}}
	if _, err := usageReader(l).usage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(l.queries) < 15 {
		t.Errorf("%d queries were asked", len(l.queries))
	}
	for query := range l.queries {
		checkQuery(t, "usage", query, families)
	}
}
