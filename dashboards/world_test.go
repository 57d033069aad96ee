package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tokenpersistence/toolkit/internal/promtest"
	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// world is data, the time that a dashboard shows of it, and what its variables
// were set to.
type world struct {
	store    *promtest.Store
	from, to time.Time
	values   map[string]string // of variables, as they stand in a query
}

// rules are the recording rules of alerts/.
func rules(t *testing.T) []promtest.Rule {
	t.Helper()
	return promtest.ReadRules(t, filepath.Join(promtest.Root(t), "alerts", "rules"))
}

// record evaluates the recording rules that the dashboards read.
func (w *world) record(t *testing.T, every time.Duration) {
	t.Helper()
	var exprs []string
	plain := &world{from: w.from, to: w.to, values: placeholders}
	for _, a := range asked() {
		exprs = append(exprs, plain.expand(a.expr))
	}
	w.store.Record(t, promtest.Needed(t, rules(t), exprs...), w.from, w.to, every)
}

// made is an exporter with everything on, for an hour, persistence on in its
// second and third fifth.
func made(t *testing.T) *world {
	t.Helper()
	w := &world{store: promtest.New(t), from: time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)}
	w.to = w.from.Add(time.Hour)
	series := promtest.ReadContract(t).Moving(w.from, w.to, 20*time.Second)
	for _, one := range []struct {
		labels []string
		value  float64
	}{
		{[]string{"__name__", "up", "job", promtest.MovingJob, "instance", promtest.MovingInstance}, 1},
		{[]string{"__name__", "ALERTS", "alertname", "TokenPersistenceDatabaseSaturated", "alertstate", "firing"}, 1},
	} {
		s := promtest.Series{Labels: labels.FromStrings(one.labels...)}
		for at := w.from; !at.After(w.to); at = at.Add(15 * time.Second) {
			s.Samples = append(s.Samples, promql.FPoint{T: at.UnixMilli(), F: one.value})
		}
		series = append(series, s)
	}
	w.store.Append(t, series)
	w.record(t, 15*time.Second)
	return w
}

// put puts test windows into the data.
func (w *world) put(t *testing.T, all []testwindow.Window) {
	t.Helper()
	var series []promtest.Series
	for _, one := range all {
		for _, family := range testwindow.Families() {
			b := labels.NewScratchBuilder(4)
			b.Add("__name__", family.Name)
			for i, name := range testwindow.LabelNames() {
				b.Add(name, one.LabelValues()[i])
			}
			b.Sort()
			s := promtest.Series{Labels: b.Labels()}
			for _, at := range samples(one) {
				s.Samples = append(s.Samples, promql.FPoint{T: at.UnixMilli(), F: testwindow.Seconds(family.Value(one))})
			}
			series = append(series, s)
		}
	}
	w.store.Append(t, series)
}

