package main

import (
	"bufio"
	_ "embed" // the contract is part of the program
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

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

// printContract prints every metric with its type, labels, collector and help.
func printContract(w io.Writer) error {
	families, err := parseContract(contract)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	// The writers keep an error for Flush.
	_, _ = fmt.Fprintln(table, "METRIC\tTYPE\tCOLLECTOR\tHELP")
	for _, f := range families {
		name := f.GetName()
		if labels := f.labels(); len(labels) > 0 {
			name += "{" + strings.Join(labels, ",") + "}"
		}
		help := f.GetHelp()
		if f.only != "" {
			help += " Only on " + f.only + "."
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", name, strings.ToLower(f.GetType().String()), f.collector, help)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the metrics: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print the metrics: %w", err)
	}
	return nil
}
