package report

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
)

// TestColumns holds the text to 80 columns, whatever the report. Only what is to
// be copied, such as a query or a file name, may be longer, on a line of its own.
func TestColumns(t *testing.T) {
	all := variants()
	wide := sample()
	for i := range wide.Comparisons {
		c := &wide.Comparisons[i]
		c.Label = "A metric with a very long name " + c.Label
		for _, s := range []*Side{&c.On, &c.Off} {
			s.Estimate, s.Lo, s.Hi = num(0.0123456), num(0.0111111), num(0.0133333)
		}
	}
	for i := range wide.Reference {
		wide.Reference[i].Result, wide.Reference[i].Direction = "not comparable", "undecided"
	}
	all["wide"] = wide
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			for l := range strings.Lines(write(t, Text, r, Options{})) {
				l = strings.TrimSuffix(l, "\n")
				if width(l) > textWidth && len(strings.Fields(l)) > 2 {
					t.Errorf("%d columns: %s", width(l), l)
				}
			}
		})
	}
}

// TestMarkdownLines holds the Markdown to 60 lines, and its tables to one number
// of columns.
func TestMarkdownLines(t *testing.T) {
	for name, r := range variants() {
		t.Run(name, func(t *testing.T) { checkMarkdown(t, write(t, Markdown, r, Options{})) })
	}
	got := write(t, Markdown, variants()["many grants"], Options{})
	for _, want := range []string{"9 more grants are in the other formats", "- **FAIL** password"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := write(t, Markdown, variants()["long"], Options{}); !strings.Contains(got, "more in the other formats") {
		t.Error("the report does not say that caveats were left out")
	}
}

type failer interface {
	Errorf(format string, args ...any)
}

func checkMarkdown(t failer, text string) {
	if n := strings.Count(text, "\n"); n > markdownLines {
		t.Errorf("%d lines", n)
	}
	columns := 0
	for l := range strings.Lines(text) {
		if !strings.HasPrefix(l, "|") {
			columns = 0
			continue
		}
		// A pipe behind a backslash is text; backslashes themselves come in pairs.
		n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(l, `\\`, ""), `\|`, ""), "|")
		if columns != 0 && n != columns {
			t.Errorf("a row of %d columns below one of %d: %s", n, columns, l)
		}
		columns = n
	}
}

// TestCSVRows counts rows, and finds every run of the sample with all digits.
func TestCSVRows(t *testing.T) {
	r := sample()
	rows := checkCSV(t, write(t, CSV, r, Options{}))
	kinds := map[string]int{}
	for _, row := range rows {
		kinds[row["row"]]++
	}
	n := len(r.Comparisons) // five blocks each; those of the error shares have no ratio
	want := map[string]int{"verdict": 3, "run": n * 10, "mean": n * 2, "pair": (n - 3) * 5, "effect": n}
	if !reflect.DeepEqual(kinds, want) {
		t.Errorf("rows %v, want %v", kinds, want)
	}
	found := slices.ContainsFunc(rows, func(row map[string]string) bool {
		return row["row"] == "effect" && row["grant"] == "password" && row["metric"] == MetricErrors &&
			row["mode"] == "off-on" && row["value"] == "0" && row["lo"] == "" && row["hi"] == "0.0008" && row["level"] == "0.95" && row["status"] == "confirmatory"
	})
	if !found {
		t.Error("no row with the effect on the error share, whose lower end is missing")
	}
}

// TestCSVColumns explains every column on the page about the report.
func TestCSVColumns(t *testing.T) {
	page, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Columns of the CSV")
	for _, c := range csvColumns {
		if !strings.Contains(table, "`"+c+"`") {
			t.Errorf("docs/report.md does not explain the column %s", c)
		}
	}
}

// checkCSV reads a CSV report back, by column name.
func checkCSV(t failer, text string) []map[string]string {
	if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		t.Errorf("a line ends without CRLF")
	}
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 || !slices.Equal(all[0], csvColumns) {
		t.Errorf("%v in %.200q", err, text)
		return nil
	}
	var out []map[string]string
	for _, fields := range all[1:] {
		row := map[string]string{}
		for i, f := range fields {
			row[csvColumns[i]] = f
		}
		out = append(out, row)
	}
	return out
}

