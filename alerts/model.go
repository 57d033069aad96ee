package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

// group is one file of rules.
type group struct {
	name    string
	records []record
	alerts  []alert
}

// record is a recording rule.
type record struct {
	name   string
	labels map[string]string
	expr   string
}

// alert is an alerting rule. In expr and description <id> stands for a
// threshold; in expr <job> for the selector of our jobs and <apim> for the role
// of API Manager's hosts too.
type alert struct {
	name        string
	severity    thresholds.Severity
	wait        string // how long expr has to hold: "for"
	keep        string // how long it goes on firing afterwards: "keep_firing_for"
	dashboard   string // uid, without the prefix that all have
	expr        string
	summary     string // the same for every instance, so that notifications can be grouped
	description string
}

// The files' form, in the order of its keys.
type (
	ruleFile struct {
		Groups []ruleGroup `yaml:"groups"`
	}
	ruleGroup struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	rule struct {
		Record      string            `yaml:"record,omitempty"`
		Alert       string            `yaml:"alert,omitempty"`
		Expr        string            `yaml:"expr"`
		For         string            `yaml:"for,omitempty"`
		Keep        string            `yaml:"keep_firing_for,omitempty"`
		Labels      map[string]string `yaml:"labels,omitempty"`
		Annotations map[string]string `yaml:"annotations,omitempty"`
	}
)

const header = "# Written by `go run ./alerts` from alerts/*.go and internal/thresholds. Change those, not this.\n"

func (g group) file() string { return g.name + ".yaml" }

// render returns the group's file.
func (g group) render(s settings) ([]byte, error) {
	rules, err := g.rules(s)
	if err != nil {
		return nil, err
	}
	return encode(ruleFile{[]ruleGroup{rules}})
}

// rules are the group as Prometheus reads it.
func (g group) rules(s settings) (ruleGroup, error) {
	out := ruleGroup{Name: "token_persistence_" + g.name}
	for _, r := range g.records {
		expr, err := s.fill(r.expr, thresholds.Threshold.String)
		if err != nil {
			return out, fmt.Errorf("%s: %w", r.name, err)
		}
		out.Rules = append(out.Rules, rule{Record: r.name, Expr: expr, Labels: r.labels})
	}
	for _, a := range g.alerts {
		r, err := a.rule(s)
		if err != nil {
			return out, fmt.Errorf("%s: %w", a.name, err)
		}
		out.Rules = append(out.Rules, r)
	}
	return out, nil
}

// encode writes a file that says where it comes from.
func encode(document any) ([]byte, error) {
	text := bytes.NewBufferString(header)
	encoder := yaml.NewEncoder(text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(document), encoder.Close()); err != nil {
		return nil, fmt.Errorf("write rules: %w", err)
	}
	return text.Bytes(), nil
}

func (a alert) rule(s settings) (rule, error) {
	r := rule{
		Alert:  a.name,
		Labels: map[string]string{"severity": string(a.severity)},
	}
	var err error
	if r.For, err = s.duration(a.wait); err != nil {
		return r, err
	}
	if r.Keep, err = s.duration(a.keep); err != nil {
		return r, err
	}
	if r.Expr, err = s.fill(a.expr, thresholds.Threshold.String); err != nil {
		return r, err
	}
	description, err := s.fill(a.description, thresholds.Threshold.Text)
	r.Annotations = map[string]string{
		"summary":       a.summary,
		"description":   description,
		"runbook_url":   s.runbooks + "/" + a.name + ".md",
		"dashboard_url": s.grafana + "/d/token-persistence-" + a.dashboard,
	}
	return r, err
}

var slot = regexp.MustCompile(`<[a-z_]+>`)

// fill puts thresholds and settings into their slots, and takes the
// indentation of the Go source away.
func (s settings) fill(text string, show func(thresholds.Threshold) string) (string, error) {
	var missing error
	text = slot.ReplaceAllStringFunc(dedent(text), func(found string) string {
		switch id := strings.Trim(found, "<>"); id {
		case "job":
			return fmt.Sprintf("job=~%q", s.job)
		case "apim":
			return fmt.Sprintf("%q", s.apim)
		default:
			t, err := s.threshold(id)
			if err != nil {
				missing = err
			}
			return show(t)
		}
	})
	return text, missing
}

// dedent removes the tabs that all lines begin with, and makes two blanks of
// each other one.
func dedent(text string) string {
	lines := strings.Split(strings.TrimRight(strings.TrimLeft(text, "\n"), "\n\t "), "\n")
	tabs := func(line string) int { return len(line) - len(strings.TrimLeft(line, "\t")) }
	common := math.MaxInt
	for _, line := range lines {
		common = min(common, tabs(line))
	}
	for i, line := range lines {
		n := tabs(line)
		lines[i] = strings.Repeat("  ", n-common) + line[n:]
	}
	return strings.Join(lines, "\n")
}

// duration divides by --speedup, to milliseconds and not below one second.
func (s settings) duration(text string) (string, error) {
	d, err := model.ParseDuration(text)
	if err != nil {
		return "", err
	}
	fast := time.Duration(float64(d) / s.speedup).Truncate(time.Millisecond)
	return model.Duration(max(fast, min(time.Second, time.Duration(d)))).String(), nil
}
