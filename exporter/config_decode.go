package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// decode fills the target with what the file says and with the defaults of the
// flags where it says nothing. It walks the document beside the table of
// settings: what is in no row is an error that names the nearest row.
func (t *target) decode(node *yaml.Node) error {
	if err := decodeGroup(node, "", t.withDefaults().settings()); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return &lineError{t.line, t.inFile(err.Error())}
	}
	return nil
}

// decodeGroup fills the settings whose keys begin with prefix.
func decodeGroup(node *yaml.Node, prefix string, rows []setting) error {
	what := strings.TrimSuffix(prefix, ".")
	if what == "" {
		what = "a target"
	}
	return eachKey(node, what, func(key, value *yaml.Node) error {
		path := prefix + key.Value
		var siblings []string
		for _, s := range rows {
			switch {
			case s.key == path:
				return s.decode(value)
			case strings.HasPrefix(s.key, path+"."):
				return decodeGroup(value, path+".", rows)
			}
			if rest, ok := strings.CutPrefix(s.key, prefix); ok {
				sibling, _, _ := strings.Cut(rest, ".")
				siblings = append(siblings, sibling)
			}
		}
		if path == "mysqld.password" {
			return atLine(key, "a password does not belong into this file: write it into a file of its own and name that with password_file")
		}
		return unknownKey(key, strings.TrimSuffix(prefix, "."), siblings)
	})
}

// eachKey visits the keys of a mapping in their order and refuses a key that
// stands there twice. A key without anything below it is an error too: what
// was commented out there is not what the file seems to say.
func eachKey(node *yaml.Node, what string, visit func(key, value *yaml.Node) error) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return atLine(node, "%s: want a group of keys, each written as key: value", what)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.Kind != yaml.ScalarNode {
			return atLine(key, "%s: want a plain word as key", what)
		}
		if first, twice := seen[key.Value]; twice {
			return atLine(key, "key %q stands in line %d already", key.Value, first)
		}
		seen[key.Value] = key.Line
		if err := visit(key, node.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// unknownKey names the nearest of the valid keys, or all of them when none is near.
func unknownKey(key *yaml.Node, in string, valid []string) error {
	if in != "" {
		in = " in " + in
	}
	return atLine(key, "unknown key %q%s: %s", key.Value, in, nearest.Hint(key.Value, valid))
}

// decode fills the setting from a value of the file.
func (s setting) decode(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if _, list := s.into.(*[]string); list {
		if node.Kind != yaml.SequenceNode {
			return atLine(node, "%s: want a list", s.key)
		}
		for _, item := range node.Content {
			if err := s.decodeScalar(item); err != nil {
				return err
			}
		}
		return nil
	}
	return s.decodeScalar(node)
}

func (s setting) decodeScalar(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		return atLine(node, "%s: want a value", s.key)
	}
	if s.set(node.Value) != nil { // its error would repeat the value
		return atLine(node, "%s: want %s", s.key, s.want())
	}
	return nil
}

// set reads a value as the flag would; a list grows by it.
func (s setting) set(value string) (err error) {
	switch into := s.into.(type) {
	case *string:
		*into = value
	case *bool:
		*into, err = strconv.ParseBool(value)
	case *int:
		*into, err = strconv.Atoi(value)
	case *time.Duration:
		*into, err = time.ParseDuration(value)
	case *[]string:
		*into = append(*into, value)
	}
	return err
}

// want says what set can read.
func (s setting) want() string {
	switch s.into.(type) {
	case *bool:
		return "true or false"
	case *int:
		return "a whole number"
	case *time.Duration:
		return "a duration such as 90s or 10m"
	}
	return "a text"
}

// inFile rewrites a message about flags into one about the keys of the file.
func (t *target) inFile(message string) string {
	rows := t.settings()
	// A flag may begin with another's name: the longer one comes first.
	slices.SortFunc(rows, func(a, b setting) int { return strings.Compare(b.flag, a.flag) })
	var words []string
	for _, s := range rows {
		words = append(words, "--"+s.flag, s.key)
	}
	return strings.NewReplacer(words...).Replace(message)
}
