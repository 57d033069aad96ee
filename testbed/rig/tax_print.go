package rig

import (
	"fmt"
	"io"
	"maps"
	"text/tabwriter"

	dto "github.com/prometheus/client_model/go"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// taxResources are what the tax is computed of here, by their metrics.
var taxResources = [...]struct{ name, kind, server string }{
	{"statement time", "wso2_token_statement_seconds_total", "mysql_statement_seconds_total"},
	{"processor time", "wso2_token_statement_cpu_seconds_total", "mysql_statement_cpu_seconds_total"},
}

// taxSums are the exporter's statement counters: rate() over the same would make
// the tax over any window.
type taxSums map[string]float64

// labelled is the name under which taxSums has all series with a label's value.
func labelled(name, label, value string) string { return name + "{" + label + "=" + value + "}" }

// readTaxSums reads the counters of token statements by kind and by purpose, and
// those of the server.
func readTaxSums(families map[string]*dto.MetricFamily) taxSums {
	s := taxSums{
		executionsMetric:   sum(families[executionsMetric], nil),
		unattributedMetric: sum(families[unattributedMetric], nil),
	}
	names := []string{kindExecutionsMetric}
	for _, r := range taxResources {
		names = append(names, r.kind)
		if family := families[r.server]; family != nil {
			s[r.server] = sum(family, nil)
		}
	}
	for _, name := range names {
		for _, m := range families[name].GetMetric() {
			for _, l := range m.GetLabel() {
				s[labelled(name, l.GetName(), l.GetValue())] += m.GetCounter().GetValue()
			}
		}
	}
	return s
}

const (
	kindExecutionsMetric = "wso2_token_statement_executions_total"
	executionsMetric     = "mysql_statement_executions_total"
	unattributedMetric   = "wso2_token_statement_unattributed_total"
)

// plus returns s + factor × o.
func (s taxSums) plus(o taxSums, factor float64) taxSums {
	total := maps.Clone(s)
	if total == nil {
		total = taxSums{}
	}
	for name, v := range o {
		total[name] += factor * v
	}
	return total
}

// tax is the interval of a resource as the exporter has it; known is false
// where the server does not measure it.
func (s taxSums) tax(i int) (lower, upper float64, known bool) {
	r := taxResources[i]
	if s[r.server] <= 0 {
		return 0, 0, false
	}
	lower, upper = collector.TaxInterval(
		func(kind string) float64 { return s[labelled(kindExecutionsMetric, "kind", kind)] },
		func(kind string) float64 { return s[labelled(r.kind, "kind", kind)] },
		s[r.server])
	return lower, upper, true
}

// gone is the share of the database's processor time under load with
// persistence on that disappears at the same rate of tokens when each of them
// costs cost less.
func (g taxGrant) gone(on taxWindow, cost float64) float64 {
	tokens := float64(on.tokens)
	return tokens * cost / (on.load*g.idle.cpu/g.idle.seconds + tokens*on.perToken(g.idle))
}

// loaded takes the idle part of a window's reading off its sums: the tax is that
// of the load.
func (w taxWindow) loaded(idle taxWindow) taxSums {
	return w.plus(idle.taxSums, -(w.seconds-w.load)/idle.seconds)
}

// printTax prints the study.
func printTax(out io.Writer, version string, grants []taxGrant) error {
	fmt.Fprintf(out, "\nPersistence tax on %s: what disappears of the database's processor time when persistence is switched off,\nand what the exporter says\n\n", version)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "grant\tcore-µs per token on / off\tdisappears net (pairs)\tgross\ttax\tcontains net\tgross")
	for _, g := range grants {
		onCost, offCost := g.on.perToken(g.idle), g.off.perToken(g.idle)
		net := g.gone(g.on, onCost-offCost)
		low, high := net, net
		for _, pair := range g.pairs {
			share := g.gone(pair[0], pair[0].perToken(g.idle)-pair[1].perToken(g.idle))
			low, high = min(low, share), max(high, share)
		}
		gross := g.gone(g.on, onCost-offCost*(1-g.revoking()))
		first := fmt.Sprintf("%s\t%.0f / %.0f\t%.3f (%.3f to %.3f)\t%.3f", g.grant, onCost*1e6, offCost*1e6, net, low, high, gross)
		sums := g.on.loaded(g.idle)
		for i, r := range taxResources {
			lower, upper, known := sums.tax(i)
			if !known {
				continue
			}
			contains := func(share float64) string {
				if lower <= share && share <= upper {
					return "yes"
				}
				return "no"
			}
			fmt.Fprintf(table, "%s\t%s [%.3f, %.3f]\t%s\t%s\n", first, r.name, lower, upper, contains(net), contains(gross))
			first = "\t\t\t"
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nnet: off as it is, with the revocation work it adds. gross: without that work.")
	for _, g := range grants {
		fmt.Fprintf(out, "%s: %.0f tokens/s on, %.0f off; off keeps %.0f core-µs per token, %.0f %% of its statement time revocation; %.2f %% of on's executions not attributed\n",
			g.grant, float64(g.on.tokens)/g.on.load, float64(g.off.tokens)/g.off.load, g.off.perToken(g.idle)*1e6, 100*g.revoking(),
			100*g.on.taxSums[unattributedMetric]/g.on.taxSums[executionsMetric])
	}
	return nil
}

// revoking is the share of revocation in the statement time of off, what goes on
// without load taken off.
func (g taxGrant) revoking() float64 {
	off, r := g.off.plus(g.idle.taxSums, -g.off.seconds/g.idle.seconds), taxResources[0]
	if off[r.server] <= 0 {
		return 0
	}
	return min(1, off[labelled(r.kind, "purpose", "revocation")]/off[r.server])
}
