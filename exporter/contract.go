package main

import (
	"bufio"
	_ "embed" // the contract is part of the program
	"fmt"
	"go/doc/comment"
	"io"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// contract is a golden exposition: the union of a healthy and a failing scrape
// with values zeroed. Before each family stand comments that the text format
// ignores: its collector, and the flavour of server it is limited to.
//
//go:embed testdata/metrics.prom
var contract string

const (
	collectorComment = "# collector: "
	onlyComment      = "# only on: "
	helpComment      = "# HELP "

	// ownFamilies stands in the place of a collector for what the program says
	// of itself and of its collectors.
	ownFamilies = "-"
)

// contractFamily is one family of the contract.
type contractFamily struct {
	*dto.MetricFamily
	collector string // or ownFamilies
	only      string // mysql, mariadb, or empty for both
}

// parseContract returns the families sorted by name.
func parseContract(text string) ([]contractFamily, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("parse the contract: %w", err)
	}
	var families []contractFamily
	var next contractFamily
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if value, ok := strings.CutPrefix(line, collectorComment); ok {
			next.collector = value
		} else if value, ok := strings.CutPrefix(line, onlyComment); ok {
			next.only = value
		} else if value, ok := strings.CutPrefix(line, helpComment); ok {
			name, _, _ := strings.Cut(value, " ")
			next.MetricFamily = parsed[name]
			families = append(families, next)
			next = contractFamily{}
		}
	}
	return families, nil
}

// labels returns the names of the family's labels, sorted.
func (f contractFamily) labels() []string {
	names := map[string]bool{}
	for _, m := range f.Metric {
		for _, l := range m.Label {
			names[l.GetName()] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// helpWidth is that of a help text on a terminal of 80 columns.
const helpWidth = 80 - 4

// printContract prints every metric with its labels, and below it type,
// collector and help.
func printContract(w io.Writer) error {
	families, err := parseContract(contract)
	if err != nil {
		return err
	}
	var parser comment.Parser
	wrapped := comment.Printer{TextWidth: helpWidth, TextPrefix: "    "}
	out := bufio.NewWriter(w)
	for _, f := range families {
		name := f.GetName()
		if labels := f.labels(); len(labels) > 0 {
			name += "{" + strings.Join(labels, ",") + "}"
		}
		kind := []string{strings.ToLower(f.GetType().String())}
		if f.collector != ownFamilies {
			kind = append(kind, "collector "+f.collector)
		}
		if f.only != "" {
			kind = append(kind, "only on "+f.only)
		}
		help := wrapped.Text(parser.Parse(f.GetHelp()))
		_, _ = fmt.Fprintf(out, "%s\n    %s\n%s", name, strings.Join(kind, ", "), help) // kept for Flush
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print the metrics: %w", err)
	}
	return nil
}
