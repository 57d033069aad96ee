package main

import (
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// The scalar types of the experiment file decode themselves, so that a bad
// value names its line and what to write instead.

type load string

func (l *load) UnmarshalYAML(n *yaml.Node) error {
	if n.Value != "closed" && n.Value != "rate" {
		return atLine(n.Line, "load is %q: write closed (users wait for their token) or rate (every window offers the same tokens/s)", n.Value)
	}
	*l = load(n.Value)
	return nil
}

type mode string

// UnmarshalYAML reads the text as written: YAML 1.1 would turn on into true.
func (m *mode) UnmarshalYAML(n *yaml.Node) error {
	if n.Value != "on" && n.Value != "off" {
		return atLine(n.Line, "persistence is %q: write on or off", n.Value)
	}
	*m = mode(n.Value)
	return nil
}

// flavor is the kind of server that answers as Prometheus does.
type flavor string

func (f *flavor) UnmarshalYAML(n *yaml.Node) error {
	if !slices.Contains(source.Flavors(), n.Value) {
		return atLine(n.Line, "flavor is %q: %s", n.Value, nearest.Hint(n.Value, source.Flavors()))
	}
	*f = flavor(n.Value)
	return nil
}

// oneOrMore is a value, or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = oneOrMore{n.Value}
		return nil
	}
	var all []string
	if err := n.Decode(&all); err != nil {
		return atLine(n.Line, "write a value or a list of values")
	}
	*o = all
	return nil
}

type duration time.Duration

func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return atLine(n.Line, "%q is not a duration: write for example 90s or 2m", n.Value)
	}
	*d = duration(v)
	return nil
}

type timestamp time.Time

func (t *timestamp) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.Parse(time.RFC3339Nano, n.Value)
	if err != nil {
		return atLine(n.Line, "%q is not a time with a zone: write for example 2026-07-01T10:00:00Z", n.Value)
	}
	*t = timestamp(v.UTC())
	return nil
}

// count is a whole number, 0 or more.
type count int

func (c *count) UnmarshalYAML(n *yaml.Node) error {
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < 0 {
		return atLine(n.Line, "%q is not a whole number of 0 or more", n.Value)
	}
	*c = count(v)
	return nil
}

// UnmarshalYAML keeps the line of a window for the checks that come later.
func (w *windowKeys) UnmarshalYAML(n *yaml.Node) error {
	type plain windowKeys
	err := n.Decode((*plain)(w))
	w.line = n.Line
	return err
}

// UnmarshalYAML keeps the line of the source for the checks that come later.
func (k *sourceKeys) UnmarshalYAML(n *yaml.Node) error {
	type plain sourceKeys
	err := n.Decode((*plain)(k))
	k.line = n.Line
	return err
}
