package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tokenpersistence/toolkit/internal/promtest"
	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// TestFilesAreWritten compares the committed dashboards with the rows.
func TestFilesAreWritten(t *testing.T) {
	want := map[string]bool{}
	for _, b := range boards() {
		text, err := b.render()
		if err != nil {
			t.Fatalf("%s: %v", b.title, err)
		}
		want[b.file()] = true
		if have, err := os.ReadFile(b.file()); err != nil || !bytes.Equal(have, text) {
			t.Errorf("%s is not what the rows say (%v): go run ./dashboards", b.file(), err)
		}
	}
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[f] {
			t.Errorf("%s belongs to no dashboard", f)
		}
	}
}

// TestQueriesMeetContract finds a metric, label or value that the exporter does
// not have, and names the panel, variable or annotation.
func TestQueriesMeetContract(t *testing.T) {
	contract := promtest.ReadContract(t)
	contract.Add(promtest.Recorded(rules(t))...)
	for _, f := range testwindow.Families() {
		contract.AddSeries(f.Name, testwindow.LabelNames()...)
	}
	plain := &world{from: time.Unix(0, 0), to: time.Unix(3600, 0), values: placeholders}
	for _, q := range asked() {
		for _, problem := range contract.Check(plain.expand(q.expr)) {
			t.Errorf("%s: %s", q.where, problem)
		}
	}
}

// TestSelectorsFollowVariables holds every selector to the variables: a fixed
// job would show one installation on the dashboard of another.
func TestSelectorsFollowVariables(t *testing.T) {
	plain := &world{from: time.Unix(0, 0), to: time.Unix(3600, 0), values: placeholders}
	variables := map[string]bool{"job": true, "instance": true, "db_instance": true, "grant": true}
	for _, q := range asked() {
		tree, err := parser.NewParser(parser.Options{}).ParseExpr(plain.expand(q.expr))
		if err != nil {
			t.Errorf("%s: %v", q.where, err)
			continue
		}
		parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
			switch n := node.(type) {
			case *parser.VectorSelector:
				ofJob := slices.ContainsFunc(n.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == "job" })
				// The first variable asks who is there; test windows and ALERTS belong to no exporter.
				open := strings.HasPrefix(n.Name, "token_persistence_test_window") || n.Name == "ALERTS" || strings.HasSuffix(q.where, "variable job")
				if !ofJob && !open {
					t.Errorf("%s: %s is of any job", q.where, n)
				}
				for _, m := range n.LabelMatchers {
					if variables[m.Name] && m.Type != labels.MatchRegexp {
						t.Errorf("%s: %s: All is a pattern, use =~", q.where, m)
					}
				}
			case *parser.Call:
				if n.Func.Name != "rate" {
					return nil
				}
				if m, ok := n.Args[0].(*parser.MatrixSelector); ok && m.Range != time.Minute && m.Range != 59*time.Second {
					t.Errorf("%s: %s: use $__rate_interval", q.where, n)
				}
			}
			return nil
		})
	}
}

// grafana is the part of a dashboard's JSON that is checked.
type grafana struct {
	UID, Title, Description string
	SchemaVersion           int
	Tags                    []string
	Links                   []struct{ KeepTime, IncludeVars bool }
	Templating              struct {
		List []struct {
			Name, Type, AllValue string
			IncludeAll           bool
			Refresh              int
		}
	}
	Panels []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
		Datasource               struct{ UID string }
		Targets                  []struct{ Datasource struct{ UID string } }
		LibraryPanel             any
		FieldConfig              struct {
			Defaults struct{ Unit, NoValue string }
		}
	}
}

// TestForm checks what Grafana does not forgive, or users do not.
func TestForm(t *testing.T) {
	uids := map[string]bool{}
	for _, b := range boards() {
		text, err := b.render()
		if err != nil {
			t.Fatal(err)
		}
		var d grafana
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		if uids[d.UID] || d.SchemaVersion < 39 || d.SchemaVersion > 42 || d.Description == "" || !slices.Contains(d.Tags, tag) ||
			len(d.Links) != 1 || !d.Links[0].KeepTime || !d.Links[0].IncludeVars {
			t.Errorf("%s: uid, version, description, tag or links: %+v", b.title, d.Links)
		}
		uids[d.UID] = true
		for _, v := range d.Templating.List {
			if v.Type == "query" && (v.Refresh != 2 || v.IncludeAll && v.AllValue == "") {
				t.Errorf("%s: variable %s: want refresh on time range, and allValue where All is offered", b.title, v.Name)
			}
		}
		checkPanels(t, d)
	}
	// Alerts link to dashboards.
	for _, file := range ruleFiles(t) {
		for _, found := range regexp.MustCompile(`/d/([a-z-]+)`).FindAllStringSubmatch(file, -1) {
			if !uids[found[1]] {
				t.Errorf("an alert links to %s, which is no dashboard", found[1])
			}
		}
	}
}

func ruleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "alerts", "rules", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return out
}

func checkPanels(t *testing.T, d grafana) {
	t.Helper()
	ids := map[int]bool{}
	taken := map[string]string{}
	for _, p := range d.Panels {
		where := fmt.Sprintf("%s: panel %q", d.Title, p.Title)
		if ids[p.ID] || p.ID == 0 || p.Title == "" || p.LibraryPanel != nil {
			t.Errorf("%s: id %d is not its own, or it has no title, or is a library's", where, p.ID)
		}
		ids[p.ID] = true
		if p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: place %+v", where, p.GridPos)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				key := fmt.Sprint(x, " ", y)
				if other, ok := taken[key]; ok {
					t.Fatalf("%s lies over %s", where, other)
				}
				taken[key] = where
			}
		}
		// At 1400 pixels a column is 58 wide; Grafana cuts a title without a word.
		if room := (p.GridPos.W*58 - 70) * 10 / 74; len(p.Title) > room {
			t.Errorf("%s: the title has %d letters, and there is room for %d", where, len(p.Title), room)
		}
		switch p.Type {
		case "row", "text":
			continue
		case "stat", "timeseries", "bargauge", "table":
		default:
			t.Errorf("%s: type %s", where, p.Type)
		}
		for _, part := range []string{"**Source:**", "**Bad:**", "**Then:**"} {
			if !strings.Contains(p.Description, part) {
				t.Errorf("%s: the description lacks %s", where, part)
			}
		}
		if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("%s: data source %q, %d targets", where, p.Datasource.UID, len(p.Targets))
		}
		for _, q := range p.Targets {
			if q.Datasource.UID != "${datasource}" {
				t.Errorf("%s: data source %q of a target", where, q.Datasource.UID)
			}
		}
		if p.FieldConfig.Defaults.NoValue == "" || p.Type == "timeseries" && p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%s: want a unit, and words for the case that it has no data", where)
		}
	}
	if len(taken) == 0 {
		t.Errorf("%s has no panels", d.Title)
	}
}

// TestNeedsNameFlags holds the words of empty panels against the exporter.
func TestNeedsNameFlags(t *testing.T) {
	var source string
	for _, file := range []string{"settings.go", "options.go", "collectors.go", "target.go"} {
		text, err := os.ReadFile(filepath.Join("..", "exporter", file))
		if err != nil {
			t.Fatal(err)
		}
		source += string(text)
	}
	flags := 0
	for _, b := range boards() {
		for _, p := range b.panels() {
			for _, found := range regexp.MustCompile(`--(no-)?([a-z0-9.-]+[a-z0-9])`).FindAllStringSubmatch(string(p.need)+" "+p.about.String(), -1) {
				flags++
				name := strings.TrimPrefix(found[2], "collector.")
				if !strings.Contains(source, `"`+found[2]+`"`) && !strings.Contains(source, `"`+name+`"`) {
					t.Errorf("%s: panel %q: the exporter does not know --%s", b.title, p.title, found[2])
				}
			}
		}
	}
	if flags == 0 {
		t.Error("no panel names a flag")
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{nil, "[map[color:fine value:<nil>]]"},
		{[]string{"database_cpu_high", "database_cpu_saturated"}, "[map[color:fine value:<nil>] map[color:semi-dark-yellow value:0.8] map[color:red value:0.9]]"},
		{[]string{"database_io_credits"}, "[map[color:semi-dark-yellow value:<nil>] map[color:fine value:0.2]]"},
	} {
		if got, err := steps("fine", c.ids); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%v give %v, %v: want %s", c.ids, got, err, c.want)
		}
	}
	for _, ids := range [][]string{{"no_such"}, {"database_cpu_saturated", "database_cpu_high"}, {"database_cpu_high", "database_io_credits"}} {
		if got, err := steps("fine", ids); err == nil {
			t.Errorf("%v give %v and no error", ids, got)
		}
	}
}
