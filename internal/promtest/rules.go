package promtest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// Rule is a recording rule (Record) or an alerting rule (Alert).
type Rule struct {
	Record string            `yaml:"record"`
	Alert  string            `yaml:"alert"`
	Expr   string            `yaml:"expr"`
	Labels map[string]string `yaml:"labels"`
}

// ReadRules reads the rules of every YAML file in a folder, files by name. A
// folder without rules ends the test.
func ReadRules(tb testing.TB, folder string) []Rule {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.y*ml"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("%s: no file with rules in it (%v)", folder, err)
	}
	var rules []Rule
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var parsed struct {
			Groups []struct{ Rules []Rule }
		}
		if err := yaml.Unmarshal(text, &parsed); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		for _, g := range parsed.Groups {
			rules = append(rules, g.Rules...)
		}
	}
	return rules
}

// Recorded returns the names of the recording rules among rules.
func Recorded(rules []Rule) []string {
	var names []string
	for _, r := range rules {
		if r.Record != "" {
			names = append(names, r.Record)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Needed returns the recording rules that expressions read, and those that these
// read in turn.
func Needed(tb testing.TB, rules []Rule, exprs ...string) []Rule {
	tb.Helper()
	taken := make([]bool, len(rules))
	for again := true; again; {
		again = false
		for i, r := range rules {
			if r.Record == "" || taken[i] {
				continue
			}
			for _, expr := range exprs {
				reads, err := readsAny(expr, []string{r.Record})
				if err != nil {
					tb.Fatal(err)
				}
				if reads {
					taken[i], again = true, true
					exprs = append(exprs, r.Expr)
					break
				}
			}
		}
	}
	var out []Rule
	for i, r := range rules {
		if taken[i] {
			out = append(out, r)
		}
	}
	return out
}

// Record evaluates the recording rules among rules from one time to another and
// appends what they give, each after those that it reads. Where a rule gives a
// series no longer, the series ends, as it does in a server.
func (s *Store) Record(tb testing.TB, rules []Rule, from, to time.Time, step time.Duration) {
	tb.Helper()
	for _, r := range inOrder(tb, rules) {
		series, err := s.Range(tb.Context(), r.Expr, from, to, step)
		if err != nil {
			tb.Fatalf("rule %s: %v", r.Record, err)
		}
		for i, one := range series {
			b := labels.NewBuilder(one.Labels).Set(model.MetricNameLabel, r.Record)
			for name, text := range r.Labels {
				b.Set(name, text)
			}
			series[i] = Series{b.Labels(), withEnds(one.Samples, step, to)}
		}
		s.Append(tb, series)
	}
}

// withEnds adds a stale marker wherever a step has no value.
func withEnds(samples []promql.FPoint, step time.Duration, to time.Time) []promql.FPoint {
	var out []promql.FPoint
	stale := math.Float64frombits(value.StaleNaN)
	for i, p := range samples {
		out = append(out, p)
		next := p.T + step.Milliseconds()
		if next <= to.UnixMilli() && (i+1 == len(samples) || samples[i+1].T > next) {
			out = append(out, promql.FPoint{T: next, F: stale})
		}
	}
	return out
}

// inOrder sorts recording rules so that each comes after those it reads.
func inOrder(tb testing.TB, rules []Rule) []Rule {
	tb.Helper()
	waiting := slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool { return r.Record == "" })
	var out []Rule
	for len(waiting) > 0 {
		left := waiting[:0:0]
		names := Recorded(waiting)
		for _, r := range waiting {
			if reads, err := readsAny(r.Expr, names); err != nil {
				tb.Fatalf("rule %s: %v", r.Record, err)
			} else if reads {
				left = append(left, r)
			} else {
				out = append(out, r)
			}
		}
		if len(left) == len(waiting) {
			tb.Fatalf("recording rules %v read each other in a circle", names)
		}
		waiting = left
	}
	return out
}

// readsAny tells whether an expression selects one of the names.
func readsAny(expr string, names []string) (bool, error) {
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", expr, err)
	}
	found := false
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		if v, ok := node.(*parser.VectorSelector); ok && slices.Contains(names, v.Name) {
			found = true
		}
		return nil
	})
	return found, nil
}
