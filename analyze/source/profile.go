package source

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// match is one label matcher of a selector.
type match struct{ name, op, value string }

// selector is a PromQL vector selector.
type selector struct {
	metric string
	match  []match
}

// String writes the selector as PromQL, matchers sorted by name.
func (s selector) String() string {
	parts := make([]string, 0, len(s.match))
	for _, m := range slices.SortedFunc(slices.Values(s.match), func(a, b match) int { return strings.Compare(a.name, b.name) }) {
		parts = append(parts, m.name+m.op+strconv.Quote(m.value))
	}
	if len(parts) == 0 {
		return s.metric
	}
	return s.metric + "{" + strings.Join(parts, ",") + "}"
}

// with adds the experiment's matchers.
func (s selector) with(matchers map[string]string) selector {
	all := slices.Clone(s.match)
	for _, name := range slices.Sorted(maps.Keys(matchers)) {
		all = append(all, match{name, "=", matchers[name]})
	}
	return selector{s.metric, all}
}

// row is one series of a profile.
type row struct {
	series string
	query  selector
	// counter: the increments of all matching series are added. Otherwise the
	// query is a gauge and has to match one series.
	counter bool
	// clock, for counters: its samples of value 1 are the scrapes at which the
	// counter was read, so a series that is absent there stands at 0. Without it
	// the first error of a run, which brings its series into being, would be lost.
	clock selector
	// stamp, for gauges: the time each value belongs to, in seconds since the
	// epoch, scraped together with it. CloudWatch values are minutes old when
	// they are scraped.
	stamp selector
}

// profiles hold the default queries per kind of monitoring set-up.
var profiles = map[string][]row{
	"exporter": {
		{
			series: EndpointRequests, counter: true,
			query: selector{"wso2_token_endpoint_requests_total", []match{{"endpoint", "=", "token"}, {"code", "=", "2xx"}}},
			clock: endpointClock,
		},
		{
			series: EndpointErrors, counter: true,
			query: selector{"wso2_token_endpoint_requests_total", []match{{"endpoint", "=", "token"}, {"code", "!=", "2xx"}}},
			clock: endpointClock,
		},
		{
			series: APIManagerCPU,
			query:  selector{"ec2_cpu_utilization_ratio", []match{{"role", "=", "apim"}}},
			stamp:  selector{"ec2_datapoint_timestamp_seconds", []match{{"role", "=", "apim"}, {"metric", "=", "CPUUtilization"}}},
		},
		{
			series: LoadGeneratorCPU,
			query:  selector{"ec2_cpu_utilization_ratio", []match{{"role", "=", "jmeter"}}},
			stamp:  selector{"ec2_datapoint_timestamp_seconds", []match{{"role", "=", "jmeter"}, {"metric", "=", "CPUUtilization"}}},
		},
		{
			series: DatabaseCPU,
			query:  selector{"rds_cpu_utilization_ratio", nil},
			stamp:  selector{"rds_datapoint_timestamp_seconds", []match{{"metric", "=", "CPUUtilization"}}},
		},
		{
			series: DatabaseIOPS,
			query:  selector{"rds_total_iops", nil},
			stamp:  selector{"rds_datapoint_timestamp_seconds", []match{{"metric", "=", "TotalIOPS"}}},
		},
	},
}

// endpointClock ticks with every scrape that read the access log.
var endpointClock = selector{"token_persistence_exporter_collector_success", []match{{"collector", "=", "endpoint"}}}

// Profiles lists the names a source may give as its profile.
func Profiles() []string { return slices.Sorted(maps.Keys(profiles)) }
