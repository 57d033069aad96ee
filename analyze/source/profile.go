package source

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
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

// with adds the experiment's matchers. One for a label that the selector
// matches already takes its place: the experiment knows its labels better.
func (s selector) with(matchers map[string]string) selector {
	if s.metric == "" {
		return s
	}
	var all []match
	for _, m := range s.match {
		if _, ok := matchers[m.name]; !ok {
			all = append(all, m)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(matchers)) {
		all = append(all, match{name, "=", matchers[name]})
	}
	return selector{s.metric, all}
}

// reading is a way from what a query gives to a series.
type reading int

const (
	// counted: counters; the increments of all matching series are added.
	counted reading = iota
	// stamped: gauges with their times in another series.
	stamped
	// dated: gauges whose samples carry the time that the value stands for, the
	// start of a CloudWatch period.
	dated
	// scraped: gauges that stand for the time since the sample before.
	scraped
	// idle: counters of the seconds that each CPU did nothing.
	idle
	// rated: counters of an amount; their increments become amounts per second.
	rated
	// evaluated: an expression, whose values stand for the step before them.
	evaluated
)

// row is one series of a profile.
type row struct {
	series string
	kind   reading
	query  selector
	text   string        // a query of the experiment, asked as it stands instead of query
	step   time.Duration // between the values of an evaluated query
	// clock, for counters: its samples of value 1 are the scrapes at which the
	// counter was read, so a series that is absent there stands at 0. Without it
	// the first error of a run, which brings its series into being, would be lost.
	clock selector
	// stamp, for gauges: the time each value belongs to, in seconds since the
	// epoch, scraped together with it. CloudWatch values are minutes old when
	// they are scraped.
	stamp selector
	plus  selector // for gauges and rated counters: a second one, added where both have a value
	scale float64  // of a gauge's values; 0 is 1
	// busiest: of several hosts the busiest counts, since any of them may have
	// set the pace. Without it their number has to be declared.
	busiest bool
	// optional: not every set-up has it and no verdict needs it, so that nobody is
	// told when it is absent from all windows.
	optional bool
	// named: the profile cannot tell the host from others, so the experiment has
	// to select it; without a selection the row is not read.
	named bool
}

// ask is the query of a row as it is sent.
func (r row) ask() string {
	if r.text != "" {
		return r.text
	}
	return r.query.String()
}

// percent turns what CloudWatch calls a percentage into a ratio.
const percent = 0.01

// profiles hold the default queries per kind of monitoring set-up.
var profiles = map[string][]row{
	"exporter":        exporterRows,
	"mysqld_exporter": mysqldRows,
}

// exporterRows read our own exporter.
var exporterRows = []row{
	{
		series: EndpointRequests, kind: counted,
		query: selector{"wso2_token_endpoint_requests_total", []match{{"endpoint", "=", "token"}, {"code", "=", "2xx"}}},
		clock: endpointClock,
	},
	{
		series: EndpointErrors, kind: counted,
		query: selector{"wso2_token_endpoint_requests_total", []match{{"endpoint", "=", "token"}, {"code", "!=", "2xx"}}},
		clock: endpointClock,
	},
	{
		series: APIManagerCPU, kind: stamped,
		query: selector{"ec2_cpu_utilization_ratio", []match{{"role", "=", "apim"}}},
		stamp: selector{"ec2_datapoint_timestamp_seconds", []match{{"role", "=", "apim"}, {"metric", "=", "CPUUtilization"}}},
	},
	{
		series: LoadGeneratorCPU, kind: stamped, busiest: true,
		query: selector{"ec2_cpu_utilization_ratio", []match{{"role", "=", "jmeter"}}},
		stamp: selector{"ec2_datapoint_timestamp_seconds", []match{{"role", "=", "jmeter"}, {"metric", "=", "CPUUtilization"}}},
	},
	{
		series: DatabaseCPU, kind: stamped,
		query: selector{"rds_cpu_utilization_ratio", nil},
		stamp: selector{"rds_datapoint_timestamp_seconds", []match{{"metric", "=", "CPUUtilization"}}},
	},
	{
		series: DatabaseIOPS, kind: stamped,
		query: selector{"rds_total_iops", nil},
		stamp: selector{"rds_datapoint_timestamp_seconds", []match{{"metric", "=", "TotalIOPS"}}},
	},
	{
		series: DatabaseBytes, kind: rated, optional: true,
		query: selector{"mysql_innodb_data_read_bytes_total", nil}, plus: selector{"mysql_innodb_data_written_bytes_total", nil},
	},
	{
		series: TokenRows, kind: scraped, optional: true,
		query: selector{"wso2_token_table_rows_estimated", []match{{"table", "=", tokentable.AccessToken}}},
	},
}

// endpointClock ticks with every scrape that read the access log.
var endpointClock = selector{"token_persistence_exporter_collector_success", []match{{"collector", "=", "endpoint"}}}

// mysqldRows read what stands beside a mysqld_exporter on AWS: hosts by
// node_exporter, the RDS instance by YACE (yet-another-cloudwatch-exporter).
// Neither counts token requests: throughput comes from the result files.
// mysqld_exporter's own innodb_data_reads and _writes are not used for I/O:
// they count the server's requests, not the disk's operations. Its bytes are:
// a request that is split or merged moves as many.
var mysqldRows = []row{
	{series: APIManagerCPU, kind: idle, query: nodeIdle, named: true},
	{series: LoadGeneratorCPU, kind: idle, query: nodeIdle, named: true, busiest: true},
	{series: DatabaseCPU, kind: dated, query: selector{"aws_rds_cpuutilization_average", nil}, scale: percent},
	{series: DatabaseIOPS, kind: dated, query: selector{"aws_rds_read_iops_average", nil}, plus: selector{"aws_rds_write_iops_average", nil}},
	{
		series: DatabaseBytes, kind: rated, optional: true,
		query: selector{"mysql_global_status_innodb_data_read", nil}, plus: selector{"mysql_global_status_innodb_data_written", nil},
	},
	{series: TokenRows, kind: scraped, optional: true, query: selector{"mysql_info_schema_table_rows", []match{{"table", "=", tokentable.AccessToken}}}},
}

// nodeIdle holds the seconds in which a CPU had nothing to run. Waiting for I/O
// is among them, as CloudWatch sees it from outside.
var nodeIdle = selector{"node_cpu_seconds_total", []match{{"mode", "=~", "idle|iowait"}}}

// Profiles lists the names a source may give as its profile.
func Profiles() []string { return slices.Sorted(maps.Keys(profiles)) }
