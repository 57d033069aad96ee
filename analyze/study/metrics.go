package study

import (
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// Names of the metrics in the report.
const (
	throughput     = "throughput"
	withErrors     = "requests"
	errorShare     = "errors"
	latencyP50     = "latency_p50"
	latencyP95     = "latency_p95"
	latencyP99     = "latency_p99"
	apimCPU        = "apim_cpu"
	databaseCPU    = "database_cpu"
	databaseIOPS   = "database_iops"
	apimCoreMS     = "apim_core_ms"
	databaseCoreMS = "database_core_ms"
	iosPerToken    = "ios_per_token"
	bytesPerToken  = "bytes_per_token"
)

// Effects of switching off, as the report names them.
const (
	asRatio      = "ratio"
	asDifference = "difference"
)

// metric is one row of the table of metrics. series names what a time-series
// source calls it, so that a problem of the source finds its metric; a metric
// that follows from others has none, its problems stand beside those.
type metric struct {
	id, label, unit, effect string
	series                  []string
	measure                 func(r source.Run, s span, o Options) (measure, error)
}

// metrics is the table: one row per comparison of a grant, in printing order.
func metrics() []metric {
	return []metric{
		{throughput, "Throughput", "tokens/s", asRatio, []string{source.EndpointRequests}, measureThroughput},
		{withErrors, "Throughput with errors", "1/s", asRatio, nil, measureRequests},
		{errorShare, "Error share", "share", asDifference, []string{source.EndpointErrors}, measureErrors},
		{latencyP50, "Latency p50", "ms", asRatio, nil, latency(0.50)},
		{latencyP95, "Latency p95", "ms", asRatio, nil, latency(0.95)},
		{latencyP99, "Latency p99", "ms", asRatio, nil, latency(0.99)},
		{apimCPU, "API Manager CPU", "ratio", asRatio, []string{source.APIManagerCPU}, gauge(source.APIManagerCPU)},
		{databaseCPU, "Database CPU", "ratio", asRatio, []string{source.DatabaseCPU}, gauge(source.DatabaseCPU)},
		{databaseIOPS, "Total IOPS", "1/s", asRatio, []string{source.DatabaseIOPS}, gauge(source.DatabaseIOPS)},
		{apimCoreMS, "API Manager CPU per token", "core-ms/token", asRatio, nil, demand(source.APIManagerCPU, apimCores)},
		{databaseCoreMS, "Database CPU per token", "core-ms/token", asRatio, nil, demand(source.DatabaseCPU, databaseCores)},
		{iosPerToken, "I/O per token", "1/token", asRatio, nil, demand(source.DatabaseIOPS, once)},
		{bytesPerToken, "I/O bytes per token", "bytes/token", asRatio, []string{source.DatabaseBytes}, demand(source.DatabaseBytes, once)},
	}
}

// metricOf is the row of a metric that the table is known to hold.
func metricOf(id string) metric {
	all := metrics()
	return all[slices.IndexFunc(all, func(m metric) bool { return m.id == id })]
}

// perToken says whether a metric is what a token costs.
func perToken(id string) bool {
	return slices.Contains([]string{apimCoreMS, databaseCoreMS, iosPerToken, bytesPerToken}, id)
}

// judged are the metrics whose loss decides: the tokens per second where users
// wait for their token; the CPU that a token costs on either host where the rate
// is given.
func judged(o Options) []string {
	if o.Load == RateLoad {
		return []string{apimCoreMS, databaseCoreMS}
	}
	return []string{throughput}
}

// primary says whether the verdict rests on the metric under the declared load.
func primary(id string, o Options) bool {
	return id == errorShare || slices.Contains(judged(o), id)
}

// always says whether a grant has the comparison even when nothing is known.
func always(id string, o Options) bool { return id == throughput || primary(id, o) }
