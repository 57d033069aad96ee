package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// readSource reads an experiment with these source keys.
func readSource(t *testing.T, keys string) (source.Spec, error) {
	t.Helper()
	const rest = "\nenvironment: {apim: {vcpus: 4, nodes: 2}}\nwindows:\n  - {grant: password, persistence: on, jtl: [a.jtl]}\n"
	_, spec, err := readExperiment(experimentFile(t, keys+rest))
	return spec, err
}

// TestSourceKeys reads every kind of source with all of its keys.
func TestSourceKeys(t *testing.T) {
	nodes := map[string]int{source.APIManagerCPU: 2}
	for _, c := range []struct {
		keys string
		want source.Spec
	}{
		{
			"source: {prometheus: {url: 'http://p:9090', profile: mysqld_exporter, matchers: {env: perf}, select: {load_cpu: {instance: j}}, queries: {database_cpu: 'a / 100'}, step: 30s}}",
			source.Spec{
				Kind: "prometheus", URL: "http://p:9090", Profile: "mysqld_exporter", Matchers: map[string]string{"env": "perf"}, Nodes: nodes,
				Select: map[string]map[string]string{source.LoadGeneratorCPU: {"instance": "j"}}, Queries: map[string]string{source.DatabaseCPU: "a / 100"}, Step: 30 * time.Second,
			},
		},
		{
			"source: {tsdb: data, queries: {endpoint_errors: 'failed_total'}, step: 1m}",
			source.Spec{Kind: "tsdb", TSDB: "data", Nodes: nodes, Queries: map[string]string{source.EndpointErrors: "failed_total"}, Step: time.Minute},
		},
		{
			"source: {openmetrics: {files: [a.txt, b.txt], matchers: {job: e}}}",
			source.Spec{Kind: "openmetrics", Files: []string{"a.txt", "b.txt"}, Matchers: map[string]string{"job": "e"}, Nodes: nodes},
		},
		{"source: {csv: [a.csv]}", source.Spec{Kind: "csv", Files: []string{"a.csv"}, Nodes: nodes}},
		{
			"source: {cloudwatch: {region: eu-west-1, assume_role: 'arn:aws:iam::1:role/r', external_id: x, rds_instance: db, ec2_instances: {apim: [i-1, i-2], jmeter: [i-3]}, period: 5m}}",
			source.Spec{Kind: "cloudwatch", Nodes: nodes, CloudWatch: source.CloudWatch{
				Region: "eu-west-1", AssumeRole: "arn:aws:iam::1:role/r", ExternalID: "x", RDSInstance: "db", APIManager: []string{"i-1", "i-2"}, LoadGenerators: []string{"i-3"}, Period: 5 * time.Minute,
			}},
		},
	} {
		got, err := readSource(t, c.keys)
		if err != nil {
			t.Errorf("%s: %v", c.keys, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(source.Spec{}, "Windows", "Base", "HTTP"), cmpopts.IgnoreUnexported(source.Spec{})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.keys, diff)
		}
	}
}

// TestWrongSourceKeys lists what is refused, with its line.
func TestWrongSourceKeys(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"source: {}", "e.yaml:1: the source names none of"},
		{"source: {tsdb: a, csv: [b]}", "e.yaml:1: the source names both tsdb and csv"},
		{"source: {prometheus: {profile: exporter}}", "e.yaml:1: source.prometheus has no url"},
		{"source: {openmetrics: {}}", "e.yaml:1: source.openmetrics has no files"},
		{"source: {prometheus: {url: 'http://p'}, step: 1m}", "go inside prometheus: {…}"},
		{"source: {openmetrics: {files: [a]}, queries: {apim_cpu: up}}", "go inside openmetrics: {…}"},
		{"source: {cloudwatch: {rds_instance: db}, profile: exporter}", "have no meaning for cloudwatch"},
		{"source: {tsdb: a, queries: {apim_cpu: [up]}}", "e.yaml:1: the query of apim_cpu is not text"},
		{"source:\n  tsdb: a\n  queries:\n    endpoint_errors: rate(a[1m])\n", "e.yaml:4: endpoint_errors: \"rate(a[1m])\" is not a plain selector"},
		{"source: {tsdb: a, select: {apim_cpu: host}}", "select.apim_cpu is \"host\": write it as key: value"},
		{"source: {cloudwatch: {rds_instance: db, external_id: x}}", "e.yaml:1: source.cloudwatch.external_id belongs to a role"},
		{"source: {cloudwatch: {rds_instance: db, assume_role: watcher}}", "e.yaml:1: source.cloudwatch.assume_role is \"watcher\": write the ARN"},
		{"source: {tsdb: a, step: often}", "\"often\" is not a duration"},
	} {
		if _, err := readSource(t, c.keys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.keys, err, c.want)
		}
	}
}

// TestDocumentedSource reads the second example of the page.
func TestDocumentedSource(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "experiment.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")
	if len(blocks) != 3 {
		t.Fatalf("docs/experiment.md has %d yaml blocks, want 2", len(blocks)-1)
	}
	example, _, _ := strings.Cut(blocks[2], "```")
	spec, err := readSource(t, example)
	if err != nil {
		t.Fatal(err)
	}
	if spec.Kind != "prometheus" || len(spec.Select) != 4 {
		t.Errorf("spec %+v", spec)
	}
}
