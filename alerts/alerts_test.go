package main

import (
	"bytes"
	"flag"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

var update = flag.Bool("update", false, "rewrite the rules")

// all returns every alert of the rows.
func all() []alert {
	var out []alert
	for _, g := range groups() {
		out = append(out, g.alerts...)
	}
	return out
}

func names() []string {
	var out []string
	for _, a := range all() {
		out = append(out, a.name)
	}
	slices.Sort(out)
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRulesAreUpToDate compares the committed rules with what the rows give.
func TestRulesAreUpToDate(t *testing.T) {
	if *update {
		if _, _, err := write("rules", defaults()); err != nil {
			t.Fatal(err)
		}
	}
	fresh := t.TempDir()
	if _, _, err := write(fresh, defaults()); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{fresh, "rules"} {
		files, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil || len(files) != len(groups()) {
			t.Errorf("%s has %v (%v), want a file per group", folder, files, err)
		}
	}
	for _, g := range groups() {
		want, got := read(t, filepath.Join(fresh, g.file())), read(t, filepath.Join("rules", g.file()))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rules/%s is stale, run `go run ./alerts` (-want +got):\n%s", g.file(), diff)
		}
	}
}

// TestPrometheusTakesTheRules lets Prometheus' own code read them: expressions,
// durations, names, templates.
func TestPrometheusTakesTheRules(t *testing.T) {
	for _, g := range groups() {
		text, err := g.render(defaults())
		if err != nil {
			t.Fatal(err)
		}
		_, errs := rulefmt.Parse(text, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		for _, err := range errs {
			t.Errorf("%s: %v", g.file(), err)
		}
	}
}

var slots = regexp.MustCompile(`<([a-z_]+)>`)

func TestAlertsAreWhole(t *testing.T) {
	for _, a := range all() {
		fail := func(what string) { t.Errorf("%s: %s", a.name, what) }
		if !strings.HasPrefix(a.name, "TokenPersistence") {
			fail("want the first word that all have")
		}
		if slots.MatchString(a.summary) || strings.Contains(a.summary, "{{") || !strings.HasSuffix(a.summary, ".") {
			fail("want a summary that is a sentence and the same for all: " + a.summary)
		}
		if !strings.HasSuffix(a.description, ".") && !strings.HasSuffix(a.description, "?") {
			fail("want a sentence: " + a.description)
		}
		board := read(t, filepath.Join("..", "dashboards", a.dashboard+".json"))
		if !strings.Contains(board, `"uid": "token-persistence-`+a.dashboard+`"`) {
			fail("no such dashboard: " + a.dashboard)
		}
		for _, text := range []string{a.wait, a.keep} {
			if d, err := model.ParseDuration(text); err != nil || d == 0 {
				fail("want for and keep_firing_for, have " + text)
			}
		}
		// Two periods of the source: CloudWatch's and the digests' is a minute, and
		// nobody should scrape less often than every 30 s.
		least := time.Minute
		if regexp.MustCompile(`rds_|ec2_|_cpu:|_iops:|wso2_token_statement_|wso2_token_tax|:tax`).MatchString(a.expr) {
			least = 2 * time.Minute
		}
		if d, _ := model.ParseDuration(a.wait); time.Duration(d) < least {
			fail("waits for fewer than two periods of its data, " + least.String())
		}
	}
}

// TestThresholdsAreUsed looks for limits that nothing compares with, and for
// severities that differ from those of their alerts.
func TestThresholdsAreUsed(t *testing.T) {
	severities, recorded := map[string][]thresholds.Severity{}, map[string]bool{}
	for _, g := range groups() {
		for _, r := range g.records {
			for _, found := range slots.FindAllStringSubmatch(r.expr, -1) {
				recorded[found[1]] = true
			}
		}
		for _, a := range g.alerts {
			for _, found := range slots.FindAllStringSubmatch(a.expr, -1) {
				severities[found[1]] = append(severities[found[1]], a.severity)
			}
		}
	}
	for _, row := range thresholds.All() {
		if used := severities[row.ID]; len(used) > 0 && !slices.Contains(used, row.Severity) {
			t.Errorf("%s is %s and its alerts are %v", row.ID, row.Severity, used)
		} else if len(used) == 0 && !recorded[row.ID] {
			t.Errorf("%s: no rule uses it", row.ID)
		}
	}
}

// kinds are what the cases of each alert have to show.
var kinds = []string{"fires", "below", "missing", "resolves"}

// TestSetsAgree compares the alerts with the runbooks, the cases and the docs.
func TestSetsAgree(t *testing.T) {
	var pages []string
	files, err := filepath.Glob(filepath.Join("runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		pages = append(pages, name)
		text := read(t, file)
		for _, part := range []string{"# " + name + "\n", "## What it means\n", "## How to confirm\n", "## What to do now\n", "## What to do next\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q", file, part)
			}
		}
	}
	if diff := cmp.Diff(names(), pages); diff != "" {
		t.Errorf("runbooks (-alerts +pages):\n%s", diff)
	}
	shown := cases(t)
	if diff := cmp.Diff(names(), slices.Sorted(maps.Keys(shown))); diff != "" {
		t.Errorf("cases (-alerts +cases):\n%s", diff)
	}
	docs := read(t, filepath.Join("..", "docs", "alerts.md"))
	for _, a := range all() {
		for _, kind := range kinds {
			if !shown[a.name][kind] {
				t.Errorf("no case of %s has %q in its name", a.name, kind)
			}
		}
		if row := "[" + a.name + "](../alerts/runbooks/" + a.name + ".md) | " + string(a.severity); !strings.Contains(docs, row) {
			t.Errorf("docs/alerts.md has no row %s", row)
		}
		if page := read(t, filepath.Join("runbooks", a.name+".md")); !strings.Contains(page, "\n\n"+severityWord[a.severity]+". ") {
			t.Errorf("the runbook of %s does not begin with its severity, %s", a.name, a.severity)
		}
	}
}

var severityWord = map[thresholds.Severity]string{thresholds.Critical: "Critical", thresholds.Warning: "Warning", thresholds.Info: "Info"}

// cases returns what the cases in tests/ show, by alert. A case is named after
// its alert, and looks at it: at the alert itself or at all of them.
func cases(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("tests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]map[string]bool{}
	for _, file := range files {
		if filepath.Base(file) == "record.yaml" {
			continue
		}
		var parsed struct {
			Tests []struct {
				Name  string
				Exprs []struct{ Expr string } `yaml:"promql_expr_test"`
			}
		}
		if err := yaml.Unmarshal([]byte(read(t, file)), &parsed); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range parsed.Tests {
			name, rest, _ := strings.Cut(c.Name, " ")
			if shown[name] == nil {
				shown[name] = map[string]bool{}
			}
			words := regexp.MustCompile(`\w+`).FindAllString(rest, -1)
			for _, kind := range kinds {
				shown[name][kind] = shown[name][kind] || slices.Contains(words, kind)
			}
			for _, e := range c.Exprs {
				if strings.Contains(e.Expr, "alertname=") && !strings.Contains(e.Expr, `alertname="`+name+`"`) {
					t.Errorf("%s, %s: looks at another alert: %s", file, c.Name, e.Expr)
				}
			}
		}
	}
	return shown
}

// TestInhibition holds Alertmanager's file against the alerts' names.
func TestInhibition(t *testing.T) {
	var config struct {
		Rules []struct {
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
			Equal  []string
		} `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "alertmanager.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Rules) == 0 {
		t.Fatal("no inhibit_rules")
	}
	for _, r := range config.Rules {
		for _, matchers := range [][]string{r.Source, r.Target} {
			for _, m := range matchers {
				if !matchesEachAlternative(t, m) {
					t.Errorf("%s names an alert that does not exist", m)
				}
			}
		}
		if len(r.Equal) < 2 || r.Equal[0] != "job" || r.Equal[1] != "instance" && r.Equal[1] != "deployment" {
			t.Errorf("%v: one installation would silence another", r.Source)
		}
	}
}

// matchesEachAlternative takes alertname="A" or alertname=~"P(A|B)".
func matchesEachAlternative(t *testing.T, matcher string) bool {
	t.Helper()
	found := regexp.MustCompile(`^alertname=~?"(\w+)(?:\((.+)\))?"$`).FindStringSubmatch(matcher)
	if found == nil {
		t.Fatalf("%s: want alertname", matcher)
	}
	for _, alternative := range strings.Split(found[2], "|") {
		one := regexp.MustCompile("^" + found[1] + alternative + "$")
		if !slices.ContainsFunc(names(), one.MatchString) {
			return false
		}
	}
	return true
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--set", "database_cpu_satuarted=0.5"}, 2, "did you mean database_cpu_saturated?"},
		{[]string{"--set", "database_cpu_saturated"}, 2, "want ID=VALUE"},
		{[]string{"--set", "database_cpu_saturated=-1"}, 2, "want a number above 0"},
		{[]string{"--speedup", "0.5"}, 2, "--speedup=0.5: want 1 or more"},
		{[]string{"--outputs", "x"}, 2, "alerts --help"},
		{[]string{"rules"}, 2, "want flags only"},
		{[]string{"--help"}, 0, "-speedup"},
		{[]string{"--set", "database_cpu_saturated=0.5", "--list"}, 0, "database_cpu_saturated         0.5 ratio"},
		{[]string{"--output", filepath.Join(t.TempDir(), "a", "b")}, 0, "alerts in"},
		{[]string{"--output", "main.go"}, 1, "main.go"},
	} {
		var out bytes.Buffer
		if code := run(c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q: exit status %d, want %d; says\n%s\nand not %s", c.args, code, c.code, &out, c.says)
		}
	}
}

// TestSettingsReachTheRules writes rules of another installation.
func TestSettingsReachTheRules(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if code := run([]string{"--output", dir, "--job", `apim-\d+`, "--apim-role", "gateway", "--speedup", "60", "--set", "database_cpu_saturated=0.5",
		"--grafana-url", "https://grafana.example.com/", "--runbook-url", "https://wiki.example.com/runbooks"}, &out, &out); code != 0 {
		t.Fatal(out.String())
	}
	for file, wants := range map[string][]string{
		"exporter.yaml": {`up{job=~"apim-\\d+"} == 0`, "https://wiki.example.com/runbooks/TokenPersistenceExporterDown.md",
			"https://grafana.example.com/d/token-persistence-exporter"},
		"database.yaml": {"rds_cpu_utilization_ratio > 0.5", "(limit 50%)", "for: 5s", "keep_firing_for: 5s"},
		"record.yaml":   {`role="gateway"`},
		"tables.yaml":   {"for: 1m", "keep_firing_for: 6m"},
	} {
		text := read(t, filepath.Join(dir, file))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %s", file, want)
			}
		}
	}
}

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		speedup  float64
		in, want string
	}{{1, "5m", "5m"}, {60, "5m", "5s"}, {60, "1m", "1s"}, {600, "1m", "1s"}, {7, "1m", "8s571ms"}} {
		if got, err := (settings{speedup: c.speedup}).duration(c.in); err != nil || got != c.want {
			t.Errorf("%s / %v is %s, %v; want %s", c.in, c.speedup, got, err, c.want)
		}
	}
}

func TestDedent(t *testing.T) {
	for in, want := range map[string]string{
		"a":                       "a",
		"\n\t\ta\n\t\t\tb\n\t\tc": "a\n  b\nc",
		"a\n\tor b":               "a\n  or b",
	} {
		if got := dedent(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
