package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The elements of JUnit XML in the form that both the schema of Ant and that of
// Jenkins accept: Ant's wants package, id, hostname, timestamp and time.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Package    string          `xml:"package,attr"`
	ID         int             `xml:"id,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Time       string          `xml:"time,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out"`
	Err        string          `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Time    string       `xml:"time,attr"`
	Skipped *junitResult `xml:"skipped"`
	Error   *junitResult `xml:"error"`
	Failure *junitResult `xml:"failure"`
}

type junitResult struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the verdicts for a CI server: one suite for the experiment, one
// test case per grant. FAIL is a failure and NO DATA an error; INCONCLUSIVE is a
// failure where --fail-on lists it and skipped otherwise; a PASS whose ratio
// differs from a published one is a failure under --fail-on reference.
func JUnit(w io.Writer, r Report, o Options) error {
	r = plain(r)
	out, err := xml.MarshalIndent(junitSuites{Suites: []junitSuite{junitOf(r, o)}}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the JUnit XML: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	b.Write(out)
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

func junitOf(r Report, o Options) junitSuite {
	s := junitSuite{
		Name: strings.TrimSpace(r.Title), Package: "token-persistence", Hostname: "localhost",
		Timestamp: firstStart(r), Time: decimalSeconds(measuredSeconds(r, "")), Out: sentence(r),
		Properties: []junitProperty{{"verdict", string(r.Verdict)}, {"hypothesis", r.Hypothesis.Text}, {"program", r.Provenance.Program}},
	}
	if s.Name == "" {
		s.Name = "Token persistence on and off"
	}
	grants := r.Grants
	if len(grants) == 0 {
		// A suite without a case would look as if nothing were wrong.
		grants = []Grant{{Grant: "experiment", Verdict: r.Verdict, Why: sentence(r)}}
	}
	for _, g := range grants {
		c := junitCase{Name: g.Grant, Class: "token-persistence", Time: decimalSeconds(measuredSeconds(r, g.Grant))}
		result := &junitResult{Message: string(g.Verdict) + ": " + g.Why, Type: string(g.Verdict), Text: junitText(r, g)}
		switch {
		case g.Verdict == Fail, g.Verdict == Inconclusive && slices.Contains(o.FailOn, failOnInconclusive):
			c.Failure = result
			s.Failures++
		case g.Verdict == Inconclusive:
			c.Skipped = &junitResult{Message: result.Message, Type: result.Type}
			s.Skipped++
		case g.Verdict != Pass:
			c.Error = result
			s.Errors++
		case slices.Contains(o.FailOn, failOnReference) && differing(r, g.Grant) != "":
			result.Type, result.Message = "reference", differing(r, g.Grant)
			c.Failure = result
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
	s.Tests = len(s.Cases)
	return s
}

// junitText is what a CI server shows when somebody opens a case.
func junitText(r Report, g Grant) string {
	lines := []string{g.Why}
	for _, c := range r.comparisons(g.Grant) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s: on %s, off %s, off/on %s %s",
			c.Label, valueText(c.On.Estimate, c.Unit), valueText(c.Off.Estimate, c.Unit), c.effectText(), c.intervalText())))
	}
	return strings.Join(lines, "\n")
}

// differing says from which published ratio a grant differs, "" from none.
func differing(r Report, grant string) string {
	for _, x := range r.Reference {
		if x.Grant == grant && x.Result == "differs" {
			return strings.TrimSuffix(fmt.Sprintf("differs from the published ratio %s of %s: %s", ratioText(&x.Ratio), x.Edition, x.Why), ": ")
		}
	}
	return ""
}

// firstStart is the start of the earliest window without its zone, as the schema
// wants it; a report has no other time, so that the same input gives the same
// bytes.
func firstStart(r Report) string {
	first := time.Time{}
	for _, d := range r.Diagnostics {
		if t, err := time.Parse(time.RFC3339Nano, d.Start); err == nil && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first.UTC().Format("2006-01-02T15:04:05")
}

// decimalSeconds writes seconds without an exponent, which the schema forbids.
func decimalSeconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// measuredSeconds is the measured time of a grant's windows, of all when grant
// is "".
func measuredSeconds(r Report, grant string) float64 {
	sum := 0.0
	for _, d := range r.Diagnostics {
		if (grant == "" || d.Grant == grant) && finite(d.Seconds) && d.Seconds > 0 {
			sum += d.Seconds
		}
	}
	if !finite(sum) {
		return 0
	}
	return sum
}
