// Package source reads what a load test left behind: JMeter result files, and
// time series from the Prometheus HTTP API, a TSDB directory, CloudWatch, and
// CSV or OpenMetrics files. It hands over plain counts and samples per window
// and refuses to interpret them: rates, means and verdicts belong to study.
// What could not be used is a Problem.
//
//	d, err := source.Read(ctx, source.Spec{Windows: windows, Warmup: 2 * time.Minute})
package source

import "time"

// Mode says whether API Manager stored the tokens of a window in the database.
type Mode string

// The two modes an experiment compares.
const (
	On  Mode = "on"
	Off Mode = "off"
)

// Names of the series that readers of time series fill. The throughput and
// error series come from requests when a run has them, else from the endpoint
// counters.
const (
	EndpointRequests = "endpoint_requests" // successful token requests, increments per interval
	EndpointErrors   = "endpoint_errors"   // failed token requests, increments per interval
	APIManagerCPU    = "apim_cpu"          // ratio of the host's cores, 0..1
	DatabaseCPU      = "database_cpu"      // ratio of the host's cores, 0..1
	DatabaseIOPS     = "database_iops"     // reads and writes per second
	LoadGeneratorCPU = "load_cpu"          // ratio of the host's cores, 0..1
	DatabaseBytes    = "database_bytes"    // bytes read and written per second
	TokenRows        = "token_rows"        // rows of the token table, as far as the server knows
)

// seriesNames are all of them, in the order in which they are read.
var seriesNames = []string{EndpointRequests, EndpointErrors, APIManagerCPU, LoadGeneratorCPU, DatabaseCPU, DatabaseIOPS, DatabaseBytes, TokenRows}

// Window is one declared stretch of load: one grant in one mode.
type Window struct {
	Grant string
	Mode  Mode
	Block int       // windows of one block form a pair; 0 means unpaired
	Start time.Time // zero until a JTL gives it
	End   time.Time // zero until a JTL gives it
	JTL   []string  // result files of this window; several are shards of one run
	// ForeignCPU is the number of cores that processes outside the experiment
	// used during the window, as the rig measured it; nil when unknown.
	ForeignCPU *float64
}

// Point is one value with the time it stands for. A point of an interval
// series (Series.Step > 0) covers [Time, Time+Step).
type Point struct {
	Time  time.Time
	Value float64
}

// Interval is the increment of a counter between two raw samples.
type Interval struct {
	From, To time.Time
	Increase float64
}

// Series is one metric of one window: either gauge points or counter increments.
type Series struct {
	Points    []Point       // gauges
	Intervals []Interval    // counters: increments between successive raw samples
	Step      time.Duration // the median distance of the samples; the period of CloudWatch points
	Resets    int           // counter resets seen inside the window; the time around them is left out of Points
	Expected  int           // samples that a complete series would have; 0 when unknown
}

// Requests is what the result files of one window hold.
type Requests struct {
	First, Last time.Time // earliest start and latest end of a row
	// Seconds holds one bin per second from the window's start; a row belongs to
	// the second in which it ends.
	Seconds []Second
	// ElapsedMS[i] is the number of successful rows that ended at or after
	// Measured and took i milliseconds. The last bin is exact: the slice grows.
	ElapsedMS []uint64
	FailedMS  uint64    // milliseconds that the failed rows took together, of those that ended at or after Measured
	Measured  time.Time // window start plus warm-up: the beginning of ElapsedMS
	Rows      uint64    // rows read, whatever their label
	Counted   uint64    // rows whose label was selected
	Outside   uint64    // of these, rows that ended outside [Start, End) and are in no bin
	BadRows   uint64    // rows that could not be read
	BadLines  []string  // the first few as file:line: reason
}

// Second counts the rows that ended in one second of a window.
type Second struct{ Successes, Errors uint64 }

// Run is everything the sources hold about one window. Requests is nil without
// a JTL; a missing series is absent from Series, never zero.
type Run struct {
	Window   Window
	Requests *Requests
	Series   map[string]Series
}

// Problem is something a reader could not use, with what to do about it.
type Problem struct {
	Window  int // index into Dataset.Runs, -1 when it concerns all
	Series  string
	Text    string
	NoData  bool // a declared input is unusable: the verdict can be NO DATA only
	Warning string
}

// Input is one file or query that went into the dataset.
type Input struct {
	Kind   string `json:"kind"`             // jtl, a key of Readers, or evaluated: computed by PromQL, not raw samples
	Name   string `json:"name"`             // file name, or metric name
	Query  string `json:"query,omitempty"`  // resolved PromQL
	SHA256 string `json:"sha256,omitempty"` // of a file's bytes, or of the samples a query gave
	Range  string `json:"range,omitempty"`  // RFC 3339 start/end
	Count  int    `json:"count"`            // rows or samples
}

// Dataset is one experiment as read: the only thing study receives.
type Dataset struct {
	Runs     []Run
	Problems []Problem
	Inputs   []Input
}
