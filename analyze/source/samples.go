package source

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/value"
)

// hashSamples fingerprints samples in a form that does not depend on the
// source: labels sorted, one line per sample.
func hashSamples(series []rawSeries) (sum string, samples int) {
	h := sha256.New()
	sorted := slices.SortedFunc(slices.Values(series), func(a, b rawSeries) int {
		return slices.Compare([]string{labelText(a.labels)}, []string{labelText(b.labels)})
	})
	for _, s := range sorted {
		fmt.Fprintf(h, "%s{%s}\n", s.labels["__name__"], labelText(s.labels))
		for _, p := range s.samples {
			fmt.Fprintf(h, "%d %s\n", p.t, strconv.FormatFloat(p.v, 'g', -1, 64))
		}
		samples += len(s.samples)
	}
	return hex.EncodeToString(h.Sum(nil)), samples
}

// replicaLabels are those by which highly available Prometheus pairs tell their
// copies of one series apart.
var replicaLabels = []string{"__replica__", "prometheus_replica", "replica"}

// dropReplicas keeps the fullest of several copies of a series; adding them
// would count every token twice.
func dropReplicas(series []rawSeries) (kept []rawSeries, note string) {
	best := map[string]int{}
	for _, s := range series {
		bare := maps.Clone(s.labels)
		for _, l := range replicaLabels {
			delete(bare, l)
		}
		k := labelText(bare)
		i, ok := best[k]
		switch {
		case !ok:
			best[k] = len(kept)
			kept = append(kept, s)
		case len(s.samples) > len(kept[i].samples):
			kept[i] = s
		}
	}
	if dropped := len(series) - len(kept); dropped > 0 {
		note = fmt.Sprintf("%d series are replicas of others and were left out", dropped)
	}
	return kept, note
}

// usable drops stale markers and values that are not numbers from a series.
func usable(samples []sample) []sample {
	return slices.DeleteFunc(samples, func(s sample) bool { return value.IsStaleNaN(s.v) || math.IsNaN(s.v) })
}
