package inspect

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// Names says what the names of folders and files mean where they do not say it
// themselves. Each is a pattern for one folder or file name, as path.Match has
// them.
type Names struct {
	On, Off []string // runs below such a name were with, or without, persistence
	Only    []string // runs below other names are left out
}

// traits are what a run's path tells.
type traits struct {
	mode     string // on, off, or "" when it does not say
	key      string // the path without the words that tell the mode: the same for the two runs of a pair
	load     string // heap, users, message size and delay, as far as they stand in it
	users    string
	scenario string // the folder above those
}

// traitsOf reads a run's path. Two names that contradict each other are an
// error, and so are two patterns.
func (n Names) traitsOf(run string) (traits, error) {
	var t traits
	var keys []string
	var loads []string
	saidBy := ""
	for _, name := range elements(run) {
		mode, key, err := n.modeOf(name)
		if err != nil {
			return t, err
		}
		if mode != "" && t.mode != "" && mode != t.mode {
			return t, &source.SpecError{Text: fmt.Sprintf("%s: %q says that persistence was %s, %q that it was %s: tell with --on and --off, such as --%s %q", run, saidBy, t.mode, name, mode, mode, name)}
		}
		if mode != "" {
			t.mode, saidBy = mode, name
		}
		load, users := loadOf(name)
		if load != "" && len(loads) == 0 && len(keys) > 0 {
			t.scenario = keys[len(keys)-1]
		}
		if load != "" {
			loads = append(loads, load)
		}
		if users != "" {
			t.users = users
		}
		keys = append(keys, key)
	}
	t.key, t.load = strings.Join(keys, "/"), strings.Join(loads, "/")
	return t, nil
}

// elements are the names along a path, without the endings of a result file.
func elements(run string) []string {
	var out []string
	for name := range strings.SplitSeq(filepath.ToSlash(filepath.Clean(run)), "/") {
		if name != "" && name != "." && name != ".." {
			out = append(out, name)
		}
	}
	if len(out) > 0 {
		last := &out[len(out)-1]
		for _, ending := range resultEndings {
			*last = strings.TrimSuffix(*last, ending)
		}
	}
	return out
}

// kept reports whether Only leaves a run in: every pattern fits one of its names.
func (n Names) kept(run string) bool {
	return !slices.ContainsFunc(n.Only, func(pattern string) bool {
		return !slices.ContainsFunc(elements(run), func(name string) bool { return fits(pattern, name) })
	})
}

// Check finds patterns that are none.
func (n Names) Check() error {
	for _, pattern := range slices.Concat(n.On, n.Off, n.Only) {
		if _, err := path.Match(pattern, "x"); err != nil {
			return &source.SpecError{Text: fmt.Sprintf("%q is no pattern for a name: * and ? stand for what may be there, and [ has to be closed", pattern)}
		}
		if strings.Contains(pattern, "/") {
			return &source.SpecError{Text: fmt.Sprintf("%q has a / in it: give the name of one folder", pattern)}
		}
	}
	return nil
}

// fits matches a pattern that Check has passed.
func fits(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

var (
	nameWords = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)
	digits    = regexp.MustCompile(`[0-9]+`)
)

// modeOf tells the mode from one name, and gives what is left of it without the
// words that told: from a pattern's name the numbers.
func (n Names) modeOf(name string) (mode, key string, err error) {
	on := slices.ContainsFunc(n.On, func(pattern string) bool { return fits(pattern, name) })
	off := slices.ContainsFunc(n.Off, func(pattern string) bool { return fits(pattern, name) })
	left := strings.Join(digits.FindAllString(name, -1), " ")
	switch {
	case on && off:
		return "", "", &source.SpecError{Text: fmt.Sprintf("%q fits both --on and --off", name)}
	case on:
		return "on", left, nil
	case off:
		return "off", left, nil
	}
	var words []string
	for _, word := range nameWords.FindAllString(name, -1) {
		words = append(words, strings.ToLower(word))
	}
	modes := map[string]bool{}
	var rest []string
	for i, word := range words {
		switch said := saying(words, i); said {
		case "":
			rest = append(rest, word)
		case "part":
		default:
			modes[said] = true
		}
	}
	if len(modes) > 1 {
		return "", "", &source.SpecError{Text: fmt.Sprintf("%q says both on and off: tell with --on and --off which runs were with persistence", name)}
	}
	for mode := range modes {
		return mode, strings.Join(rest, " "), nil
	}
	return "", name, nil
}

// saying is what a word says of the mode: on, off, part where it belongs to a
// word that does, "" nothing. With and without say something only of
// persistence: scenarios are called "with consent" too. Persistence alone says
// nothing: the whole test is about it.
func saying(words []string, i int) string {
	at := func(i int) string {
		if i < 0 || i >= len(words) {
			return ""
		}
		return words[i]
	}
	word := words[i]
	switch {
	case word == "on" || word == "off":
		return word
	case strings.HasPrefix(word, "nonpersist"), strings.HasPrefix(word, "nopersist"), strings.HasPrefix(word, "unpersist"):
		return "off"
	case strings.HasPrefix(word, "persist"):
		before := at(i - 1)
		if before == "token" || before == "tokens" {
			before = at(i - 2)
		}
		switch after := at(i + 1); {
		case slices.Contains([]string{"no", "non", "not", "without"}, before), slices.Contains([]string{"disabled", "false"}, after):
			return "off"
		case before == "with", word == "persistent", word == "persisted", slices.Contains([]string{"enabled", "true"}, after):
			return "on"
		case after == "on", after == "off":
			return "part"
		}
	case slices.Contains([]string{"with", "without", "no", "non", "not"}, word):
		next := at(i + 1)
		if next == "token" || next == "tokens" {
			next = at(i + 2)
		}
		if strings.HasPrefix(next, "persist") {
			return "part"
		}
	case slices.Contains([]string{"enabled", "true", "disabled", "false"}, word) && strings.HasPrefix(at(i-1), "persist"):
		return "part"
	}
	return ""
}

// loadNames are how WSO2's scripts write the load of a run into folder names.
var loadNames = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(?:^|_)[0-9]+[a-z]*_heap(?:_|$)`),
	regexp.MustCompile(`(?i)(?:^|_)([0-9]+)_users(?:_|$)`),
	regexp.MustCompile(`^[0-9]+B$`),
	regexp.MustCompile(`(?i)^-?[0-9]+ms_sleep$`),
}

// loadOf returns the name where it tells of the load, and the users in it.
func loadOf(name string) (load, users string) {
	for _, known := range loadNames {
		if found := known.FindStringSubmatch(name); found != nil {
			load = name
			if len(found) > 1 {
				users = found[1]
			}
		}
	}
	return load, users
}
