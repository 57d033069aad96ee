package source

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/common/config"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// Spec is what an experiment declares about its data: the windows and where
// their requests and time series are.
type Spec struct {
	Windows []Window
	Labels  map[string]string // grant to the JTL label that counts; without one a file may hold one label only
	Warmup  time.Duration     // discarded at the start of every window
	Base    string            // folder that relative file names start from; "" is the working directory
	Workers int               // goroutines that read one result file; 0 is one for each CPU

	Kind     string // a key of Readers; "" when the result files are all there is
	URL      string // of the Prometheus HTTP API
	HTTP     config.HTTPClientConfig
	Flavor   string                       // one of Flavors, "" is auto
	Params   map[string][]string          // sent with every query, for kind prometheus; in place of the flavour's
	Cache    string                       // folder of answers that an interrupted reading goes on from; "" keeps none
	TSDB     string                       // the database directory, for kind tsdb
	Profile  string                       // names the default queries; "" is exporter
	Matchers map[string]string            // added to every selector of the profile as name="value"
	Select   map[string]map[string]string // the same for the selectors of one series
	Queries  map[string]string            // series to PromQL asked instead of the profile's
	Step     time.Duration                // between the values of an expression; 0: the longest range in it, else 15 s
	Nodes    map[string]int               // series to the number of equal hosts that it is the mean of; absent is 1

	CloudWatch CloudWatch // for kind cloudwatch
	Files      []string   // for kinds csv and openmetrics

	// AllowPartial leaves a series out whose answer the server calls incomplete,
	// with a Problem, instead of ending with an error.
	AllowPartial bool

	// Pausing, unless nil, is told of pauses that a busy server asks for. It may be
	// called from several goroutines.
	Pausing func(time.Duration)

	// Progress, unless nil, is told how far the reading has come: a byte of a
	// result file counts as one, a window of a time-series source as a mebibyte.
	// It is called from one goroutine at a time and has to return soon.
	Progress func(done, total int64)
	work     *work
	pause    func(context.Context, time.Duration) error // before a busy server is asked again; nil waits
	rows     []row                                      // read instead of the profile's, where there are some
}

// path resolves a file name of the experiment; - is standard input.
func (s Spec) path(name string) string {
	if filepath.IsAbs(name) || name == jtl.Stdin {
		return name
	}
	return filepath.Join(s.Base, name)
}

func (s Spec) workers() int {
	if s.Workers > 0 {
		return s.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// SpecError says that the experiment does not fit its data: the reader of the
// message has to change a flag or the experiment file, not the machine.
type SpecError struct{ Text string }

// Error is the text as it is: it names the flag or the key to change.
func (e *SpecError) Error() string { return e.Text }

// Reader adds what one kind of source holds to a dataset and returns it.
type Reader func(ctx context.Context, spec Spec, d Dataset) (Dataset, error)

// Readers are the kinds of time-series source an experiment file may name.
var Readers = map[string]Reader{
	"prometheus":  readPrometheus,
	"tsdb":        readTSDB,
	"cloudwatch":  readCloudWatch,
	"csv":         readCSV,
	"openmetrics": readOpenMetrics,
}

// nodes is how many hosts a series is the mean of.
func (s Spec) nodes(series string) int { return max(1, s.Nodes[series]) }

// Read collects everything the spec declares. Result files come first, since
// they may give a window its start and end. A file or server that cannot be
// read is an error; one that can be read and holds nothing usable is a Problem.
func Read(ctx context.Context, spec Spec) (Dataset, error) {
	d := Dataset{Runs: make([]Run, len(spec.Windows))}
	for i, w := range spec.Windows {
		d.Runs[i] = Run{Window: w, Series: map[string]Series{}}
	}
	spec.begin()
	d, err := readRequests(ctx, spec, d)
	if err != nil {
		return Dataset{}, err
	}
	if spec.Kind == "" {
		return d, nil
	}
	read, ok := Readers[spec.Kind]
	if !ok {
		return Dataset{}, &SpecError{fmt.Sprintf("source kind %q is unknown: %s", spec.Kind, nearest.Hint(spec.Kind, slices.Sorted(maps.Keys(Readers))))}
	}
	return read(ctx, spec, d)
}
