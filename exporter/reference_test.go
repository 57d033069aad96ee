package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// sources says in the reference where a collector's numbers come from; a
// collector without a line here fails TestReference.
var sources = map[string]string{
	"cloudwatch": "CloudWatch `GetMetricData`, once per period whatever the number of scrapers. Needs `--cloudwatch.rds-instance` or `--cloudwatch.ec2-instance`.",
	"endpoint":   "API Manager's HTTP access log, followed continuously. Needs `--collector.endpoint.access-log`.",
	"carbonlog":  "API Manager's `wso2carbon.log`, followed continuously. Needs `--collector.carbonlog.log`.",
	"census":     "The token tables' rows, read in chunks in the background every `--collector.census.interval`, below `--collector.census.max-rows` rows.",
	"schema":     "`information_schema.STATISTICS` and `COLUMNS` and our own grants, in the background every `--collector.schema.interval`.",
	"statements": "`performance_schema.events_statements_summary_by_digest` and its sums per event, in the background every `--collector.statements.interval`.",
	"mysql":      "`SHOW GLOBAL STATUS`, a few `GLOBAL VARIABLES` and, with the `PROCESS` privilege on MySQL, `information_schema.INNODB_METRICS`, at every scrape.",
	"tableio":    "`performance_schema.table_io_waits_summary_by_table`, at every scrape.",
	"tablesize":  "`information_schema.TABLES`, at every scrape.",
	"tokens":     "`IDN_OAUTH2_ACCESS_TOKEN` through its index on `TIME_CREATED` only: the newest rows at every scrape, the lateness window once more in the background.",
	ownFamilies:  "What the exporter says of itself, of its collectors and of what it costs the database; always there.",
}

// TestReference holds docs/metrics.md against the contract.
func TestReference(t *testing.T) {
	families, err := parseContract(contract)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "docs", "metrics.md")
	text := reference(t, families)
	if *update {
		writeFile(t, path, text)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(page), text); diff != "" {
		t.Errorf("docs/metrics.md is not what the contract says; run make golden\n%s", diff)
	}
}

// reference renders the contract, a section for each collector.
func reference(t *testing.T, families []contractFamily) string {
	t.Helper()
	byCollector := map[string][]contractFamily{}
	for _, f := range families {
		byCollector[f.collector] = append(byCollector[f.collector], f)
	}
	var b strings.Builder
	b.WriteString("# Metrics\n\nGenerated from [the contract](../exporter/testdata/metrics.prom) by `make golden`; `exporter metrics` prints the same text. " +
		"A value that could not be read is absent, never 0: see [why is this metric missing](missing.md).\n")
	names := slices.Sorted(maps.Keys(byCollector))
	names = append(slices.DeleteFunc(names, func(n string) bool { return n == ownFamilies }), ownFamilies)
	for _, name := range names {
		title := name
		if name == ownFamilies {
			title = "The exporter itself"
		}
		if sources[name] == "" {
			t.Errorf("collector %s has no line in sources", name)
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| metric | type | meaning |\n|---|---|---|\n", title, sources[name])
		for _, f := range byCollector[name] {
			metric := "`" + f.GetName() + "`"
			if labels := f.labels(); len(labels) > 0 {
				metric += "<br>{" + strings.Join(labels, ", ") + "}"
			}
			kind := strings.ToLower(f.GetType().String())
			if f.only != "" {
				kind += ", only on " + f.only
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", metric, kind, strings.ReplaceAll(f.GetHelp(), "|", `\|`))
		}
	}
	return b.String()
}
