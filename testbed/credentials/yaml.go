package credentials

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// parseYAML reads two lists:
//
//	applications:
//	  - {key: …, secret: …}
//	users:
//	  - {name: testUser_1, password: …}
//
// It walks the nodes itself, because the decoder quotes values in its errors.
func parseYAML(text []byte) (Set, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, more yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return Set{}, errors.New("the file is empty")
	case err != nil:
		return Set{}, yamlError(err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return Set{}, atLine(max(1, more.Line), "the file has to be one YAML document")
	}
	if len(document.Content) == 0 {
		return Set{}, errors.New("the file is empty")
	}
	lists, err := mapping(document.Content[0], "applications", "users")
	if err != nil {
		return Set{}, err
	}
	b := newBuilder()
	if err := items(lists["applications"], "key", "secret", b.application); err != nil {
		return Set{}, err
	}
	if err := items(lists["users"], "name", "password", b.user); err != nil {
		return Set{}, err
	}
	return b.done()
}

// items hands over two texts of each item of a list.
func items(list *yaml.Node, first, second string, add func(line int, first, second string) error) error {
	if list == nil {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		return atLine(list.Line, "this has to be a list of {%s: …, %s: …}", first, second)
	}
	for _, item := range list.Content {
		values, err := mapping(item, first, second)
		if err != nil {
			return err
		}
		var texts [2]string
		for i, name := range []string{first, second} {
			value := values[name]
			switch {
			case value == nil:
				return atLine(item.Line, "there is no %s", name)
			case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
				return atLine(value.Line, "%s has to be a text", name)
			}
			texts[i] = value.Value
		}
		if err := add(item.Line, texts[0], texts[1]); err != nil {
			return err
		}
	}
	return nil
}

// mapping returns the values of a mapping that may have these keys only. What
// is no key may be a secret in the wrong place: it is not quoted.
func mapping(node *yaml.Node, keys ...string) (map[string]*yaml.Node, error) {
	if node.Kind != yaml.MappingNode {
		return nil, atLine(node.Line, "this has to be a group with the keys %s", strings.Join(keys, " and "))
	}
	values := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, line := node.Content[i].Value, node.Content[i].Line
		known := false
		for _, key := range keys {
			known = known || key == name
		}
		switch {
		case !known:
			return nil, atLine(line, "unknown key: %s", nearest.Hint(name, keys))
		case values[name] != nil:
			return nil, atLine(line, "the key %s stands there twice", name)
		}
		values[name] = node.Content[i+1]
	}
	return values, nil
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlError keeps the line of the parser's error and drops its text, which may
// quote a value.
func yamlError(err error) error {
	const text = "this is not YAML; put values with special characters in quotes"
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		if line, err := strconv.Atoi(found[1]); err == nil {
			return atLine(line, text)
		}
	}
	return errors.New(text)
}
