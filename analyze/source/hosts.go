package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ambiguous says why several hosts, or too few, make no series; "" when they
// make one. Two servers or two exporters under one query have no natural mean,
// so the experiment has to say that they are nodes of one system.
func (r *windowReader) ambiguous(row row, hosts map[string]points) string {
	nodes := r.spec.nodes(row.series)
	if len(hosts) == nodes || row.busiest {
		return ""
	}
	if len(hosts) < nodes {
		return fmt.Sprintf("%s gives %d of the %d nodes that environment.apim.nodes declares: the mean of some is not that of all", row.ask(), len(hosts), nodes)
	}
	names := slices.Sorted(maps.Keys(hosts))
	found := len(names)
	const most = 3
	if found > most {
		names = append(names[:most], "…")
	}
	text := fmt.Sprintf("%d series match %s (%s): add matchers to the source until one is left", found, row.ask(), strings.Join(names, "; "))
	switch {
	case nodes > 1:
		text = fmt.Sprintf("%d series match %s (%s), and environment.apim.nodes is %d: add matchers to the source", found, row.ask(), strings.Join(names, "; "), nodes)
	case row.series == APIManagerCPU:
		text += fmt.Sprintf(", or set environment.apim.nodes: %d if all of them are API Manager", found)
	}
	return text
}

// addHosts adds two gauges where a host has both. One host on each side is the
// same host, whatever its labels.
func addHosts(a, b map[string]points) map[string]points {
	out := map[string]points{}
	for key, left := range a {
		right, ok := b[key]
		if !ok && len(a) == 1 && len(b) == 1 {
			right = slices.Collect(maps.Values(b))[0]
		}
		sum := points{}
		for t, v := range left {
			if w, both := right[t]; both {
				sum[t] = v + w
			}
		}
		out[key] = sum
	}
	return out
}

// combine makes one series of several hosts: the mean where every one of them
// has a value, or all of the busiest. Hosts of one size weigh the same.
func combine(hosts map[string]points, busiest bool) points {
	keys := slices.Sorted(maps.Keys(hosts)) // sums depend on their order
	if busiest {
		return hosts[slices.MaxFunc(keys, func(a, b string) int { return cmp.Compare(hosts[a].mean(), hosts[b].mean()) })]
	}
	values := map[int64][]float64{}
	for _, k := range keys {
		for t, v := range hosts[k] {
			values[t] = append(values[t], v)
		}
	}
	out := points{}
	for t, all := range values {
		if len(all) == len(hosts) {
			out[t] = meanOf(all)
		}
	}
	return out
}

func (p points) mean() float64 {
	var values []float64
	for _, t := range slices.Sorted(maps.Keys(p)) {
		values = append(values, p[t])
	}
	return meanOf(values)
}

// meanOf is 0 of no values.
func meanOf(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}

func labelText(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "__name__" {
			parts = append(parts, name+"="+labels[name])
		}
	}
	return strings.Join(parts, ",")
}
