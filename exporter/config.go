package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxConfig bounds the configuration file: what is longer is another file.
const maxConfig = 1 << 20

// targetName is what a target may be called: it stands in URLs and logs.
var targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// readConfig reads the targets of a configuration file, sorted by name. Its
// errors name file and line and never repeat a value: people paste secrets.
func readConfig(path string) (targets []*target, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--config.file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("--config.file: %w", err)
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("--config.file: %s is longer than 1 MiB: is it the right file?", path)
	}
	if targets, err = parseConfig(text); err != nil {
		if e, ok := errors.AsType[*lineError](err); ok {
			return nil, usagef("%s:%d: %s", path, e.line, e.text)
		}
		return nil, usagef("%s: %w", path, err)
	}
	for _, t := range targets {
		t.file = path
		t.startPathsAt(filepath.Dir(path))
	}
	return targets, nil
}

// parseConfig turns the text of a configuration file into targets.
func parseConfig(text []byte) ([]*target, error) {
	root, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	if len(root.Content) == 0 {
		return nil, errors.New("the file is empty: list targets below the key targets")
	}
	var targets []*target
	err = eachKey(root.Content[0], "the file", func(key, value *yaml.Node) error {
		if key.Value != "targets" {
			return unknownKey(key, "", []string{"targets"})
		}
		return eachKey(value, "targets", func(key, value *yaml.Node) error {
			if !targetName.MatchString(key.Value) {
				return atLine(key, "a target's name has 1 to 64 letters, digits and . _ - and begins with a letter or digit")
			}
			t := newTarget()
			t.name, t.line = key.Value, key.Line
			targets = append(targets, t)
			return t.decode(value)
		})
	})
	if err == nil && len(targets) == 0 {
		err = errors.New("no targets: list at least one below the key targets")
	}
	slices.SortFunc(targets, func(a, b *target) int { return strings.Compare(a.name, b.name) })
	return targets, err
}

// parseYAML reads the one document of a text.
func parseYAML(text []byte) (*yaml.Node, error) {
	var root, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return &root, nil
	} else if err != nil {
		return nil, syntaxError(err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one document: remove what follows the line ---")
	}
	return &root, nil
}

// notYAML matches the parser's messages. Of what it says only the line and the
// words without quoted text are repeated.
var notYAML = regexp.MustCompile(`^yaml: (?:line (\d+): )?([a-z ,-]+)`)

func syntaxError(err error) error {
	found := notYAML.FindStringSubmatch(err.Error())
	if found == nil {
		return errors.New("this is not YAML")
	}
	text := "this is not YAML: " + strings.TrimSpace(found[2])
	if line, err := strconv.Atoi(found[1]); err == nil {
		return &lineError{line, text}
	}
	return errors.New(text)
}

// lineError is something wrong at a line of a file.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

func atLine(n *yaml.Node, format string, args ...any) error {
	return &lineError{n.Line, fmt.Sprintf(format, args...)}
}