// TestJUnitResults maps verdicts and --fail-on to results.
func TestJUnitResults(t *testing.T) {
	r := sample()
	r.Grants = append(r.Grants, Grant{Grant: "authorization_code", Verdict: NoData, Why: "no window"})
	r.Reference[0].Result, r.Reference[0].Why = "differs", "far off"
	for _, c := range []struct {
		failOn []string
		want   string // of client_credentials, password, refresh_token, authorization_code
	}{
		{nil, "pass failure skipped error"},
		{[]string{"inconclusive"}, "pass failure failure error"},
		{[]string{"reference"}, "failure failure skipped error"},
	} {
		s := checkJUnit(t, write(t, JUnit, r, Options{FailOn: c.failOn}))
		var got []string
		for _, x := range s.Cases {
			got = append(got, junitKind(x))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("--fail-on %v: %v, want %s", c.failOn, got, c.want)
		}
	}
	s := checkJUnit(t, write(t, JUnit, Report{Verdict: NoData}, Options{}))
	if s.Tests != 1 || s.Errors != 1 {
		t.Errorf("a report without grants has %d tests and %d errors: it would look green", s.Tests, s.Errors)
	}
	if s := checkJUnit(t, write(t, JUnit, r, Options{FailOn: []string{"reference"}})); !strings.Contains(s.Cases[0].Failure.Message, "published ratio 1.27") {
		t.Errorf("message %q", s.Cases[0].Failure.Message)
	}
}

func junitKind(c junitCase) string {
	switch {
	case c.Failure != nil:
		return "failure"
	case c.Error != nil:
		return "error"
	case c.Skipped != nil:
		return "skipped"
	}
	return "pass"
}

