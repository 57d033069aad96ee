package main

import (
	"bytes"
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/tokenpersistence/toolkit/exporter/amazon"
	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/logs"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
	"github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

const contractPath = "testdata/metrics.prom"

// TestContract compares the whole page, of a healthy scrape and of one without
// a database, with the contract.
func TestContract(t *testing.T) {
	server, db := database(t, mysqltest.Config{})
	// With PROCESS, MySQL shows what MariaDB has in its status.
	execute(t, db, "GRANT PROCESS ON *.* TO exporter@'127.0.0.1'")
	args := append(databaseFlags(server), cloudWatchFlags(t)...)
	log := filepath.Join(t.TempDir(), "http_access_.log")
	writeFile(t, log, "")
	args = append(args, "--collector.endpoint.access-log="+log, `--collector.endpoint.log-pattern=%h %l %u %t "%r" %s %b %D`)
	carbon := filepath.Join(t.TempDir(), "wso2carbon.log")
	writeFile(t, carbon, "Activating TokenPersistenceServiceComponent...\nToken persistence is not enabled. Registering related services..\n")
	args = append(args, "--collector.carbonlog.log="+carbon)
	args = append(args, "--collector.statements.interval=1s")
	touchTables(t, db)
	measureCPU(t, server, db)
	insert(t, db, 1) // for the census, which counts once

	r := start(t, args...)
	r.scrape(t)
	insert(t, db, 1)
	var requests strings.Builder
	for _, endpoint := range []string{"token", "revoke", "introspect", "authorize"} {
		fmt.Fprintf(&requests, "127.0.0.1 - - [12/Dec/2019:16:53:29 +0000] \"POST /oauth2/%s HTTP/1.1\" 200 10 5\n", endpoint)
	}
	for _, code := range []string{"100", "302", "401", "503", "-"} {
		fmt.Fprintf(&requests, "127.0.0.1 - - [12/Dec/2019:16:53:29 +0000] \"POST /oauth2/token HTTP/1.1\" %s 10 5\n", code)
	}
	writeFile(t, log, requests.String())
	want := map[string]bool{"mysql": true, "tableio": true, "tablesize": true, "tokens": true, "cloudwatch": true, "endpoint": true, "carbonlog": true}
	r.wait(t, want)
	healthy := r.scrape(t)
	eventually(t, "every share of the persistence tax shows, the first census and the first look at the schema", func() error {
		insert(t, db, 1)
		healthy = r.scrape(t)
		if n := len(healthy["wso2_token_tax_ratio"].GetMetric()); n < 8 {
			return fmt.Errorf("%d series", n)
		}
		if healthy["wso2_token_census_timestamp_seconds"] == nil || healthy["wso2_token_schema_info"] == nil {
			return errors.New(r.logs.String())
		}
		return nil
	})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	got := merge(healthy, r.scrape(t))
	zero(got)
	golden, err := os.ReadFile(contractPath)
	if err != nil {
		t.Fatal(err)
	}
	text := render(t, got, limited(string(golden)), server.Flavor)
	if *update {
		writeFile(t, contractPath, text)
		golden = []byte(text)
	}
	if diff := gocmp.Diff(string(golden), text); diff != "" {
		t.Errorf("the page is not what %s promises; if that is intended: go test ./exporter -run TestContract -update\n%s", contractPath, diff)
	}
	problems, err := promlint.New(bytes.NewReader(golden)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("promlint: %s: %s", p.Metric, p.Text)
	}
	for name, f := range got {
		if f.GetType() == dto.MetricType_UNTYPED {
			t.Errorf("%s has no type", name)
		}
	}
}

// measureCPU lets MySQL measure the processor time of statements.
func measureCPU(t *testing.T, server *mysqltest.Server, db *sql.DB) {
	t.Helper()
	if server.Flavor == mysqltest.MariaDB {
		return
	}
	execute(t, db, "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'events_statements_cpu'")
}

// cloudWatchFlags starts an endpoint that knows every metric.
func cloudWatchFlags(t *testing.T) []string {
	t.Helper()
	endpoint, err := cloudwatch.Start(cloudwatch.Config{Period: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := endpoint.Close(); err != nil {
			t.Error(err)
		}
	})
	at := time.Now().Truncate(time.Minute).Add(-2 * time.Minute)
	for _, metric := range []string{
		"CPUUtilization", "ReadIOPS", "WriteIOPS", "ReadLatency", "WriteLatency", "ReadThroughput", "WriteThroughput",
		"DiskQueueDepth", "DatabaseConnections", "FreeableMemory", "SwapUsage", "FreeStorageSpace", "BurstBalance",
		"EBSIOBalance%", "EBSByteBalance%", "DBLoad", "DBLoadCPU", "DBLoadNonCPU",
	} {
		endpoint.Put("AWS/RDS", metric, "db", at, 1)
	}
	endpoint.Put("AWS/EC2", "CPUUtilization", "i-0", at, 1)
	t.Setenv("AWS_ENDPOINT_URL", endpoint.URL())
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", canary)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return []string{
		"--cloudwatch.region=eu-west-1", "--cloudwatch.rds-instance=db", "--cloudwatch.ec2-instance=apim=i-0",
		"--cloudwatch.period=60s", "--cloudwatch.delay=0s", "--cloudwatch.rds-iops-limit=3000",
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// merge returns the union of pages without what client_golang says of every Go
// process.
func merge(pages ...page) page {
	union := page{}
	for _, p := range pages {
		for name, f := range p {
			if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
				continue
			}
			have, ok := union[name]
			if !ok {
				union[name] = f
				continue
			}
			for _, m := range f.Metric {
				if !slices.ContainsFunc(have.Metric, func(o *dto.Metric) bool { return labelKey(o) == labelKey(m) }) {
					have.Metric = append(have.Metric, m)
				}
			}
		}
	}
	return union
}

func labelKey(m *dto.Metric) string {
	var key strings.Builder
	for _, l := range m.Label {
		fmt.Fprintf(&key, "%s=%q,", l.GetName(), l.GetValue())
	}
	return key.String()
}

// zero takes out what differs from run to run: values, versions, and classes
// of failures that only this machine's timing brings.
func zero(p page) {
	none := 0.0
	for name, f := range p {
		for _, m := range f.Metric {
			m.Counter, m.Gauge = zeroCounter(m.Counter), zeroGauge(m.Gauge)
			if m.Histogram != nil {
				m.Histogram.SampleSum = &none
				m.Histogram.SampleCount = new(uint64)
				for _, b := range m.Histogram.Bucket {
					b.CumulativeCount = new(uint64)
				}
			}
			for _, l := range m.Label {
				if name == "token_persistence_exporter_build_info" || l.GetName() == "version" || l.GetName() == "flavor" {
					value := l.GetName()
					l.Value = &value
				}
			}
		}
		if name == "wso2_token_tax_ratio" { // MySQL has a share more
			f.Metric = slices.DeleteFunc(f.Metric, func(m *dto.Metric) bool { return strings.Contains(labelKey(m), "cpu_time") })
		}
		if name == "token_persistence_exporter_collector_failures_total" {
			f.Metric = slices.DeleteFunc(f.Metric, func(m *dto.Metric) bool { return !strings.Contains(labelKey(m), "connection") })
		}
	}
}

func zeroCounter(c *dto.Counter) *dto.Counter {
	if c == nil {
		return nil
	}
	return &dto.Counter{Value: new(float64)}
}

func zeroGauge(g *dto.Gauge) *dto.Gauge {
	if g == nil {
		return nil
	}
	return &dto.Gauge{Value: new(float64)}
}

// block is the text of a family that not every server shows.
type block struct{ only, text string }

// limited returns the families that a contract marks with a flavour, by name.
// The marks are made by hand: no single server can know them.
func limited(contract string) map[string]block {
	blocks := map[string]block{}
	for text := range strings.SplitSeq("\n"+contract, "\n"+collectorComment) {
		text = collectorComment + strings.TrimSuffix(text, "\n") + "\n"
		_, rest, _ := strings.Cut(text, "\n")
		if only, ok := strings.CutPrefix(rest, onlyComment); ok {
			only, rest, _ = strings.Cut(only, "\n")
			name, _, _ := strings.Cut(strings.TrimPrefix(rest, helpComment), " ")
			blocks[name] = block{only, text}
		}
	}
	return blocks
}

// render writes the families in the contract's form. Those of the other flavour
// come from the contract as they are: this server cannot show them.
func render(t *testing.T, p page, limited map[string]block, flavor string) string {
	t.Helper()
	owners := owners(t)
	blocks := map[string]string{}
	for name, f := range p {
		slices.SortFunc(f.Metric, func(a, b *dto.Metric) int { return cmp.Compare(labelKey(a), labelKey(b)) })
		var b bytes.Buffer
		b.WriteString(collectorComment + cmp.Or(owners[name], ownFamilies) + "\n")
		if only := limited[name].only; only != "" {
			b.WriteString(onlyComment + only + "\n")
		}
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
		blocks[name] = b.String()
	}
	for name, b := range limited {
		if b.only != flavor {
			blocks[name] = b.text
		}
	}
	for name, owner := range owners {
		if _, ok := blocks[name]; !ok {
			t.Errorf("collector %s declares %s but did not show it: let the test provoke it, or write it into %s by hand with %q", owner, name, contractPath, onlyComment)
		}
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		text.WriteString(blocks[name])
	}
	return text.String()
}

// owners returns the collector of each family that a collector declares.
func owners(t *testing.T) map[string]string {
	t.Helper()
	endpoint, err := logs.NewEndpoint(logs.EndpointConfig{AccessLogs: []string{"log"}, LogPattern: "common"})
	if err != nil {
		t.Fatal(err)
	}
	aws, err := amazon.NewCloudWatch(amazon.CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	carbonlog, err := logs.NewCarbonLog(logs.CarbonLogConfig{Logs: []string{"log"}})
	if err != nil {
		t.Fatal(err)
	}
	owners := map[string]string{}
	for _, c := range []interface {
		Name() string
		Descs() []*prometheus.Desc
	}{collector.MySQL{}, collector.TableIO{}, collector.TableSize{}, collector.NewTokens(time.Second, nil, nil), collector.NewStatements(time.Second, nil), endpoint, carbonlog, aws,
		collector.NewCensus(collector.CensusConfig{}, nil, nil), collector.NewSchema(time.Hour, nil, nil),
	} {
		for _, d := range c.Descs() {
			name, _, _ := strings.Cut(strings.TrimPrefix(d.String(), `Desc{fqName: "`), `"`)
			owners[name] = c.Name()
		}
	}
	return owners
}

// touchTables makes performance_schema count something for every table.
func touchTables(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, table := range tokentable.Watched() {
		if _, err := db.ExecContext(t.Context(), "DELETE FROM "+table); err != nil && !strings.Contains(err.Error(), "1146") {
			t.Fatal(err)
		}
	}
}
