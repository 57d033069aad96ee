package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestPrometheusRule holds the committed resource against the rows, and its
// rules against the files of rules, which promtool's cases prove.
func TestPrometheusRule(t *testing.T) {
	folder := filepath.Join("..", "deploy", "kubernetes", "prometheus-operator")
	s := defaults()
	s.format = "prometheusrule"
	if *update {
		if _, _, err := write(folder, s); err != nil {
			t.Fatal(err)
		}
	}
	fresh := t.TempDir()
	if _, _, err := write(fresh, s); err != nil {
		t.Fatal(err)
	}
	text := read(t, filepath.Join(folder, resourceName))
	if diff := cmp.Diff(read(t, filepath.Join(fresh, resourceName)), text); diff != "" {
		t.Errorf("%s is stale, run `go run ./alerts --format prometheusrule --output deploy/kubernetes/prometheus-operator` (-want +got):\n%s", resourceName, diff)
	}
	// kubectl apply keeps the resource as JSON in an annotation of at most 256 KiB.
	if len(text) > 200<<10 {
		t.Errorf("%s has %d bytes: kubectl apply will refuse it", resourceName, len(text))
	}
	var got prometheusRule
	if err := yaml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	var want []ruleGroup
	for _, g := range groups() {
		text, err := os.ReadFile(filepath.Join("rules", g.file()))
		if err != nil {
			t.Fatal(err)
		}
		var file ruleFile
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		want = append(want, file.Groups...)
	}
	if diff := cmp.Diff(want, got.Spec.Groups); diff != "" {
		t.Errorf("the resource's rules are not those of rules/ (-want +got):\n%s", diff)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, _, err := parse([]string{"--format=rules"}, t.Output()); err == nil {
		t.Error("an unknown --format is taken")
	}
}
