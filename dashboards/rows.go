package main

import (
	"fmt"
	"strings"
)

// boards is every dashboard. To add one, add its rows here.
func boards() []board {
	return []board{overview(), compare(), saturation(), tables(), exporter()}
}

// board is one dashboard as rows.
type board struct {
	name      string // of the file, and after a prefix the uid
	title     string
	question  string // what it answers
	variables []variable
	lines     []line
}

// line is a line of panels from left to right.
type line struct {
	section string // heading above it, or empty
	height  int    // of the panels that have none of their own, in Grafana's units of 38 pixels
	panels  []panel
}

// kind is a Grafana panel type.
type kind string

const (
	stat  kind = "stat"
	graph kind = "timeseries"
	bars  kind = "bargauge"
	table kind = "table"
	text  kind = "text"
)

// panel is one question and its answer.
type panel struct {
	kind    kind
	title   string // the question, or the figure's name
	about   about
	width   int // of 24
	height  int // 0: the line's
	under   bool
	unit    string
	queries []query
	axis    string   // label of a graph's axis, where the unit does not say it
	limits  []string // ids in internal/thresholds, drawn and coloured
	far     bool     // the first limit is far from what is usual: the axis need not reach it
	apart   []apart  // series with a unit and limits of their own
	need    need     // what gives it data; its words are the panel's where it has none
	colours []colour
	hues    string // Grafana's colour mode where colours does not say
	words   []word // instead of numbers
	digits  *int
	share   bool // 0 to 1 is the whole axis
	stacked bool
	upright bool     // bars stand
	above   bool     // lying bars have their names above them
	named   bool     // a stat shows the names of its series
	plain   bool     // a stat without colours
	sums    []string // calculations: the legend becomes a table of few series
	columns []column // of a table
	content string   // of a text
}

// about is the panel's description: what, from where, what is bad, and what to
// do then.
type about struct{ what, source, bad, act string }

func (a about) String() string {
	return fmt.Sprintf("%s\n\n**Source:** %s\n\n**Bad:** %s\n\n**Then:** %s", a.what, a.source, a.bad, a.act)
}

// query is one target.
type query struct {
	expr   string
	legend string
}

// colour gives the series of a legend, or of a /pattern/ of legends, a colour
// that means something.
type colour struct {
	series, colour string
	shades         bool // each its own shade
}

// apart is a series that has another unit than the panel's, and its limits.
type apart struct {
	series, unit string
	limits       []string
}

// word stands for a value, or for it and all above; without text it gives them
// a colour.
type word struct {
	value  float64
	orMore bool
	text   string
	colour string
}

// column is one of a table: the label or query it shows, under a heading.
type column struct {
	field, heading, unit string
	digits               *int
	width                int
	words                []word
}

// variable is one of the lists at the top.
type variable struct {
	name, label string
	query       string
	regex       string
	all         bool // several values and All
	free        bool // other values may be typed
}

func digits(n int) *int { return &n }

// panels returns the dashboard's panels in order.
func (b board) panels() []panel {
	var out []panel
	for _, l := range b.lines {
		out = append(out, l.panels...)
	}
	return out
}

func (b board) file() string { return b.name + ".json" }

func (b board) uid() string { return "token-persistence-" + b.name }

// Selectors. Requests, logs and hosts belong to API Manager's nodes, which may
// have exporters of their own, and CloudWatch may be read by yet another one:
// the variable instance chooses among the exporters that read a database.

// ofJob selects a series of all exporters of the job.
func ofJob(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(append([]string{`job=~"$job"`}, matchers...), ",") + "}"
}

// ofDatabase selects a series of the exporters that read the chosen databases.
func ofDatabase(metric string, matchers ...string) string {
	return ofJob(metric, append([]string{`instance=~"$instance"`}, matchers...)...)
}

// ofRDS selects a CloudWatch series of the chosen database instances.
func ofRDS(metric string, matchers ...string) string {
	return ofJob(metric, append([]string{`db_instance=~"$db_instance"`}, matchers...)...)
}

// rate is per second, over what Grafana thinks fit.
func rate(selector string) string { return "rate(" + selector + "[$__rate_interval])" }

// by sums per second.
func by(labels, selector string) string { return "sum by (" + labels + ") (" + rate(selector) + ")" }

// moving sums per second by a label, without the series that stood still all the
// time shown; where all did, one series says so.
func moving(label, selector string) string {
	return by(label, selector) + " and on (" + label + ") sum by (" + label + ") (increase(" + selector + "[$__range] @ end())) > 0" +
		" or on () label_replace(sum(" + rate(selector) + `), "` + label + `", "none", "", "")`
}

// named gives a value without labels a label that the legend shows.
func named(expr, name string) string {
	return fmt.Sprintf(`label_replace(%s, "figure", "%s", "", "")`, expr, name)
}

// perToken divides by the tokens issued per second, where there are any.
func perToken(expr string) string {
	return expr + " / on (job) group_left () (" + by("job", tokenRequests) + " > 0)"
}

var (
	tokenRequests = ofJob("wso2_token_endpoint_requests_total", `endpoint="token"`, `code="2xx"`)
	allRequests   = ofJob("wso2_token_endpoint_requests_total", `endpoint="token"`)
	apimCPU       = ofJob("ec2_cpu_utilization_ratio", `role="apim"`)
	modeRule      = ofJob("token_persistence:job:mode")
)

const tokenTables = `table=~"IDN_OAUTH2_ACCESS_TOKEN(_.+)?",table!~"IDN_OAUTH2_ACCESS_TOKEN_(AUDIT|SCOPE)(_.+)?"`
