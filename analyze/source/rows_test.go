package source

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRowsOf lists what an experiment can make of a profile.
func TestRowsOf(t *testing.T) {
	type asked struct{ Series, Query string }
	const rows = `mysql_info_schema_table_rows{table="IDN_OAUTH2_ACCESS_TOKEN"}`
	mysqld := []asked{
		{DatabaseCPU, "aws_rds_cpuutilization_average"}, {DatabaseIOPS, "aws_rds_read_iops_average"},
		{DatabaseBytes, "mysql_global_status_innodb_data_read"}, {TokenRows, rows},
	}
	for _, c := range []struct {
		name string
		spec Spec
		want []asked
	}{
		{"hosts have to be named", Spec{Profile: "mysqld_exporter"}, mysqld},
		{"hosts", Spec{
			Profile: "mysqld_exporter",
			Select:  map[string]map[string]string{APIManagerCPU: {"instance": "apim:9100"}, LoadGeneratorCPU: {"instance": "jmeter:9100"}},
		}, append([]asked{
			{APIManagerCPU, `node_cpu_seconds_total{instance="apim:9100",mode=~"idle|iowait"}`},
			{LoadGeneratorCPU, `node_cpu_seconds_total{instance="jmeter:9100",mode=~"idle|iowait"}`},
		}, mysqld...)},
		{"matchers and one of its own", Spec{
			Profile: "mysqld_exporter", Matchers: map[string]string{"job": "yace", "env": "perf"},
			Select: map[string]map[string]string{DatabaseCPU: {"env": "load", "dimension_DBInstanceIdentifier": "db"}},
		}, []asked{
			{DatabaseCPU, `aws_rds_cpuutilization_average{dimension_DBInstanceIdentifier="db",env="load",job="yace"}`},
			{DatabaseIOPS, `aws_rds_read_iops_average{env="perf",job="yace"}`},
			{DatabaseBytes, `mysql_global_status_innodb_data_read{env="perf",job="yace"}`},
			{TokenRows, `mysql_info_schema_table_rows{env="perf",job="yace",table="IDN_OAUTH2_ACCESS_TOKEN"}`},
		}},
		{"a query, which matchers do not touch", Spec{
			Profile: "mysqld_exporter", Matchers: map[string]string{"job": "yace"},
			Queries: map[string]string{DatabaseCPU: `mysql_cpu{job="x"}`, DatabaseIOPS: `sum(rate(io[1m]))`},
		}, []asked{
			{DatabaseCPU, `mysql_cpu{job="x"}`}, {DatabaseIOPS, `sum(rate(io[1m]))`},
			{DatabaseBytes, `mysql_global_status_innodb_data_read{job="yace"}`}, {TokenRows, `mysql_info_schema_table_rows{job="yace",table="IDN_OAUTH2_ACCESS_TOKEN"}`},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, problems, err := rowsOf(c.spec)
			if err != nil {
				t.Fatal(err)
			}
			var got []asked
			for _, r := range rows {
				got = append(got, asked{r.series, r.ask()})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			named := len(c.spec.Select[APIManagerCPU]) > 0
			if said := len(problems) == 1 && strings.Contains(problems[0].Text, "select: {apim_cpu: "); said == named {
				t.Errorf("problems %+v", problems)
			}
		})
	}
}

// TestSelectionReplaces lets a selection take the place of the profile's own
// matcher, in the query and in what belongs to it.
func TestSelectionReplaces(t *testing.T) {
	rows, _, err := rowsOf(Spec{Select: map[string]map[string]string{APIManagerCPU: {"role": "gateway"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.series == APIManagerCPU && (r.ask() != `ec2_cpu_utilization_ratio{role="gateway"}` || r.stamp.String() != `ec2_datapoint_timestamp_seconds{metric="CPUUtilization",role="gateway"}`) {
			t.Errorf("asks %s at %s", r.ask(), r.stamp)
		}
	}
	for _, r := range exporterRows {
		if r.series == APIManagerCPU && r.ask() != `ec2_cpu_utilization_ratio{role="apim"}` {
			t.Errorf("the profile has changed: %s", r.ask())
		}
	}
}

// TestWrongRows lists what is refused before anything is asked.
func TestWrongRows(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Profile: "exportr"}, "did you mean exporter?"},
		{Spec{Queries: map[string]string{"apm_cpu": "x"}}, `there is no series "apm_cpu": did you mean apim_cpu?`},
		{Spec{Select: map[string]map[string]string{"databse_cpu": {"a": "b"}}}, "did you mean database_cpu?"},
		{Spec{Queries: map[string]string{APIManagerCPU: "1 -"}}, "is not PromQL"},
		{Spec{Queries: map[string]string{APIManagerCPU: "cpu[5m]"}}, "gives a range vector"},
		{Spec{Queries: map[string]string{EndpointRequests: "sum(requests_total)"}}, "is not a plain selector"},
		{Spec{Queries: map[string]string{EndpointErrors: "requests_total offset 1m"}}, "is not a plain selector"},
	} {
		if _, _, err := rowsOf(c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.spec, err, c.want)
		}
	}
	if err := CheckQuery("openmetrics", APIManagerCPU, "avg(cpu)"); err == nil || !strings.Contains(err.Error(), "plain selector") {
		t.Errorf("an expression over files gave %v", err)
	}
}

