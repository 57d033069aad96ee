package logs

import "github.com/prometheus/client_golang/prometheus"

// durationBuckets are upper bounds in seconds: from an idle server's few
// milliseconds to the tens of seconds that users of full token tables report.
var durationBuckets = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// endpointCounts is everything learnt from the lines so far: a few kilobytes
// whatever the log.
type endpointCounts struct {
	requests  [len(tokenEndpoints)][len(httpMethods)][len(statusClasses)]uint64
	durations [len(tokenEndpoints)]durationCount
	lines     uint64
	unparsed  uint64
	last      int64
}

type durationCount struct {
	buckets [len(durationBuckets)]uint64 // not cumulative
	count   uint64
	sum     float64
}

// count takes one line into the counts; one that was too long to keep, nil, is
// of no pattern.
func (c *Endpoint) count(_ int, line []byte) {
	n := &c.counts
	n.lines++
	req, ok := c.parser.parse(line)
	if !ok {
		n.unparsed++
		return
	}
	if req.endpoint == noEndpoint {
		return
	}
	n.requests[req.endpoint][req.method][req.status]++
	n.last = max(n.last, req.at)
	if req.seconds < 0 {
		return
	}
	d := &n.durations[req.endpoint]
	d.count++
	d.sum += req.seconds
	for i, bound := range durationBuckets {
		if req.seconds <= bound {
			d.buckets[i]++
			break
		}
	}
}

// metrics returns the counts as they stand.
func (c *Endpoint) metrics() []prometheus.Metric {
	n := &c.counts
	var out []prometheus.Metric
	add := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out = append(out, prometheus.MustNewConstMetric(desc, kind, value, labels...))
	}
	for e, endpoint := range tokenEndpoints {
		for m, method := range httpMethods {
			for s, code := range statusClasses {
				if v := n.requests[e][m][s]; v > 0 || fromZero(endpoint, method, code) {
					add(endpointRequestsDesc, prometheus.CounterValue, float64(v), endpoint, method, code)
				}
			}
		}
		if c.parser.pattern.timed {
			out = append(out, n.durations[e].metric(endpoint))
		}
	}
	add(endpointLinesDesc, prometheus.CounterValue, float64(n.lines))
	add(endpointUnparsedDesc, prometheus.CounterValue, float64(n.unparsed))
	add(endpointTruncationsDesc, prometheus.CounterValue, float64(c.tail.truncations))
	add(endpointFilesDesc, prometheus.GaugeValue, float64(c.tail.named()))
	if n.last > 0 {
		add(endpointLastDesc, prometheus.GaugeValue, float64(n.last))
	}
	return out
}

// fromZero says which series exist before their first request, so that a rate
// over the first one sees it. The others are rare and begin with it.
func fromZero(endpoint, method, code string) bool {
	if endpoint == "authorize" {
		return (method == "GET" || method == "POST") && (code == "2xx" || code == "3xx" || code == "4xx" || code == "5xx")
	}
	return method == "POST" && (code == "2xx" || code == "4xx" || code == "5xx" || code == "unknown")
}

func (d *durationCount) metric(endpoint string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(durationBuckets))
	var below uint64
	for i, bound := range durationBuckets {
		below += d.buckets[i]
		buckets[bound] = below
	}
	return prometheus.MustNewConstHistogram(endpointDurationDesc, d.count, d.sum, buckets, endpoint)
}
