package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// experiment is the file that declares a comparison. Its keys are public.
type experiment struct {
	Title       string            `yaml:"title"`
	Banner      string            `yaml:"banner"`
	Load        load              `yaml:"load"`
	Environment environment       `yaml:"environment"`
	Source      *sourceKeys       `yaml:"source"`
	Warmup      *duration         `yaml:"warmup"`
	Labels      map[string]string `yaml:"labels"`
	Windows     []windowKeys      `yaml:"windows"`
}

type environment struct {
	APIManager   apimHost `yaml:"apim"`
	Database     host     `yaml:"database"`
	Users        count    `yaml:"users"`
	Applications count    `yaml:"applications"`
	Notes        []string `yaml:"notes"`
}

// apimHost is API Manager: one host, or several equal ones.
type apimHost struct {
	Instance string `yaml:"instance"`
	VCPUs    count  `yaml:"vcpus"` // of one node
	Nodes    count  `yaml:"nodes"`
}

type host struct {
	Instance string `yaml:"instance"`
	VCPUs    count  `yaml:"vcpus"`
}

type windowKeys struct {
	Grant       string    `yaml:"grant"`
	Persistence mode      `yaml:"persistence"`
	Block       count     `yaml:"block"`
	Start       timestamp `yaml:"start"`
	End         timestamp `yaml:"end"`
	JTL         []string  `yaml:"jtl"`
	ForeignCPU  *float64  `yaml:"foreign_cpu"`
	line        int
}

// readExperiment reads and checks an experiment file. Its errors name the file,
// the line and what to write instead; every one of them is a usage error.
func readExperiment(path string) (experiment, source.Spec, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return experiment{}, source.Spec{}, fmt.Errorf("read the experiment file: %w", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return experiment{}, source.Spec{}, located(path, syntaxError(err))
	}
	var e experiment
	if err := decodeStrictly(&root, &e); err != nil {
		return experiment{}, source.Spec{}, located(path, err)
	}
	spec, err := e.spec(filepath.Dir(path))
	if err != nil {
		return experiment{}, source.Spec{}, located(path, err)
	}
	return e, spec, nil
}

// lineError is something wrong at a line of the experiment file.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return e.text }

func atLine(line int, format string, args ...any) error {
	return &lineError{line, fmt.Sprintf(format, args...)}
}

// located turns an error of a line into a usage error that names file and line.
func located(path string, err error) error {
	if e, ok := errors.AsType[*lineError](err); ok && e.line > 0 {
		return &source.SpecError{Text: fmt.Sprintf("%s:%d: %s", path, e.line, e.text)}
	}
	if line, text, ok := typeErrorText(err); ok {
		return &source.SpecError{Text: fmt.Sprintf("%s:%d: %s", path, line, text)}
	}
	return &source.SpecError{Text: fmt.Sprintf("%s: %v", path, err)}
}

// spec checks the whole and converts it to what the readers need.
func (e experiment) spec(base string) (source.Spec, error) {
	s := source.Spec{Base: base, Labels: e.Labels, Nodes: e.Environment.nodes()}
	if len(e.Windows) == 0 {
		return s, errors.New("no windows: list at least one with persistence: on and one with persistence: off below the key windows")
	}
	blocks := map[string]int{}
	for _, w := range e.Windows {
		if err := w.check(e.Source != nil); err != nil {
			return s, err
		}
		if w.Block > 0 {
			key := fmt.Sprintf("%s %d %s", w.Grant, w.Block, w.Persistence)
			if first, ok := blocks[key]; ok {
				return s, atLine(w.line, "block %d of %s already has its %s window in line %d: a block pairs one on with one off window", w.Block, w.Grant, w.Persistence, first)
			}
			blocks[key] = w.line
		}
		s.Windows = append(s.Windows, source.Window{
			Grant: w.Grant, Mode: source.Mode(w.Persistence), Block: int(w.Block),
			Start: time.Time(w.Start), End: time.Time(w.End), JTL: w.JTL, ForeignCPU: w.ForeignCPU,
		})
	}
	if err := e.checkBlocks(blocks); err != nil {
		return s, err
	}
	if e.Source == nil {
		return s, nil
	}
	return e.Source.into(s)
}

func (w windowKeys) check(hasSource bool) error {
	switch start, end := time.Time(w.Start), time.Time(w.End); {
	case w.Grant == "":
		return atLine(w.line, "the window has no grant: add grant: client_credentials, password or refresh_token")
	case w.Persistence == "":
		return atLine(w.line, "the window does not say persistence: on or persistence: off")
	case start.IsZero() != end.IsZero():
		return atLine(w.line, "give the window both start and end, or neither and a jtl")
	case start.IsZero() && len(w.JTL) == 0:
		return atLine(w.line, "the window has no start and end, and no jtl that could give them")
	case len(w.JTL) == 0 && !hasSource:
		return atLine(w.line, "the window has no jtl and the file no source: there is nothing to read")
	case !start.IsZero() && !start.Before(end):
		return atLine(w.line, "the window ends (%s) before it starts (%s)", end.Format(time.RFC3339), start.Format(time.RFC3339))
	case w.ForeignCPU != nil && !(*w.ForeignCPU >= 0):
		return atLine(w.line, "foreign_cpu is %v: give a number of cores, 0 or more", *w.ForeignCPU)
	}
	return nil
}

func (e experiment) checkBlocks(blocks map[string]int) error {
	for _, w := range e.Windows {
		other := mode("off")
		if w.Persistence == "off" {
			other = "on"
		}
		if _, ok := blocks[fmt.Sprintf("%s %d %s", w.Grant, w.Block, other)]; w.Block > 0 && !ok {
			return atLine(w.line, "block %d of %s has no window with persistence: %s: add it, or leave block out of a window that has no partner", w.Block, w.Grant, other)
		}
	}
	return nil
}

// quoted is a value in an error of the YAML decoder.
var quoted = regexp.MustCompile("(?s)`.*?`")

var errEmptyFile = errors.New("the file is empty: see the README for the form of an experiment file")

// decodeStrictly decodes a document and refuses keys that have no field.
func decodeStrictly(root *yaml.Node, into *experiment) error {
	if root.Kind == 0 || len(root.Content) == 0 {
		return errEmptyFile
	}
	if err := checkKeys(root.Content[0], into); err != nil {
		return err
	}
	err := root.Decode(into)
	if errors.Is(err, io.EOF) {
		return errEmptyFile
	}
	return err
}
