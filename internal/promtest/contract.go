package promtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// Contract is what expressions may ask for: what the exporter promises, what
// Prometheus adds, and the recording rules that were added.
type Contract struct {
	series   map[string][]labels.Labels // by name as a query knows it, histograms in their parts
	counters map[string]bool
	recorded map[string]bool
	learnt   map[string]map[string]bool // labels of recording rules, where known
}

// fromPrometheus are series that a server makes itself, with labels of its own.
var fromPrometheus = map[string]bool{
	"up": true, "ALERTS": true, "ALERTS_FOR_STATE": true, "scrape_duration_seconds": true, "scrape_samples_scraped": true,
}

// addedLabels are labels that a server adds to every series.
var addedLabels = map[string]bool{"job": true, "instance": true}

// freeValues are labels whose values the user, the server or a failure chooses;
// the contract holds an example.
var freeValues = map[string]bool{
	"role": true, "db_instance": true, "ec2_instance": true, "flavor": true, "version": true, "generation": true, "class": true, "le": true,
}

// ReadContract reads the exporter's contract.
func ReadContract(tb testing.TB) *Contract {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(Root(tb), "exporter", "testdata", "metrics.prom"))
	if err != nil {
		tb.Fatalf("read the contract: %v", err)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		tb.Fatalf("read the contract: %v", err)
	}
	c := &Contract{series: map[string][]labels.Labels{}, counters: map[string]bool{}, recorded: map[string]bool{}, learnt: map[string]map[string]bool{}}
	for name, f := range families {
		for _, m := range f.Metric {
			c.add(name, f.GetType(), m)
		}
	}
	// The contract cannot hold the share that MySQL alone measures.
	const tax = "wso2_token_tax_ratio"
	for _, bound := range []string{"lower", "upper"} {
		if len(c.series[tax]) == 0 {
			break // it has another name now
		}
		c.series[tax] = append(c.series[tax], labels.FromStrings("bound", bound, "resource", "cpu_time"))
	}
	return c
}

// add takes one metric of the contract, a histogram in its parts.
func (c *Contract) add(name string, kind dto.MetricType, m *dto.Metric) {
	pairs := map[string]string{}
	for _, l := range m.Label {
		pairs[l.GetName()] = l.GetValue()
	}
	put := func(name string) { c.series[name] = append(c.series[name], labels.FromMap(pairs)) }
	if kind != dto.MetricType_HISTOGRAM {
		c.counters[name] = kind == dto.MetricType_COUNTER
		put(name)
		return
	}
	for _, part := range []string{"_count", "_sum"} {
		c.counters[name+part] = true
		put(name + part)
	}
	c.counters[name+"_bucket"] = true
	for _, b := range m.Histogram.Bucket {
		pairs["le"] = strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64)
		put(name + "_bucket")
	}
}

// Add makes names known: those of recording rules, see Recorded.
func (c *Contract) Add(names ...string) {
	for _, name := range names {
		c.recorded[name] = true
	}
}

// AddSeries makes one series known with its labels, all of whose values are
// open. It is for metrics of ours that the exporter does not expose.
func (c *Contract) AddSeries(name string, labels ...string) {
	c.recorded[name] = true
	c.learnt[name] = map[string]bool{}
	for _, l := range labels {
		c.learnt[name][l] = true
	}
}

// Names returns the names of the exporter's series, sorted.
func (c *Contract) Names() []string { return slices.Sorted(maps.Keys(c.series)) }

// Check returns what is wrong with an expression, nothing when every metric is
// known, every selector matches a series of the contract, and every label that
// it groups or joins by is one of the series below.
func (c *Contract) Check(expr string) []string {
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{fmt.Sprintf("%v in %s", err, expr)}
	}
	var problems []string
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			problems = append(problems, c.checkSelector(n)...)
		case *parser.AggregateExpr:
			problems = append(problems, c.checkLabels(n.Expr, n.Grouping)...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				problems = append(problems, c.checkLabels(n, slices.Concat(n.VectorMatching.MatchingLabels, n.VectorMatching.Include))...)
			}
		case *parser.Call:
			if n.Func.Name == "rate" || n.Func.Name == "irate" || n.Func.Name == "increase" {
				problems = append(problems, c.checkCounter(n)...)
			}
		}
		return nil
	})
	return problems
}

