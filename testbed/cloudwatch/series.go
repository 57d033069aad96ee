package cloudwatch

import (
	"slices"
	"sync"
	"time"
)

// The two namespaces this endpoint knows, with the dimension that names an
// instance in each.
const (
	namespaceRDS = "AWS/RDS"
	namespaceEC2 = "AWS/EC2"
)

// seriesKey names a time series as a query does.
type seriesKey struct{ namespace, metric, instance string }

// datapoint is the value of [at, at+period).
type datapoint struct {
	at    time.Time
	value float64
}

// store keeps the newest datapoints of every series, oldest first.
type store struct {
	keep int

	mu     sync.Mutex
	series map[seriesKey][]datapoint
}

// put adds points under one lock: a reader sees all of a period or none of it.
func (st *store) put(points map[seriesKey]datapoint) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for key, p := range points {
		all := st.series[key]
		i, found := slices.BinarySearchFunc(all, p, func(a, b datapoint) int { return a.at.Compare(b.at) })
		if found {
			all[i] = p // a revision, as CloudWatch makes them
		} else {
			all = slices.Insert(all, i, p)
		}
		if over := len(all) - st.keep; over > 0 {
			all = slices.Delete(all, 0, over)
		}
		st.series[key] = all
	}
}

// between returns the datapoints with from <= at < to, oldest first.
func (st *store) between(key seriesKey, from, to time.Time) []datapoint {
	st.mu.Lock()
	defer st.mu.Unlock()
	var out []datapoint
	for _, p := range st.series[key] {
		if !p.at.Before(from) && p.at.Before(to) {
			out = append(out, p)
		}
	}
	return out
}
