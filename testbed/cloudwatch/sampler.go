package cloudwatch

import (
	"context"
	"time"
)

// sampler turns readings on period boundaries into datapoints.
type sampler struct {
	period time.Duration
	read   func(pid int) (usage, error)
	host   func(Target) host
	last   map[seriesKey]reading // by namespace and instance, the reading of the last boundary
}

// run samples until ctx ends.
func (s *Server) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		boundary := floor(time.Now(), s.cfg.Period).Add(s.cfg.Period)
		timer.Reset(time.Until(boundary))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			s.observe(boundary, time.Now())
		}
	}
}

// observe takes the readings of one boundary and stores the period that ends
// there. A reading more than a quarter period late would stretch its period
// into the next, so it yields no datapoint and starts nothing.
func (s *Server) observe(boundary, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(boundary) > s.cfg.Period/4 {
		s.stats.LateSamples++
		clear(s.sampler.last)
		return
	}
	points := make(map[seriesKey]datapoint)
	for _, t := range s.targets {
		s.sampler.observe(t, boundary, points)
	}
	s.store.put(points)
}

// observe adds what target t did in the period that ends at boundary. Without a
// reading of the same processes one period ago there is nothing to add.
func (sm *sampler) observe(t placedTarget, boundary time.Time, points map[seriesKey]datapoint) {
	id := seriesKey{namespace: t.namespace, instance: t.ID}
	before, had := sm.last[id]
	delete(sm.last, id)
	if len(t.PIDs) == 0 {
		return
	}
	now, err := readGroup(t.PIDs, t.Cores, sm.read)
	if err != nil {
		return // a process is gone: half a period of a dead process is no datapoint
	}
	if t.namespace == namespaceRDS {
		now.host = sm.host(t.Target)
	}
	sm.last[id] = now
	if !had || !now.follows(before) {
		return
	}
	for metric, value := range rates(t.namespace, before, now) {
		points[seriesKey{t.namespace, metric, t.ID}] = datapoint{boundary.Add(-sm.period), value}
	}
}

// rates returns the CloudWatch metrics of the time between two readings, in
// CloudWatch's units: percent, operations per second, bytes per second, seconds
// per operation, bytes.
func rates(namespace string, before, now reading) map[string]float64 {
	seconds := now.at.Sub(before.at).Seconds()
	per := func(a, b uint64) float64 { return float64(b-a) / seconds }
	m := map[string]float64{
		"CPUUtilization": 100 * (now.cpu - before.cpu).Seconds() / seconds / now.cores,
	}
	if namespace == namespaceRDS {
		m["ReadIOPS"] = per(before.readCalls, now.readCalls)
		m["WriteIOPS"] = per(before.writeCalls, now.writeCalls)
		m["ReadThroughput"] = per(before.readBytes, now.readBytes)
		m["WriteThroughput"] = per(before.writeBytes, now.writeBytes)
		now.host.rates(before.host, m)
	}
	return m
}

// floor returns the period boundary at or before t, counted from the Unix epoch
// as CloudWatch counts.
func floor(t time.Time, period time.Duration) time.Time {
	s := int64(period / time.Second)
	return time.Unix(t.Unix()/s*s, 0)
}
