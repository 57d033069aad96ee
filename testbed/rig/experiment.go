package rig

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/testbed/users"
)

// experiment is the file that analyze reads, in the order in which a reader
// wants to see it.
type experiment struct {
	Title       string             `yaml:"title"`
	Banner      string             `yaml:"banner"`
	Load        string             `yaml:"load"`
	Environment environment        `yaml:"environment"`
	Source      experimentSource   `yaml:"source"`
	Warmup      string             `yaml:"warmup"`
	Labels      map[string]string  `yaml:"labels"`
	Windows     []experimentWindow `yaml:"windows"`
}

type environment struct {
	APIM         host     `yaml:"apim,flow"`
	Database     host     `yaml:"database,flow"`
	Users        int      `yaml:"users"`
	Applications int      `yaml:"applications"`
	Notes        []string `yaml:"notes"`
}

type host struct {
	VCPUs int `yaml:"vcpus"`
}

type experimentSource struct {
	TSDB       string            `yaml:"tsdb,omitempty"`
	Matchers   map[string]string `yaml:"matchers,omitempty,flow"`
	Prometheus *prometheusSource `yaml:"prometheus,omitempty"`
}

type prometheusSource struct {
	URL      string            `yaml:"url"`
	Profile  string            `yaml:"profile"`
	Matchers map[string]string `yaml:"matchers,flow"`
}

type experimentWindow struct {
	Grant      string   `yaml:"grant"`
	Mode       mode     `yaml:"persistence"`
	Block      int      `yaml:"block"`
	Start      string   `yaml:"start"`
	End        string   `yaml:"end"`
	JTL        []string `yaml:"jtl,flow"`
	ForeignCPU float64  `yaml:"foreign_cpu"`
}

// mode writes on and off without quotes, as people write them.
type mode string

// MarshalYAML gives the word as a plain scalar.
func (m mode) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: string(m)}, nil
}

// writeExperiment writes experiment.yaml and returns its path.
func (s *stand) writeExperiment(windows []window) (string, error) {
	o := s.options
	e := experiment{
		Title: "Token persistence on the demonstration rig", Banner: Banner, Load: "closed",
		Environment: environment{
			APIM: host{s.cores(s.layout.KeyManagers)}, Database: host{s.cores(s.layout.Database)},
			Users: o.Users, Applications: o.Applications, Notes: s.notes(windows),
		},
		Source: experimentSource{TSDB: filepath.Base(tsdbFolder(o.Out)), Matchers: map[string]string{"job": job}},
		Warmup: o.Warmup.String(), Labels: map[string]string{},
	}
	if o.Rate > 0 {
		e.Load = "rate"
	}
	if o.PrometheusURL != "" {
		e.Source = experimentSource{Prometheus: &prometheusSource{o.PrometheusURL, "exporter", map[string]string{"job": job}}}
	}
	for _, grant := range o.Grants {
		e.Labels[grant] = users.Label(grant)
	}
	for _, w := range windows {
		if w.Pair == 0 {
			continue
		}
		e.Windows = append(e.Windows, experimentWindow{
			Grant: w.Grant, Mode: mode(w.Mode), Block: w.Pair, Start: stamp(w.Start), End: stamp(w.End),
			JTL: []string{filepath.ToSlash(w.JTL)}, ForeignCPU: math.Round(w.ForeignCPU*1000) / 1000,
		})
	}
	path := filepath.Join(o.Out, "experiment.yaml")
	return path, e.write(path)
}

func (e experiment) write(path string) error {
	text, err := yaml.Marshal(e)
	if err != nil {
		return fmt.Errorf("write the experiment file: %w", err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write the experiment file: %w", err)
	}
	return nil
}

// stamp is RFC 3339 with milliseconds, in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// cores is the number of CPUs that 100 % refers to.
func (s *stand) cores(cpus []int) int {
	if len(cpus) == 0 {
		return len(s.cpus)
	}
	return len(cpus)
}

// notes says under which conditions the numbers came about.
func (s *stand) notes(windows []window) []string {
	var waited float64
	var history int64
	for _, w := range windows {
		waited, history = max(waited, w.Before.Waited), max(history, w.Before.History)
	}
	return []string{
		"Database: " + s.database.version,
		s.layout.note(s.cpus),
		fmt.Sprintf("Order of the windows in each pair drawn at random with seed %d", s.options.Seed),
		fmt.Sprintf("Between windows: at most %.1f s until requests and purge had settled; at most %d undo records were left", waited, history),
		fmt.Sprintf("Tokens in the table before the first window: %d", s.options.Preload),
	}
}

// writeLedger writes rig.json: every window with its counts.
func (s *stand) writeLedger(windows []window, all []total) error {
	text, err := json.MarshalIndent(struct {
		Seed    uint64   `json:"seed"`
		Totals  []total  `json:"totals"`
		Windows []window `json:"windows"`
	}{s.options.Seed, all, windows}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the counts: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.options.Out, "rig.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the counts: %w", err)
	}
	return nil
}