// TestQueryRow says how the queries of an experiment are read.
func TestQueryRow(t *testing.T) {
	for _, c := range []struct {
		series, text string
		given        time.Duration
		kind         reading
		step         time.Duration
		overlap      bool
	}{
		{EndpointRequests, `requests_total{code="200"}`, 0, counted, 0, false},
		{APIManagerCPU, `cpu_ratio{host="a"}`, 0, scraped, 0, false},
		{APIManagerCPU, `cpu_percent / 100`, 0, evaluated, 15 * time.Second, false},
		{APIManagerCPU, `1 - avg(rate(idle[1m]))`, 0, evaluated, time.Minute, false},
		{APIManagerCPU, `1 - avg(rate(idle[1m]))`, time.Minute, evaluated, time.Minute, false},
		{APIManagerCPU, `1 - avg(rate(idle[1m]))`, 15 * time.Second, evaluated, 15 * time.Second, true},
		{DatabaseCPU, `max_over_time(cpu[5m:1m])`, 0, evaluated, 5 * time.Minute, false},
		{DatabaseCPU, `cpu offset -5m`, 0, evaluated, 15 * time.Second, false},
		{DatabaseBytes, `written_bytes_total{disk="a"}`, 0, rated, 0, false},
		{DatabaseBytes, `sum(rate(written_bytes_total[30s]))`, 0, evaluated, 30 * time.Second, false},
		{TokenRows, `rows{table="t"}`, 0, scraped, 0, false},
	} {
		r, err := queryRow(c.series, c.text, c.given)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if r.kind != c.kind || r.step != c.step || (r.overlap() != "") != c.overlap {
			t.Errorf("%s: kind %d, step %s, overlap %q, want kind %d, step %s, overlap %t", c.text, r.kind, r.step, r.overlap(), c.kind, c.step, c.overlap)
		}
	}
}

// held puts series into memory, where readSeries finds them.
func held(t *testing.T, text string) memory {
	t.Helper()
	m := memory{}
	for _, s := range parse(t, "start 2026-07-01T10:00:00Z step 15s\n"+text) {
		h := &heldSeries{labels: s.Labels}
		for _, p := range s.Samples {
			h.samples = append(h.samples, sample{p.T, p.V})
		}
		m[s.Labels.String()] = h
	}
	if err := m.sort(); err != nil {
		t.Fatal(err)
	}
	return m
}

// readWith reads one window of two minutes.
func readWith(t *testing.T, spec Spec, db database) Dataset {
	t.Helper()
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	d := Dataset{Runs: []Run{{Window: Window{Grant: "password", Mode: On, Start: start, End: start.Add(2 * time.Minute)}, Series: map[string]Series{}}}}
	d, err := readSeries(t.Context(), spec, d, db)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// valuesOf are the points of a series that lie in the first window.
func valuesOf(d Dataset, series string) (out []float64) {
	for _, p := range d.Runs[0].Series[series].Points {
		out = append(out, p.Value)
	}
	return out
}

// saysOf are the texts of the problems about a series.
func saysOf(d Dataset, series string) string {
	var out []string
	for _, p := range d.Problems {
		if p.Series == series {
			out = append(out, p.Warning+": "+p.Text)
		}
	}
	return strings.Join(out, "\n")
}