// checkJUnit reads the XML back and holds it to the rules that the schemas of Ant
// and Jenkins share: order of elements, required attributes, counts that add up.
func checkJUnit(t failer, text string) junitSuite {
	checkSchemas(t, text)
	var all junitSuites
	if err := xml.Unmarshal([]byte(text), &all); err != nil || len(all.Suites) != 1 {
		t.Errorf("%v, %d suites", err, len(all.Suites))
		return junitSuite{}
	}
	s := all.Suites[0]
	kinds := map[string]int{}
	for _, c := range s.Cases {
		kinds[junitKind(c)]++
		if c.Class == "" || c.Time == "" {
			t.Errorf("a case without class or time: %+v", c)
		}
	}
	if s.Tests != len(s.Cases) || s.Tests == 0 || s.Failures != kinds["failure"] || s.Errors != kinds["error"] || s.Skipped != kinds["skipped"] {
		t.Errorf("the counts do not add up: %d tests, %d failures, %d errors, %d skipped of %v", s.Tests, s.Failures, s.Errors, s.Skipped, kinds)
	}
	if len(s.Timestamp) != len("2006-01-02T15:04:05") || s.Name == "" || s.Hostname == "" || s.Package == "" || s.Time == "" {
		t.Errorf("an attribute is missing: %+v", s)
	}
	order := []string{"properties", "testcase", "system-out", "system-err"}
	at := 0
	d, depth := xml.NewDecoder(strings.NewReader(text)), 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			t.Errorf("%v", err)
			return s
		}
		switch e := token.(type) {
		case xml.StartElement:
			if depth == 2 {
				next := slices.Index(order, e.Name.Local)
				if next < at {
					t.Errorf("%s stands behind %s", e.Name.Local, order[at])
				}
				at = max(at, next)
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// hostile are texts that a report may carry from an experiment file or a label.
var hostile = []string{
	"", "password", "refresh_token", "a|b", "a\\|b", "<script>alert(1)</script>", "line\nbreak\r\n\ttab", "\x00\x1b[31mred\x07", "\xff\xfe broken",
	"right\u202eleft\u200bzero", "]]>", `"quoted",comma`, "`code` *bold* [x](http://example.com) ![y](z) ~~s~~ $m$", "&amp; &", "\u2028\ufffe\U000e0001",
	"PASS", "FAIL", "ratio", "difference", "share", "on", "off", "2026-07-01T10:00:00Z", strings.Repeat("long ", 60), strings.Repeat("x", 200), "100 %",
}

func oddNumbers() []float64 {
	return []float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e-300, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64}
}

// anyReport makes arbitrary reports whose parts refer to each other often.
func anyReport() *rapid.Generator[Report] {
	text := rapid.SampledFrom(hostile)
	number := rapid.OneOf(rapid.Float64Range(-2, 1000), rapid.SampledFrom(oddNumbers()), rapid.Float64())
	mode := rapid.SampledFrom([]string{"on", "off", "on", "off", "neither"}).AsAny()
	grant := rapid.SampledFrom([]string{"password", "password", "a|b", "<b>", ""}).AsAny()
	metric := rapid.SampledFrom([]string{MetricThroughput, MetricErrors, MetricDatabaseCPU, MetricAPIManagerCPU, "apim_core_ms", "|"}).AsAny()
	return rapid.MakeCustom[Report](rapid.MakeConfig{
		Kinds: map[reflect.Kind]*rapid.Generator[any]{
			reflect.String: text.AsAny(), reflect.Float64: number.AsAny(), reflect.Int: rapid.IntRange(-1, 40).AsAny(),
		},
		Fields: map[reflect.Type]map[string]*rapid.Generator[any]{
			reflect.TypeFor[Grant]():      {"Grant": grant},
			reflect.TypeFor[Comparison](): {"Grant": grant, "Metric": metric},
			reflect.TypeFor[Figure]():     {"Grant": grant, "Metric": metric},
			reflect.TypeFor[RunCheck]():   {"Grant": grant, "Persistence": mode},
			reflect.TypeFor[Latency]():    {"Grant": grant, "Persistence": mode},
			reflect.TypeFor[Line]():       {"Persistence": mode},
			reflect.TypeFor[Reference]():  {"Grant": grant},
		},
	})
}

// TestAnyReport writes arbitrary reports in every format. None may panic, hold a
// number that is none, or let a text out of its place.
func TestAnyReport(t *testing.T) {
	buildtest.Alone(t)
	rapid.Check(t, func(t *rapid.T) {
		r := anyReport().Draw(t, "report")
		failOn := rapid.SampledFrom([][]string{nil, {"inconclusive"}, {"reference", "inconclusive"}}).Draw(t, "fail on")
		// Drawing takes most of the time.
		draws := rapid.IntRange(0, 4).Draw(t, "draws") == 0
		for _, w := range Writers {
			if w.Format == "html" && !draws {
				continue
			}
			var b strings.Builder
			err := w.Write(&b, r, Options{FailOn: failOn})
			if w.Format == "json" {
				continue // refuses what is no number, which study never lets in; strings are its encoder's
			}
			if err != nil {
				t.Fatalf("%s: %v", w.Format, err)
			}
			checkText(t, w.Format, b.String())
			switch w.Format {
			case "markdown":
				checkMarkdown(t, b.String())
			case "csv":
				checkCSV(t, b.String())
			case "junit":
				checkJUnit(t, b.String())
			}
		}
		if !draws {
			return
		}
		for _, p := range Pictures(r) {
			var b strings.Builder
			if err := p.Write(&b, "svg"); err != nil {
				t.Fatal(err)
			}
			checkSVG(t, p.Name, b.String())
		}
	})
}

// checkText looks for what would steer a terminal or show that a number is none.
func checkText(t failer, format, text string) {
	if !utf8.ValidString(text) {
		t.Errorf("%s: broken UTF-8", format)
	}
	for _, r := range text {
		ours := r == '\n' || format == "csv" && r == '\r' || format == "html" && r == '\t'
		if !unicode.IsGraphic(r) && !ours {
			t.Errorf("%s: the character %U", format, r)
		}
	}
	if m := strayText().FindString(text); m != "" {
		t.Errorf("%s contains %q", format, m)
	}
	if strings.Contains(text, "<script") && format != "text" && format != "csv" {
		t.Errorf("%s: markup went through", format)
	}
}

// TestPlain leaves what can be seen, and a copy's original alone.
func TestPlain(t *testing.T) {
	r := sample()
	r.Title = "a\x1b[31m\nb\u202e\xffc – %"
	before := fmt.Sprintf("%q %+v", r.Title, r.Grants)
	if got := plain(r).Title; got != "a\ufffd[31m b\ufffd\ufffdc – %" {
		t.Errorf("%q", got)
	}
	if fmt.Sprintf("%q %+v", r.Title, r.Grants) != before {
		t.Error("the report itself was changed")
	}
	if got := plain(sample()); !reflect.DeepEqual(got, sample()) {
		t.Error("a harmless report does not stay as it is")
	}
}
