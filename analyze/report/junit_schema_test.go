package report

import (
	"encoding/xml"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// element is any XML element.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

// rule is what a schema says of one element: its attributes with the form of
// their values, and the order of its children, each name followed by a space.
type rule struct {
	required, optional map[string]string
	children           string
	text               bool // it may hold text
}

// Forms of values: xs:string, a token with something in it, xs:int without sign,
// xs:decimal, a local date and time, and the times that Surefire writes.
const (
	anyText   = `(?s).*`
	someToken = `(?s).*\S.*`
	count     = `\d{1,9}`
	decimal   = `\d+(\.\d+)?`
	localTime = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`
	surefire  = `(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?`
)

type schema map[string]rule

// antSchema are the rules of JUnit.xsd as Windy Road Technology derived it from
// Ant's reports, in our words.
func antSchema() schema {
	problem := rule{required: map[string]string{"type": anyText}, optional: map[string]string{"message": anyText}, text: true}
	return schema{
		"testsuites": {children: `(testsuite )*`},
		"testsuite": {
			required: map[string]string{
				"package": anyText, "id": count, "name": someToken, "timestamp": localTime, "hostname": someToken,
				"tests": count, "failures": count, "errors": count, "time": decimal,
			},
			optional: map[string]string{"skipped": count},
			children: `properties (testcase )*system-out system-err `,
		},
		"properties": {children: `(property )*`},
		"property":   {required: map[string]string{"name": someToken, "value": anyText}},
		"testcase": {
			required: map[string]string{"name": anyText, "classname": anyText, "time": decimal},
			children: `((skipped|error|failure) )?`,
		},
		"skipped": {optional: map[string]string{"message": anyText, "type": anyText}, text: true},
		"error":   problem, "failure": problem,
		"system-out": {text: true}, "system-err": {text: true},
	}
}

// jenkinsSchema are the rules of junit-10.xsd of Jenkins' xUnit plugin, which
// take the times of Maven Surefire.
func jenkinsSchema() schema {
	problem := rule{optional: map[string]string{"type": anyText, "message": anyText}, text: true}
	return schema{
		"testsuites": {
			optional: map[string]string{"name": anyText, "time": surefire, "tests": anyText, "failures": anyText, "disabled": anyText, "errors": anyText},
			children: `(testsuite )*`,
		},
		"testsuite": {
			required: map[string]string{"name": anyText},
			optional: map[string]string{
				"tests": anyText, "failures": anyText, "errors": anyText, "group": anyText, "time": surefire, "skipped": anyText,
				"timestamp": anyText, "hostname": anyText, "id": anyText, "package": anyText, "assertions": anyText, "file": anyText,
				"log": anyText, "url": anyText, "version": anyText,
			},
			children: `((testsuite|properties|testcase|system-out|system-err) )*`,
		},
		"properties": {children: `(property )*`},
		"property":   {required: map[string]string{"name": anyText, "value": anyText}, text: true},
		"testcase": {
			required: map[string]string{"name": anyText},
			optional: map[string]string{"assertions": anyText, "time": surefire, "classname": anyText, "status": anyText, "group": anyText, "file": anyText, "line": anyText},
			children: `((skipped|error|failure|rerunFailure|rerunError|flakyFailure|flakyError|system-out|system-err) )*`,
		},
		"skipped": problem, "error": problem, "failure": problem,
		"system-out": {text: true}, "system-err": {text: true},
	}
}

// check lists where an element and what it holds break the rules.
func (s schema) check(e element) []string {
	name := e.XMLName.Local
	r, ok := s[name]
	if !ok {
		return []string{"<" + name + "> is no element of it"}
	}
	var out []string
	seen := map[string]bool{}
	for _, a := range e.Attrs {
		seen[a.Name.Local] = true
		form, ok := r.required[a.Name.Local]
		if !ok {
			form, ok = r.optional[a.Name.Local]
		}
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("<%s> has no attribute %s", name, a.Name.Local))
		case !regexp.MustCompile(`^(?:` + form + `)$`).MatchString(a.Value):
			out = append(out, fmt.Sprintf("<%s %s=%q> is not of the form %s", name, a.Name.Local, a.Value, form))
		}
	}
	for _, a := range slices.Sorted(maps.Keys(r.required)) {
		if !seen[a] {
			out = append(out, fmt.Sprintf("<%s> lacks %s", name, a))
		}
	}
	if !r.text && strings.TrimSpace(e.Text) != "" {
		out = append(out, fmt.Sprintf("<%s> holds the text %.40q", name, e.Text))
	}
	names := ""
	for _, c := range e.Children {
		names += c.XMLName.Local + " "
		out = append(out, s.check(c)...)
	}
	if !regexp.MustCompile(`^(?:` + r.children + `)$`).MatchString(names) {
		out = append(out, fmt.Sprintf("<%s> holds %q, want %s", name, names, r.children))
	}
	return out
}

// checkSchemas holds a text to both schemas.
func checkSchemas(t failer, text string) {
	for name, problems := range brokenRules(text) {
		for _, p := range problems {
			t.Errorf("%s: %s", name, p)
		}
	}
}

func brokenRules(text string) map[string][]string {
	var root element
	if err := xml.Unmarshal([]byte(text), &root); err != nil {
		return map[string][]string{"XML": {err.Error()}}
	}
	return map[string][]string{"Ant": antSchema().check(root), "Jenkins": jenkinsSchema().check(root)}
}

// TestJUnitSchemas writes every kind of report under every kind of --fail-on.
func TestJUnitSchemas(t *testing.T) {
	all := variants()
	all["sample"], all["nothing"] = sample(), Report{Verdict: NoData}
	for name, r := range all {
		for _, failOn := range [][]string{nil, {"inconclusive"}, {"inconclusive", "reference"}} {
			t.Run(fmt.Sprint(name, failOn), func(t *testing.T) { checkSchemas(t, write(t, JUnit, r, Options{FailOn: failOn})) })
		}
	}
}

// TestJUnitSchemasCanFail breaks a good text in one place at a time.
func TestJUnitSchemasCanFail(t *testing.T) {
	good := write(t, JUnit, sample(), Options{})
	for _, c := range []struct{ schema, old, broken, want string }{
		{"Ant", ` tests="3"`, ` tests="three"`, "tests"},
		{"Ant", ` hostname="localhost"`, ``, "lacks hostname"},
		{"Ant", ` time="180.000"`, ` time="1.8e2"`, "time"},
		{"Jenkins", ` time="180.000"`, ` time="180.00012"`, "time"},
		{"Ant", `timestamp="2026-07-01T10:00:40"`, `timestamp="2026-07-01T10:00:40Z"`, "timestamp"},
		{"Ant", `<system-err></system-err>`, ``, "want properties"},
		{"Ant", `<properties>`, `<system-out></system-out><properties>`, "want properties"},
		{"Jenkins", `<properties>`, `<note></note><properties>`, "<note> is no element"},
		{"Ant", `</testcase>`, `text</testcase>`, `holds the text`},
		{"Jenkins", `<testcase name=`, `<testcase verdict="x" name=`, "no attribute verdict"},
	} {
		text := strings.Replace(good, c.old, c.broken, 1)
		if got := strings.Join(brokenRules(text)[c.schema], "; "); text == good || !strings.Contains(got, c.want) {
			t.Errorf("%s with %q in place of %q: %q, want %q", c.schema, c.broken, c.old, got, c.want)
		}
	}
}
