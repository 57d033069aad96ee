package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// complete has every key an experiment file may have.
const complete = `
title: Token persistence, APIM 4.3, July run
banner: "Demonstration rig: not evidence about API Manager"
load: rate
environment: {apim: {instance: c5.xlarge, vcpus: 4}, database: {instance: db.m5.2xlarge, vcpus: 8}, users: 100, applications: 10, notes: [one, two]}
source:
  prometheus:
    url: http://localhost:9090
    profile: exporter
    matchers: {job: token-persistence}
    http:
      authorization: {credentials_file: token}
warmup: 2m
labels: {client_credentials: GetToken_Client_Credentials_Grant}
windows:
  - {grant: client_credentials, persistence: on,  block: 1, start: 2026-07-01T10:00:00.250Z, end: 2026-07-01T12:15:00+02:00, jtl: [cc-on-1.jtl]}
  - {grant: client_credentials, persistence: "off", block: 1, jtl: [a.jtl, b.jtl], foreign_cpu: 0.03}
`

func experimentFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "e.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExperiment(t *testing.T) {
	path := experimentFile(t, complete)
	e, spec, err := readExperiment(path)
	if err != nil {
		t.Fatal(err)
	}
	foreign := 0.03
	want := []source.Window{
		{Grant: "client_credentials", Mode: source.On, Block: 1, Start: time.Date(2026, 7, 1, 10, 0, 0, 250e6, time.UTC), End: time.Date(2026, 7, 1, 10, 15, 0, 0, time.UTC), JTL: []string{"cc-on-1.jtl"}},
		{Grant: "client_credentials", Mode: source.Off, Block: 1, JTL: []string{"a.jtl", "b.jtl"}, ForeignCPU: &foreign},
	}
	if diff := cmp.Diff(want, spec.Windows); diff != "" {
		t.Errorf("windows (-want +got)\n%s", diff)
	}
	env := report.Environment{APIManager: report.Host{Instance: "c5.xlarge", VCPUs: 4}, Database: report.Host{Instance: "db.m5.2xlarge", VCPUs: 8}, Users: 100, Applications: 10, Notes: []string{"one", "two"}}
	if diff := cmp.Diff(env, e.Environment.report()); diff != "" {
		t.Errorf("environment (-want +got)\n%s", diff)
	}
	if e.Load != "rate" || time.Duration(*e.Warmup) != 2*time.Minute || e.Title == "" || e.Banner == "" {
		t.Errorf("experiment %+v", e)
	}
	if spec.Kind != "prometheus" || spec.URL != "http://localhost:9090" || spec.Matchers["job"] != "token-persistence" || spec.Base != filepath.Dir(path) {
		t.Errorf("spec %+v", spec)
	}
	if got, want := spec.HTTP.Authorization.CredentialsFile, filepath.Join(filepath.Dir(path), "token"); got != want {
		t.Errorf("credentials file %s, want %s", got, want)
	}
}

// TestExperimentSecrets breaks files in every place that comes near a password.
func TestExperimentSecrets(t *testing.T) {
	const head = "source: {prometheus: {url: 'http://localhost:9090', http: "
	const windows = "}}\nwindows:\n  - {grant: password, persistence: on, jtl: [a.jtl]}\n"
	for _, http := range []string{
		"{basic_auth: {username: u, password: canary, passwrd: canary}}",
		"{basic_auth: {username: u, password: canary}, bearer_token: canary}",
		"{authorization: {credentials: canary, credentials_file: f}}",
		"{basic_auth: canary}",
		"{basic_auth: {username: u, password: [canary]}}",
		"canary",
	} {
		_, _, err := readExperiment(experimentFile(t, head+http+windows))
		if err == nil {
			t.Errorf("%s was accepted", http)
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error for %s shows the secret: %v", http, err)
		}
		if !strings.Contains(err.Error(), "e.yaml:1: source.prometheus.http") {
			t.Errorf("the error for %s does not say where: %v", http, err)
		}
	}
}

// FuzzExperiment checks that no file brings the reader down.
func FuzzExperiment(f *testing.F) {
	f.Add(complete)
	f.Add("windows: [{grant: a, persistence: on, jtl: [x]}]")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		_, _, err := readExperiment(experimentFile(t, text))
		if err != nil && !strings.Contains(err.Error(), "e.yaml") {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}

// TestDocumentedExample reads the example that users copy.
func TestDocumentedExample(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "experiment.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "```yaml\n")
	example, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("docs/experiment.md has no yaml block")
	}
	path := filepath.Join(t.TempDir(), "experiment.yaml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	e, spec, err := readExperiment(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Windows) != 2 || len(spec.Labels) != 1 {
		t.Errorf("read %d windows and %d labels, want 2 and 1", len(e.Windows), len(spec.Labels))
	}
}
