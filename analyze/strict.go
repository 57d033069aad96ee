package main

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// checkKeys walks a YAML document beside the structs it is decoded into, and
// reports the first key without a field together with the nearest valid one.
// The decoder's own strict mode names Go types instead.
func checkKeys(node *yaml.Node, into any) error {
	return checkNode(node, reflect.TypeOf(into), "")
}

var nodeType = reflect.TypeFor[yaml.Node]()

func checkNode(node *yaml.Node, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case t == nodeType:
		return nil
	case t.Kind() == reflect.Struct && !decodesItself(t):
		return checkMapping(node, t, path)
	case t.Kind() == reflect.Map:
		if node.Kind != yaml.MappingNode && node.Tag != "!!null" {
			return atLine(node.Line, "%s is %s: write it as key: value", path, describe(node))
		}
	case t.Kind() == reflect.Slice:
		if node.Kind != yaml.SequenceNode && node.Tag != "!!null" {
			return atLine(node.Line, "%s is %s: write it as a list", path, describe(node))
		}
		for i, item := range node.Content {
			if err := checkNode(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkMapping(node *yaml.Node, t reflect.Type, path string) error {
	if node.Tag == "!!null" {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		if path == "" {
			path = "the file"
		}
		return atLine(node.Line, "%s is %s: write it as key: value", path, describe(node))
	}
	fields := map[string]reflect.Type{}
	var valid []string
	for i := range t.NumField() {
		if name, ok := t.Field(i).Tag.Lookup("yaml"); ok {
			fields[name] = t.Field(i).Type
			valid = append(valid, name)
		}
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		field, ok := fields[key.Value]
		if !ok {
			return atLine(key.Line, "unknown key %q%s: %s", key.Value, within(path), nearest.Hint(key.Value, valid))
		}
		if first, ok := seen[key.Value]; ok {
			return atLine(key.Line, "key %q%s stands in line %d already", key.Value, within(path), first)
		}
		seen[key.Value] = key.Line
		if err := checkNode(node.Content[i+1], field, strings.TrimPrefix(path+"."+key.Value, ".")); err != nil {
			return err
		}
	}
	return nil
}

func decodesItself(t reflect.Type) bool {
	return t == reflect.TypeFor[timestamp]()
}

func within(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a group of keys"
	}
	return strconv.Quote(node.Value)
}

// typeErrorText is the first message of a decoder's type error, which starts
// with "line N: ".
func typeErrorText(err error) (line int, text string, ok bool) {
	e, ok := errors.AsType[*yaml.TypeError](err)
	if !ok || len(e.Errors) == 0 {
		return 0, "", false
	}
	number, text, found := strings.Cut(strings.TrimPrefix(e.Errors[0], "line "), ": ")
	line, convErr := strconv.Atoi(number)
	return line, text, found && convErr == nil
}

// syntaxError turns the parser's "yaml: line N: text" into a lineError.
func syntaxError(err error) error {
	number, text, found := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: line "), ": ")
	line, convErr := strconv.Atoi(number)
	if !found || convErr != nil {
		return err
	}
	return atLine(line, "this is not YAML: %s", text)
}