// checkSelector looks for a series that the selector matches.
func (c *Contract) checkSelector(v *parser.VectorSelector) []string {
	name := v.Name
	for _, m := range v.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type != labels.MatchEqual {
			return c.checkNames(m)
		}
		if m.Name == model.MetricNameLabel {
			name = m.Value
		}
	}
	if fromPrometheus[name] {
		return nil
	}
	if c.recorded[name] {
		for _, m := range v.LabelMatchers {
			if known := c.learnt[name]; known != nil && m.Name != model.MetricNameLabel && !addedLabels[m.Name] && !known[m.Name] {
				return []string{fmt.Sprintf("%s has no label %s", name, m.Name)}
			}
		}
		return nil
	}
	series, ok := c.series[name]
	if !ok {
		return []string{fmt.Sprintf("nothing exposes or records %s: %s", name, nearest.Hint(name, slices.Concat(c.Names(), slices.Sorted(maps.Keys(c.recorded)))))}
	}
	for _, one := range series {
		if matches(one, v.LabelMatchers) {
			return nil
		}
	}
	return []string{fmt.Sprintf("no series of the contract matches %s", v)}
}

// checkNames looks for a name that a pattern of names takes.
func (c *Contract) checkNames(m *labels.Matcher) []string {
	for _, name := range slices.Concat(c.Names(), slices.Collect(maps.Keys(c.recorded))) {
		if m.Matches(name) {
			return nil
		}
	}
	return []string{fmt.Sprintf("nothing exposes or records a name that %s takes", m)}
}

// matches tells whether a series of the contract has the labels of all matchers
// and their values, where values are not free.
func matches(series labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		switch {
		case m.Name == model.MetricNameLabel || addedLabels[m.Name]:
		case !series.Has(m.Name):
			return false
		case freeValues[m.Name] || m.Matches(series.Get(m.Name)):
		default:
			return false
		}
	}
	return true
}

// checkLabels looks for each label among those of the series below a node.
func (c *Contract) checkLabels(below parser.Node, names []string) []string {
	known := maps.Clone(addedLabels)
	open := false
	parser.Inspect(below, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			if n.Name == "" || fromPrometheus[n.Name] || c.recorded[n.Name] && c.learnt[n.Name] == nil {
				open = true
			}
			maps.Copy(known, c.learnt[n.Name])
			for _, one := range c.series[n.Name] {
				one.Range(func(l labels.Label) { known[l.Name] = true })
			}
		case *parser.Call:
			if n.Func.Name == "label_replace" || n.Func.Name == "label_join" {
				if text, ok := n.Args[1].(*parser.StringLiteral); ok {
					known[text.Val] = true
				}
			}
		}
		return nil
	})
	var problems []string
	for _, name := range names {
		if !open && !known[name] {
			problems = append(problems, fmt.Sprintf("no series in %s has the label %s: %s", below, name, nearest.Hint(name, slices.Sorted(maps.Keys(known)))))
		}
	}
	return problems
}

// checkCounter refuses the rate of what is no counter: a CloudWatch value is a
// rate already.
func (c *Contract) checkCounter(call *parser.Call) []string {
	m, ok := call.Args[0].(*parser.MatrixSelector)
	if !ok {
		return nil // of a subquery: whoever writes one knows
	}
	v, ok := m.VectorSelector.(*parser.VectorSelector)
	if !ok || len(c.series[v.Name]) == 0 || c.counters[v.Name] {
		return nil
	}
	return []string{fmt.Sprintf("%s of %s, which is a gauge", call.Func.Name, v.Name)}
}
