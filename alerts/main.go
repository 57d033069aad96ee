// The alerts program writes the Prometheus rules of this project, recording and
// alerting, from the rows in its source and the limits in internal/thresholds.
// It reads nothing and talks to nobody. alerts/rules/ holds what it writes
// without flags.
//
//	go run ./alerts
//	go run ./alerts --output /etc/prometheus/rules --set token_table_rows=20000000 --job 'apim-.*'
//	go run ./alerts --format prometheusrule --output deploy/kubernetes/prometheus-operator
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0 when done, 1 when the work failed, 2 when the
// command was wrong.
func run(args []string, stdout, stderr io.Writer) int {
	s, output, err := parse(args, stdout)
	if errors.Is(err, errAnswered) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "alerts:", err)
		return 2
	}
	records, alerts, err := write(output, s)
	if err != nil {
		fmt.Fprintln(stderr, "alerts:", err)
		return 1
	}
	fmt.Fprintf(stdout, "%d recording rules and %d alerts in %s\n", records, alerts, output)
	return 0
}

// errAnswered ends a call that only asked something.
var errAnswered = errors.New("answered")

// settings are what differs between installations.
type settings struct {
	job      string // regular expression of the label job
	apim     string // role of API Manager's hosts in --cloudwatch.ec2-instance
	runbooks string // address under which the runbooks are, without a slash at the end
	grafana  string
	speedup  float64 // divides every for and keep_firing_for
	format   string  // prometheus or prometheusrule
	values   map[string]float64
}

func defaults() settings {
	return settings{
		job: "token-persistence.*", apim: "apim", grafana: "http://localhost:3000", speedup: 1, format: "prometheus",
		runbooks: "https://github.com/tokenpersistence/toolkit/blob/main/alerts/runbooks", values: map[string]float64{},
	}
}

func parse(args []string, stdout io.Writer) (s settings, output string, err error) {
	s = defaults()
	flags := flag.NewFlagSet("alerts", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&output, "output", filepath.Join("alerts", "rules"), "folder to write the rule files to")
	flags.StringVar(&s.format, "format", s.format, "prometheus: a file per group; prometheusrule: one resource of the Prometheus Operator")
	flags.StringVar(&s.job, "job", s.job, "regular expression of the exporters' label job")
	flags.StringVar(&s.apim, "apim-role", s.apim, "role of API Manager's hosts in --cloudwatch.ec2-instance")
	flags.StringVar(&s.runbooks, "runbook-url", s.runbooks, "where people find alerts/runbooks")
	flags.StringVar(&s.grafana, "grafana-url", s.grafana, "where people find the dashboards")
	flags.Float64Var(&s.speedup, "speedup", s.speedup, "divide every for and keep_firing_for: for tests that cannot wait")
	flags.Func("set", "ID=VALUE of a threshold, may be repeated (--list prints them)", s.set)
	list := flags.Bool("list", false, "print the thresholds and end")
	switch err = flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(stdout)
		fmt.Fprintln(stdout, "usage: alerts [flags]\n\nWrites the Prometheus rules.")
		flags.PrintDefaults()
		return s, "", errAnswered
	case err != nil:
		return s, "", fmt.Errorf("%w (alerts --help lists the flags)", err)
	case flags.NArg() > 0:
		return s, "", fmt.Errorf("%s: want flags only (alerts --help lists them)", flags.Arg(0))
	case s.format != "prometheus" && s.format != "prometheusrule":
		return s, "", fmt.Errorf("--format=%s: want prometheus or prometheusrule", s.format)
	case math.IsNaN(s.speedup) || s.speedup < 1 || math.IsInf(s.speedup, 0):
		return s, "", fmt.Errorf("--speedup=%v: want 1 or more", s.speedup)
	case *list:
		printThresholds(stdout, s)
		return s, "", errAnswered
	}
	s.runbooks, s.grafana = strings.TrimSuffix(s.runbooks, "/"), strings.TrimSuffix(s.grafana, "/")
	return s, output, nil
}

// set takes one --set.
func (s settings) set(text string) error {
	id, value, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want ID=VALUE")
	}
	if _, err := thresholds.Get(id); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(v) || v <= 0 || math.IsInf(v, 0) {
		return fmt.Errorf("%s: want a number above 0, in the unit of --list", id)
	}
	s.values[id] = v
	return nil
}

// threshold is the one of the table, or what --set made of it.
func (s settings) threshold(id string) (thresholds.Threshold, error) {
	t, err := thresholds.Get(id)
	if v, ok := s.values[id]; ok {
		t.Value = v
	}
	return t, err
}

func printThresholds(stdout io.Writer, s settings) {
	for _, t := range thresholds.All() {
		if v, ok := s.values[t.ID]; ok {
			t.Value = v
		}
		fmt.Fprintf(stdout, "%-30s %s %s\n  %s\n  %s\n", t.ID, t, t.Unit, t.Why, t.Source)
	}
}

// write writes what --format says and returns how many rules that holds.
func write(folder string, s settings) (records, alerts int, err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return 0, 0, err
	}
	for _, g := range groups() {
		records, alerts = records+len(g.records), alerts+len(g.alerts)
	}
	if s.format == "prometheusrule" {
		return records, alerts, writeResource(folder, s)
	}
	for _, g := range groups() {
		text, err := g.render(s)
		if err != nil {
			return 0, 0, err
		}
		if err := os.WriteFile(filepath.Join(folder, g.file()), text, 0o666); err != nil {
			return 0, 0, err
		}
	}
	return records, alerts, nil
}