// recorded is an hour of the testbed: MySQL, both modes, three grants, every
// collector that needs no log of API Manager's own.
func recorded(t *testing.T) *world {
	t.Helper()
	folder := filepath.Join(promtest.Root(t), "docs", "case-study", "data")
	w := &world{store: promtest.Open(t, filepath.Join(folder, "tsdb"))}
	w.from, w.to = w.store.Recorded()
	file, err := os.ReadFile(filepath.Join(folder, "experiment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := readWindows(file)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, found)
	// Look at the end of the last window: afterwards the rig stands still.
	w.to = found[len(found)-1].End
	w.record(t, 30*time.Second)
	return w
}

// expand puts the values of the variables into a query, as Grafana does.
func (w *world) expand(expr string) string {
	seconds := int(w.to.Sub(w.from).Seconds())
	pairs := []string{"$__rate_interval", "60s", "$__range", strconv.Itoa(seconds) + "s"}
	for name, value := range w.values {
		pairs = append(pairs, "${"+name+"}", value, "$"+name, value)
	}
	return strings.NewReplacer(pairs...).Replace(expr)
}

var (
	labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	queryResult = regexp.MustCompile(`(?s)^query_result\((.+)\)$`)
)

// choose sets every variable: those with All to All, or to their first value.
func (w *world) choose(t *testing.T, b board, all bool) {
	t.Helper()
	w.values = map[string]string{}
	for _, v := range append(commonVariables(), b.variables...) {
		options := w.options(t, v)
		switch {
		case v.all && (all || len(options) == 0):
			w.values[v.name] = allValue
		case len(options) == 0:
			t.Fatalf("%s: variable %s has no value: %s", b.title, v.name, w.expand(v.query))
		case v.all:
			w.values[v.name] = strings.ReplaceAll(regexp.QuoteMeta(options[0]), `\`, `\\`)
		default:
			w.values[v.name] = options[0]
		}
	}
}

// options asks for a variable's values.
func (w *world) options(t *testing.T, v variable) []string {
	t.Helper()
	query := w.expand(v.query)
	if m := labelValues.FindStringSubmatch(query); m != nil {
		values, err := w.store.LabelValues(t.Context(), m[2], m[1], w.from, w.to)
		if err != nil {
			t.Fatalf("variable %s: %v", v.name, err)
		}
		return values
	}
	m := queryResult.FindStringSubmatch(query)
	if m == nil {
		t.Fatalf("variable %s: %s is neither label_values nor query_result", v.name, query)
	}
	vector, err := w.store.Instant(t.Context(), m[1], w.to)
	if err != nil {
		t.Fatalf("variable %s: %v", v.name, err)
	}
	pattern := regexp.MustCompile(strings.Trim(v.regex, "/"))
	var out []string
	for _, s := range vector {
		var parts []string
		s.Metric.Range(func(l labels.Label) {
			if l.Name != "__name__" {
				parts = append(parts, fmt.Sprintf("%s=%q", l.Name, l.Value))
			}
		})
		line := fmt.Sprintf("%s{%s} %s %d", s.Metric.Get("__name__"), strings.Join(parts, ","), strconv.FormatFloat(s.F, 'f', -1, 64), s.T)
		found := pattern.FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("variable %s: %s does not take %s", v.name, v.regex, line)
		}
		out = append(out, found[pattern.SubexpIndex("value")])
	}
	return out
}

// question is an expression of a dashboard with its place.
type question struct {
	where  string
	expr   string
	legend string
	every  time.Duration // between the values of a graph; 0 asks for now
	panel  panel
}

// placeholders stand for variables where only the form of a query matters. Their
// numbers are found again in the syntax tree.
var placeholders = map[string]string{
	"job": ".+", "instance": ".+", "db_instance": ".+", "grant": ".+", "on_end": "1782903600", "off_end": "1782905400", "length": "59", "lag": "7",
}

// asked is every expression of every dashboard: targets, variables, annotations.
func asked() []question {
	var out []question
	for _, b := range boards() {
		for _, v := range append(commonVariables(), b.variables...) {
			where := b.title + ": variable " + v.name
			if m := labelValues.FindStringSubmatch(v.query); m != nil {
				out = append(out, question{where: where, expr: "count by (" + m[2] + ") (" + m[1] + ")"})
			} else if m := queryResult.FindStringSubmatch(v.query); m != nil {
				out = append(out, question{where: where, expr: m[1]})
			}
		}
		out = append(out, b.asked()...)
	}
	for _, a := range marks() {
		out = append(out, question{where: "annotation " + a.name, expr: a.expr, every: annotationStep})
	}
	return out
}

func (b board) asked() []question {
	var out []question
	for _, p := range b.panels() {
		for i, q := range p.queries {
			out = append(out, question{fmt.Sprintf("%s: panel %q, query %s", b.title, p.title, refID(i)), q.expr, q.legend, p.every(), p})
		}
	}
	return out
}

// every is the step of a graph: few points of much data do.
func (p panel) every() time.Duration {
	if p.kind == graph {
		return 150 * time.Second
	}
	return 0
}

// legends returns the names of series as the legend shows them.
func legends(q question, series []promtest.Series) []string {
	var out []string
	for _, s := range series {
		out = append(out, regexp.MustCompile(`{{\s*(\w+)\s*}}`).ReplaceAllStringFunc(q.legend, func(found string) string {
			return s.Labels.Get(strings.Trim(found, "{} "))
		}))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
