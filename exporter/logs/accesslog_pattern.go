package logs

import (
	"errors"
	"fmt"
	"strings"
)

// logField is what a part of a log line holds, as far as it matters here.
type logField uint8

const (
	fieldIgnored  logField = iota // read over, kept nowhere
	fieldRequest                  // %r: method, URL with its query, protocol
	fieldMethod                   // %m
	fieldURL                      // %U: without the query
	fieldStatus                   // %s
	fieldTime                     // %t in the Common Log Format
	fieldDuration                 // %D and %T
)

// logStep reads one field up to the text that follows it in the pattern.
type logStep struct {
	field   logField
	unit    float64 // of a duration, units per second
	until   []byte  // the text after the field; empty: the rest of the line
	format  string  // of a %{format}t, which may contain that text itself
	inside  int     // so many times
	escaped bool    // a quote inside the field comes with a backslash
}

// logPattern is a compiled pattern of Tomcat's AccessLogValve.
type logPattern struct {
	prefix string
	steps  []logStep
	timed  bool // has %D or %T
	dated  bool // has %t
}

// The patterns that Tomcat knows by name.
var namedPatterns = map[string]string{
	"common":   `%h %l %u %t "%r" %s %b`,
	"combined": `%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"`,
}

// logFields are the codes of AccessLogValve. %D is milliseconds up to Tomcat 9,
// which API Manager 4 runs on, and microseconds from Tomcat 10 on; %T is seconds
// in both, with three decimals up to Tomcat 9. The log does not say which Tomcat
// wrote it: %{ms}T and %{us}T of Tomcat 10.1 do. Sources: AbstractAccessLogValve
// of Tomcat 9.0.60 and 10.1, "Migration Guide - Tomcat 10.0.x".
var logFields = map[byte]logStep{
	'r': {field: fieldRequest}, 'm': {field: fieldMethod}, 'U': {field: fieldURL}, 's': {field: fieldStatus},
	't': {field: fieldTime}, 'D': {field: fieldDuration, unit: 1e3}, 'T': {field: fieldDuration, unit: 1},
	'a': {}, 'A': {}, 'b': {}, 'B': {}, 'F': {}, 'h': {}, 'H': {}, 'I': {}, 'l': {},
	'p': {}, 'q': {}, 'S': {}, 'u': {}, 'v': {}, 'X': {},
}

// durationUnits are those of %{unit}T.
var durationUnits = map[string]float64{"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}

// compileLogPattern reads a pattern as Tomcat does. What it does not know, or
// could not find again in a line, is an error rather than a guess.
func compileLogPattern(pattern string) (*logPattern, error) {
	if named, ok := namedPatterns[pattern]; ok {
		pattern = named
	}
	p := &logPattern{}
	rest := pattern
	text := func() string { // up to the next field
		end := strings.IndexByte(rest, '%')
		if end < 0 {
			end = len(rest)
		}
		t := rest[:end]
		rest = rest[end:]
		return t
	}
	p.prefix = text()
	for rest != "" {
		step, length, err := fieldAt(rest)
		if err != nil {
			return nil, err
		}
		spelt := rest[:length]
		rest = rest[length:]
		step.until = []byte(text())
		if len(step.until) == 0 && rest != "" {
			return nil, fmt.Errorf("nothing separates %s from what follows it", spelt)
		}
		if step.field == fieldTime { // Tomcat writes brackets around it
			if n := len(p.steps); n > 0 {
				p.steps[n-1].until = append(p.steps[n-1].until, '[')
			} else {
				p.prefix += "["
			}
			step.until = append([]byte{']'}, step.until...)
		}
		if len(step.until) > 0 {
			step.inside = strings.Count(step.format, string(step.until))
		}
		p.steps = append(p.steps, step)
	}
	return p, p.finish()
}

// fieldAt reads the field that text begins with and its length in text.
func fieldAt(text string) (logStep, int, error) {
	if len(text) < 2 {
		return logStep{}, 0, errors.New("it ends in %")
	}
	if text[1] != '{' {
		step, ok := logFields[text[1]]
		if !ok {
			return logStep{}, 0, fmt.Errorf("%.2q is no field of Tomcat's AccessLogValve", text)
		}
		return step, 2, nil
	}
	end := strings.IndexByte(text, '}')
	if end < 0 || end+1 == len(text) {
		return logStep{}, 0, fmt.Errorf("%q does not end in } and a letter", text)
	}
	switch name, kind := text[2:end], text[end+1]; kind {
	case 'i', 'o', 'c', 'r', 's': // headers, cookies, attributes: whatever a client sends
		return logStep{escaped: true}, end + 2, nil
	case 'a', 'p', 'L':
		return logStep{}, end + 2, nil
	case 't':
		return logStep{format: name}, end + 2, nil
	case 'T':
		unit, ok := durationUnits[name]
		if !ok {
			return logStep{}, 0, fmt.Errorf("%q: want the unit s, ms, us or ns", text[:end+2])
		}
		return logStep{field: fieldDuration, unit: unit}, end + 2, nil
	}
	return logStep{}, 0, fmt.Errorf("%q is no field of Tomcat's AccessLogValve", text[:end+2])
}

// finish checks that the pattern says enough and drops the steps after the last
// one that says anything.
func (p *logPattern) finish() error {
	have := make(map[logField]int)
	last := 0
	for i, step := range p.steps {
		if step.field != fieldIgnored {
			have[step.field]++
			last = i
		}
	}
	for field, n := range have {
		if n > 1 && field != fieldDuration {
			return errors.New("it has a field twice")
		}
	}
	if have[fieldStatus] == 0 {
		return errors.New("it has no %s, the status")
	}
	if have[fieldRequest] == 0 && (have[fieldMethod] == 0 || have[fieldURL] == 0) {
		return errors.New("it has neither %r nor both %m and %U")
	}
	p.steps = p.steps[:last+1]
	p.timed, p.dated = have[fieldDuration] > 0, have[fieldTime] > 0
	return nil
}
