// Package report holds the result of an analysis and writes it as text,
// Markdown, HTML, JSON, CSV, JUnit XML and pictures. Every number a reader sees
// is a field of Report; writers only format. It refuses to compute: study fills
// the struct.
//
//	for _, w := range report.Writers { err := w.Write(file, r, report.Options{}) }
package report

// SchemaVersion is the version of the JSON document. It rises when a field
// changes its meaning or goes away.
const SchemaVersion = 1

// Verdict is the answer to "may persistence be switched off?".
type Verdict string

// Verdicts, best first. Only Pass says that switching off is safe.
const (
	Pass         Verdict = "PASS"
	Inconclusive Verdict = "INCONCLUSIVE"
	NoData       Verdict = "NO DATA"
	Fail         Verdict = "FAIL"
)

// Report is one analysis. Its JSON form is public.
type Report struct {
	SchemaVersion int          `json:"schema_version"`
	Title         string       `json:"title"`
	Banner        string       `json:"banner,omitempty"` // for example: Demonstration rig: not evidence about API Manager
	Verdict       Verdict      `json:"verdict"`
	ExitCode      int          `json:"exit_code"`
	Hypothesis    Hypothesis   `json:"hypothesis"`
	Environment   Environment  `json:"environment"`
	Grants        []Grant      `json:"grants"`
	Comparisons   []Comparison `json:"comparisons"`
	Reference     []Reference  `json:"reference"`
	Explanation   []string     `json:"explanation"`
	Projections   []string     `json:"projections"`
	Warnings      []Warning    `json:"warnings"`    // those that concern the whole experiment
	Diagnostics   []RunCheck   `json:"diagnostics"` // one per window
	Figures       []Figure     `json:"figures"`     // what the plots draw
	Latencies     []Latency    `json:"latencies"`   // one per grant and mode that has result files
	Methods       []string     `json:"methods"`     // the method in words, last in every format
	Provenance    Provenance   `json:"provenance"`
}

// Hypothesis states what was tested, before any number.
type Hypothesis struct {
	Text             string  `json:"text"`
	Load             string  `json:"load"`               // closed or rate
	MaxLoss          float64 `json:"max_loss"`           // ratio, 0.05 is 5 %
	MaxErrorIncrease float64 `json:"max_error_increase"` // difference of shares
	ReferenceMargin  float64 `json:"reference_margin"`   // ratio
	WarmupSeconds    float64 `json:"warmup_seconds"`
}

// Host is one part of the environment. VCPUs are those of all its nodes, 0 when
// unknown; Nodes is 0 where the experiment does not say that there are several.
type Host struct {
	Instance string `json:"instance,omitempty"`
	VCPUs    int    `json:"vcpus,omitempty"`
	Nodes    int    `json:"nodes,omitempty"`
}

// Environment is what the experiment file says about the system under test.
type Environment struct {
	APIManager   Host     `json:"apim"`
	Database     Host     `json:"database"`
	Users        int      `json:"users,omitempty"`
	Applications int      `json:"applications,omitempty"`
	Notes        []string `json:"notes,omitempty"`
}

// Grant is the verdict for one grant type, with its reason in one sentence.
type Grant struct {
	Grant   string  `json:"grant"`
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why"`
}

// Number is a value that may be missing; JSON null when it is.
type Number = *float64

// Run is one window's value of a metric. N is how many observations it rests on.
type Run struct {
	Block int     `json:"block"`
	Value float64 `json:"value"`
	N     int     `json:"n"`
}

// Side is one mode's summary: the geometric mean of its runs (arithmetic for
// error shares) with its 95 % run-level interval.
type Side struct {
	Estimate Number `json:"estimate"`
	Lo       Number `json:"lo"`
	Hi       Number `json:"hi"`
	Runs     []Run  `json:"runs"`
}

// Ratio is off divided by on (off minus on for error shares).
type Ratio struct {
	Estimate Number   `json:"estimate"`
	Lo       Number   `json:"lo"`
	Hi       Number   `json:"hi"`
	Level    float64  `json:"level"`
	Pairs    []Paired `json:"pairs,omitempty"`
}

// Paired is the ratio of one block.
type Paired struct {
	Block int     `json:"block"`
	Ratio float64 `json:"ratio"`
}

// Comparison is one metric of one grant, on against off.
type Comparison struct {
	Grant        string `json:"grant"`
	Metric       string `json:"metric"` // throughput, errors, latency_p50 …
	Label        string `json:"label"`  // for people: "Throughput", "API Manager CPU" …
	Unit         string `json:"unit"`   // tokens/s, ms, ratio, 1/s, share
	On           Side   `json:"on"`
	Off          Side   `json:"off"`
	Ratio        Ratio  `json:"ratio"`
	Effect       string `json:"effect"` // ratio or difference
	Method       string `json:"method"`
	Status       string `json:"status"` // confirmatory, provisional or descriptive
	PDifference  Number `json:"p_difference"`
	PNonInferior Number `json:"p_noninferiority"`
	// PSignFlip is the exact p of "nothing changes" by sign flips over the pairs,
	// from 6 pairs on. No verdict rests on it.
	PSignFlip Number `json:"p_sign_flip,omitempty"`
	// PLoss is the p of "the loss is at most max_loss", Holm-adjusted over the
	// grants; FAIL means that it is at most 0.025.
	PLoss          Number    `json:"p_loss"`
	DetectableLoss Number    `json:"detectable_loss"`
	Warnings       []Warning `json:"warnings"`
}

