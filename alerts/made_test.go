package main

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tokenpersistence/toolkit/internal/promtest"
)

// TestMadeData evaluates every rule over every series of the contract, shown by
// two exporters: what a recorded run has not, such as CloudWatch's disks, is here.
// Joins that two exporters break are errors, and a recording rule that gives
// nothing would leave panels empty.
func TestMadeData(t *testing.T) {
	const step = time.Minute
	from := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	to := from.Add(2 * time.Hour)
	store := promtest.New(t)
	one := promtest.ReadContract(t).Moving(from, to, step)
	both := slices.Clone(one)
	for _, s := range one {
		both = append(both, promtest.Series{Labels: labels.NewBuilder(s.Labels).Set("instance", "other.example.com:9851").Labels(), Samples: s.Samples})
	}
	for _, instance := range []string{promtest.MovingInstance, "other.example.com:9851"} {
		both = append(both, up(instance, from, to, step))
	}
	store.Append(t, both)
	rules := promtest.ReadRules(t, "rules")
	store.Record(t, rules, from, to, step)
	for _, name := range promtest.Recorded(rules) {
		got, err := store.Instant(t.Context(), name, from.Add(time.Hour))
		if err != nil || len(got) == 0 {
			t.Errorf("%s gives %v, %v", name, got, err)
		}
	}
	for _, r := range rules {
		if _, err := store.Range(t.Context(), r.Expr, from, to, step); err != nil {
			t.Errorf("%s%s: %v", r.Record, r.Alert, err)
		}
	}
}

// up is what the server says of a target that answers.
func up(instance string, from, to time.Time, step time.Duration) promtest.Series {
	s := promtest.Series{Labels: labels.FromStrings(model.MetricNameLabel, "up", "job", promtest.MovingJob, "instance", instance)}
	for at := from; !at.After(to); at = at.Add(step) {
		s.Samples = append(s.Samples, promql.FPoint{T: at.UnixMilli(), F: 1})
	}
	return s
}
