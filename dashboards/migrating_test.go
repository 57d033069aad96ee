package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tokenpersistence/toolkit/internal/promtest"
)

// TestMigratedHistory shows an hour of mysqld_exporter and YACE through the rules
// of alerts/migrating: every query of the dashboard of the database has an answer
// but for those of the series that docs/migrating.md names.
func TestMigratedHistory(t *testing.T) {
	root := promtest.Root(t)
	rules := promtest.ReadRules(t, filepath.Join(root, "alerts", "migrating"))
	recorded := promtest.Recorded(rules)
	w := &world{store: promtest.New(t), from: time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)}
	w.to = w.from.Add(time.Hour)
	w.store.Append(t, history(t, rules, w.from, w.to))
	w.store.Record(t, rules, w.from, w.to, 15*time.Second)
	page, err := os.ReadFile(filepath.Join(root, "docs", "migrating.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards() {
		if b.title != "Database saturation" {
			continue
		}
		w.choose(t, b, true)
		var empty []string // metrics of queries without an answer
		for _, q := range b.asked() {
			series, err := w.answer(t, w.expand(q.expr), q.every)
			if err != nil {
				t.Fatalf("%s: %v", q.where, err)
			}
			if len(series) > 0 {
				continue
			}
			for _, name := range metricsOf(t, w.expand(q.expr)) {
				if !slices.Contains(recorded, name) {
					empty = append(empty, name)
				}
			}
		}
		var said []string
		_, list, _ := strings.Cut(string(page), "\nNo history for these series of the dashboard:\n\n")
		list, _, _ = strings.Cut(list, "\n\n")
		for _, found := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(list, -1) {
			said = append(said, found[1])
		}
		slices.Sort(said)
		slices.Sort(empty)
		empty = slices.Compact(empty)
		if diff := cmp.Diff(said, empty); diff != "" {
			t.Errorf("series without data (-docs/migrating.md +found)\n%s", diff)
		}
	}
}

// history is what the rules read, in the shape in which both exporters give it:
// scrapes every 15 s, and CloudWatch's periods of a minute.
func history(t *testing.T, rules []promtest.Rule, from, to time.Time) []promtest.Series {
	t.Helper()
	recorded := promtest.Recorded(rules)
	names := map[string]bool{}
	for _, r := range rules {
		for _, name := range metricsOf(t, r.Expr) {
			names[name] = names[name] || !slices.Contains(recorded, name)
		}
	}
	var out []promtest.Series
	for name, theirs := range names {
		if !theirs {
			continue
		}
		every, of := 15*time.Second, []string{"__name__", name, "job", "mysql", "instance", "db:9104"}
		if strings.HasPrefix(name, "aws_") {
			every, of = time.Minute, []string{"__name__", name, "job", "yace", "instance", "yace:5000", "dimension_DBInstanceIdentifier", "apim-db"}
		}
		s := promtest.Series{Labels: labels.FromStrings(of...)}
		for i, at := 0, from; !at.After(to); i, at = i+1, at.Add(every) {
			s.Samples = append(s.Samples, promql.FPoint{T: at.UnixMilli(), F: float64(10 + i%40)})
		}
		out = append(out, s)
	}
	return out
}

// metricsOf are the names in an expression.
func metricsOf(t *testing.T, text string) []string {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			out = append(out, v.Name)
		}
		return nil
	})
	return out
}