// Warning qualifies the number beside it and says what to do.
type Warning struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	// Windows is the number of windows that the warning is about, when it is
	// about single windows; Text then speaks of the first.
	Windows int `json:"windows,omitempty"`
}

// Reference holds our ratio against one published cell.
type Reference struct {
	Edition   string  `json:"edition"`
	Grant     string  `json:"grant"`
	On        float64 `json:"on"`  // tokens/s
	Off       float64 `json:"off"` // tokens/s
	Ratio     float64 `json:"ratio"`
	Margin    float64 `json:"margin"`
	Result    string  `json:"result"`    // agrees, differs, undecided, not comparable
	Direction string  `json:"direction"` // same, opposite, undecided
	Why       string  `json:"why,omitempty"`
}

// RatioNumber is the published ratio as a Number, for formatting like ours.
func (r Reference) RatioNumber() Number { return &r.Ratio }

// RunCheck says how good one window was.
type RunCheck struct {
	Grant       string  `json:"grant"`
	Persistence string  `json:"persistence"`
	Block       int     `json:"block"`
	Start       string  `json:"start"` // RFC 3339, UTC
	Seconds     float64 `json:"seconds"`
	Throughput  Number  `json:"throughput"`
	// CV is the coefficient of variation of the per-second throughput.
	CV Number `json:"cv"`
	// HalfWidth is the half-width, as a ratio, of the within-window 95 % interval that this variation allows:
	// by EWC-t, below 20 s by Student's t, which takes the seconds for independent.
	HalfWidth Number `json:"half_width"`
	Lag1      Number `json:"lag1_autocorrelation"`
	// InFlight is the mean number of requests under way: throughput times mean response time. In a closed
	// loop without pauses it is the number of users.
	InFlight Number `json:"in_flight"`
	// MSER5 is how many seconds of the window MSER-5 would discard as warm-up;
	// absent for fewer than 50 observations, and where the window never settles.
	MSER5   Number `json:"mser5_seconds,omitempty"`
	LoadCPU Number `json:"load_cpu"` // ratio
	// APIManagerCPU and DatabaseCPU are what the window used of the hosts' cores, as ratios.
	APIManagerCPU Number `json:"apim_cpu"`
	DatabaseCPU   Number `json:"database_cpu"`
	ForeignCPU    Number `json:"foreign_cpu"` // cores
	// TokenRows is how many rows the token table held when the window began, by the server's estimate.
	TokenRows Number    `json:"token_rows,omitempty"`
	Warnings  []Warning `json:"warnings"`
}

// Figure is one metric of one grant against time.
type Figure struct {
	Grant  string  `json:"grant"`
	Metric string  `json:"metric"` // as in Comparison
	Label  string  `json:"label"`
	Unit   string  `json:"unit"`
	Lines  []Line  `json:"lines"`
	Warmup float64 `json:"warmup_seconds"` // shaded, left out of the numbers
}

// Line is one window's series: seconds since the window's start and values.
type Line struct {
	Persistence string    `json:"persistence"`
	Block       int       `json:"block"`
	Seconds     []float64 `json:"seconds"`
	Values      []float64 `json:"values"`
}

// Latency is the distribution of the response times of one grant in one mode:
// the successful requests of all its windows together, after the warm-up. It is
// for looking at; medians and intervals come from single windows.
type Latency struct {
	Grant       string `json:"grant"`
	Persistence string `json:"persistence"`
	Windows     int    `json:"windows"`
	Requests    uint64 `json:"requests"`
	// Shares[i] of the requests took at most Milliseconds[i]. Both rise; there are
	// at most 100 points, each of them exact.
	Shares       []float64 `json:"shares"`
	Milliseconds []float64 `json:"milliseconds"`
}

// Source is one input of the analysis.
type Source struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Query  string `json:"query,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Range  string `json:"range,omitempty"`
	Count  int    `json:"count"`
}

// Provenance lets somebody else repeat the analysis.
type Provenance struct {
	Program   string   `json:"program"` // name and version
	Arguments []string `json:"arguments"`
	Inputs    []Source `json:"inputs"`
	Seed      uint64   `json:"seed"`
}

// Names of the metrics that writers know by name. Any other metric is shown
// with its own label.
const (
	MetricThroughput    = "throughput"
	MetricAPIManagerCPU = "apim_cpu"
	MetricDatabaseCPU   = "database_cpu"
	MetricDatabaseIOPS  = "database_iops"
	MetricErrors        = "errors"
	MetricLatencyMedian = "latency_p50"
	MetricLatencyP95    = "latency_p95"
	MetricLatencyP99    = "latency_p99"
	// What one successful token costs: by the utilisation law, a series times its cores over the throughput.
	MetricAPIManagerCoreMS = "apim_core_ms"
	MetricDatabaseCoreMS   = "database_core_ms"
	MetricIOsPerToken      = "ios_per_token"
	MetricBytesPerToken    = "bytes_per_token"
)
