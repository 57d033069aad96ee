package source

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// rowsOf are the series to read: the profile's rows with the experiment's
// matchers, and its queries in place of the profile's. Rows that the profile
// cannot read without a selection are left out; what is missed is a Problem.
func rowsOf(spec Spec) ([]row, []Problem, error) {
	if spec.rows != nil {
		return spec.rows, nil, nil
	}
	name := spec.Profile
	if name == "" {
		name = "exporter"
	}
	profile, ok := profiles[name]
	if !ok {
		return nil, nil, &SpecError{fmt.Sprintf("source profile %q is unknown: %s", name, nearest.Hint(name, Profiles()))}
	}
	if err := knownSeries(spec); err != nil {
		return nil, nil, err
	}
	var rows []row
	var problems []Problem
	for _, series := range seriesNames {
		if text, ok := spec.Queries[series]; ok {
			row, err := queryRow(series, text, spec.Step)
			if err != nil {
				return nil, nil, &SpecError{err.Error()}
			}
			rows = append(rows, row)
			continue
		}
		i := slices.IndexFunc(profile, func(r row) bool { return r.series == series })
		if i < 0 {
			continue
		}
		row := profile[i]
		if row.named && len(spec.Select[series]) == 0 {
			if series == APIManagerCPU {
				problems = append(problems, Problem{Window: -1, Series: series, Warning: "missing-data",
					Text: fmt.Sprintf("profile %s cannot tell API Manager's host from others: name it, for example select: {%s: {instance: \"apim:9100\"}}", name, series)})
			}
			continue
		}
		matchers := maps.Clone(spec.Matchers)
		if matchers == nil {
			matchers = map[string]string{}
		}
		maps.Copy(matchers, spec.Select[series])
		row.optional = row.optional && len(spec.Select[series]) == 0 // who names it wants it
		row.query, row.plus = row.query.with(matchers), row.plus.with(matchers)
		row.clock, row.stamp = row.clock.with(matchers), row.stamp.with(matchers)
		rows = append(rows, row)
	}
	return rows, problems, nil
}

// knownSeries refuses queries and selections for series that do not exist.
func knownSeries(spec Spec) error {
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(spec.Queries)), slices.Sorted(maps.Keys(spec.Select))) {
		if !slices.Contains(seriesNames, name) {
			return &SpecError{fmt.Sprintf("there is no series %q: %s", name, nearest.Hint(name, seriesNames))}
		}
	}
	return nil
}

// CheckQuery says what is wrong with a query that an experiment gives for a
// series of a source of this kind, nil when nothing is.
func CheckQuery(kind, series, text string) error {
	r, err := queryRow(series, text, 0)
	if err == nil && r.kind == evaluated && kind == "openmetrics" {
		return fmt.Errorf("%s: %q: %w", series, text, errNotEvaluated)
	}
	return err
}

// queryRow is the row of an experiment's own query. A plain selector is read
// raw, like those of a profile; everything else is evaluated. Requests are
// counted, so theirs have to be plain: an expression of counters hides their
// resets, and rates overlap. Bytes of a plain selector are those of a counter, of
// an expression those per second.
func queryRow(series, text string, step time.Duration) (row, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return row{}, fmt.Errorf("%s: %q is not PromQL: %w", series, text, err)
	}
	r := row{series: series, text: text, busiest: series == LoadGeneratorCPU}
	counter := series == EndpointRequests || series == EndpointErrors
	switch {
	case plain(expr) && counter:
		r.kind = counted
	case plain(expr) && series == DatabaseBytes:
		r.kind = rated
	case plain(expr):
		r.kind = scraped
	case counter:
		return row{}, fmt.Errorf("%s: %q is not a plain selector: name the counter itself, such as requests_total{code=\"200\"}, since its increments are taken from raw samples", series, text)
	case expr.Type() != parser.ValueTypeVector && expr.Type() != parser.ValueTypeScalar:
		return row{}, fmt.Errorf("%s: %q gives a %s: write an expression that gives one value at a time", series, text, parser.DocumentedType(expr.Type()))
	default:
		r.kind, r.step = evaluated, step
		if r.step == 0 {
			r.step = max(longestRange(expr), defaultStep)
		}
	}
	return r, nil
}

// defaultStep is the time between the values of an expression that looks back
// over no range.
const defaultStep = 15 * time.Second

// plain says whether an expression is a selector and nothing else.
func plain(expr parser.Expr) bool {
	s, ok := expr.(*parser.VectorSelector)
	return ok && s.OriginalOffset == 0 && s.Timestamp == nil && s.StartOrEnd == 0
}

// longestRange is how far an expression looks back: values that are closer to
// each other share samples.
func longestRange(expr parser.Expr) time.Duration {
	longest := time.Duration(0)
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.MatrixSelector:
			longest = max(longest, n.Range)
		case *parser.SubqueryExpr:
			longest = max(longest, n.Range)
		}
		return nil
	})
	return longest
}

// overlap says that the values of an evaluated row share samples, "" when they
// do not.
func (r row) overlap() string {
	if r.kind != evaluated {
		return ""
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.text)
	if err != nil {
		return ""
	}
	if longest := longestRange(expr); longest > r.step {
		return fmt.Sprintf("%s looks back over %s and is evaluated every %s, so neighbouring values share samples: leave step out, or shorten the range", r.text, longest, r.step)
	}
	return ""
}

// errNotEvaluated is the answer of sources that hold samples only.
var errNotEvaluated = errors.New("this kind of source evaluates no expressions: give a plain selector")
