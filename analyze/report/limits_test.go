package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/reference"
)

func write(t *testing.T, f func(io.Writer, Report, Options) error, r Report, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// variants are reports at the edges of what study can give.
func variants() map[string]Report {
	long := sample()
	long.Title = strings.Repeat("a long title ", 20)
	long.Banner = strings.Repeat("a long banner ", 20)
	for i := range long.Grants {
		long.Grants[i].Why = strings.Repeat("because of this and that, ", 40)
	}
	for i := range 30 {
		long.Warnings = append(long.Warnings, Warning{ID: "x", Text: fmt.Sprintf("warning %d %s", i, strings.Repeat("with many words ", 20))})
	}

	many := sample()
	for i := range 12 {
		many.Grants = append(many.Grants, Grant{Grant: fmt.Sprintf("urn:ietf:params:oauth:grant-type:number-%d", i), Verdict: NoData, Why: "nothing was measured"})
	}

	empty := Report{SchemaVersion: SchemaVersion, Verdict: NoData}

	hollow := sample()
	hollow.Verdict = Inconclusive
	nan := math.NaN()
	for i := range hollow.Comparisons {
		c := &hollow.Comparisons[i]
		c.On, c.Off, c.Ratio = Side{}, Side{}, Ratio{}
	}
	for i := range hollow.Diagnostics {
		hollow.Diagnostics[i] = RunCheck{Grant: hollow.Diagnostics[i].Grant}
	}
	hollow.Latencies = []Latency{
		{Grant: "password", Persistence: "on"},
		{Grant: "password", Persistence: "off", Shares: []float64{1, nan}, Milliseconds: []float64{0, 5}},
		{Grant: "refresh_token", Persistence: "off", Shares: []float64{2, 0.5}, Milliseconds: []float64{nan, math.Inf(1)}},
	}
	hollow.Figures = []Figure{
		{Grant: "password", Label: "nothing"},
		{Grant: "password", Label: "no numbers", Lines: []Line{{Persistence: "on", Seconds: []float64{1, 2}, Values: []float64{nan, math.Inf(1)}}}},
		{Grant: "password", Label: "one point", Lines: []Line{{Persistence: "on", Seconds: []float64{1}, Values: []float64{0}}}},
		{Grant: "password", Label: "only zeros", Lines: []Line{{Persistence: "off", Seconds: []float64{0, 1, 2}, Values: []float64{0, 0, 0}}}},
	}

	odd := sample()
	for i := range odd.Comparisons {
		odd.Comparisons[i].Ratio = Ratio{Estimate: num(1e9), Lo: num(1e-9), Hi: num(1e12), Pairs: []Paired{{1, -1}, {2, nan}, {3, 1}}}
	}
	return map[string]Report{"sample": sample(), "long": long, "many grants": many, "empty": empty, "hollow": hollow, "odd": odd}
}

// TestFirstScreen holds the first screen to 24 lines of 80 columns, with the
// verdict in it, whatever the report.
func TestFirstScreen(t *testing.T) {
	for name, r := range variants() {
		t.Run(name, func(t *testing.T) {
			p := &page{}
			p.screen(r)
			lines := strings.Split(strings.TrimSuffix(p.text.String(), "\n"), "\n")
			if len(lines) > firstScreen {
				t.Errorf("%d lines", len(lines))
			}
			for _, l := range lines {
				if width(l) > textWidth {
					t.Errorf("%d columns: %s", width(l), l)
				}
			}
			if !strings.Contains(p.text.String(), string(r.Verdict)+"  ") {
				t.Errorf("no verdict in\n%s", p.text.String())
			}
		})
	}
}

// strayText finds what no report may contain.
func strayText() *regexp.Regexp { return regexp.MustCompile(`NaN|Inf\b|%!|<nil>|0x[0-9a-f]{6}`) }

// TestEveryFormatOfEveryVariant looks for what no report may contain.
func TestEveryFormatOfEveryVariant(t *testing.T) {
	buildtest.Alone(t)
	stray := strayText()
	for name, r := range variants() {
		for _, w := range Writers {
			if w.Format == "json" && name == "odd" {
				continue // study never lets NaN into a number that is not a pointer
			}
			t.Run(name+" "+w.Format, func(t *testing.T) {
				if name == "hollow" && w.Format == "json" {
					r.Figures, r.Latencies = nil, nil
				}
				got := write(t, w.Write, r, Options{})
				if m := stray.FindString(got); m != "" {
					t.Errorf("the report contains %q", m)
				}
				if again := write(t, w.Write, r, Options{}); again != got {
					t.Error("the second writing differs from the first")
				}
			})
		}
	}
}

// TestJSONNeverNull gives readers lists instead of null.
func TestJSONNeverNull(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal([]byte(write(t, JSON, Report{}, Options{})), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"grants", "comparisons", "reference", "explanation", "projections", "warnings", "diagnostics", "figures", "latencies", "methods"} {
		if _, ok := got[key].([]any); !ok {
			t.Errorf("%s is %v, want a list", key, got[key])
		}
	}
}

// TestPageIsSelfContained looks at what a page may load, and whether each plot
// can be read by somebody who cannot see it.
func TestPageIsSelfContained(t *testing.T) {
	got := write(t, HTML, sample(), Options{})
	if m := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|@import|url\(|(src|href)=`).FindString(got); m != "" {
		t.Errorf("the page contains %s", m)
	}
	if strings.Contains(got, "still <b>") {
		t.Error("text of a warning went into the page as markup")
	}
	plots := regexp.MustCompile(`(?s)<svg class="plot".*?</svg>`).FindAllString(got, -1)
	if len(plots) != 19 { // six per grant and the forest
		t.Errorf("%d plots, want 19", len(plots))
	}
	ids := map[string]bool{}
	for _, p := range plots {
		for _, want := range []string{`role="img"`, "<title id=", "<desc id=", "aria-labelledby=", "var(--"} {
			if !strings.Contains(p, want) {
				t.Errorf("a plot without %s: %.200s", want, p)
			}
		}
		if m := regexp.MustCompile(`#[0-9A-Fa-f]{6}|font-family|` + widthMark).FindString(p); m != "" {
			t.Errorf("a plot keeps %q, which no colour scheme or font setting can reach", m)
		}
		id := regexp.MustCompile(`title id="([^"]*)"`).FindStringSubmatch(p)[1]
		if ids[id] {
			t.Errorf("two plots have the id %s", id)
		}
		ids[id] = true
		if err := wellFormed(p); err != nil {
			t.Errorf("a plot is not well-formed: %v", err)
		}
	}
	if th := regexp.MustCompile(`<th( class="[^"]*")?>`).FindString(got); th != "" {
		t.Errorf("a table header without scope: %s", th)
	}
}

func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestVariablesAreDefined compares the roles of the plots with the style sheet.
func TestVariablesAreDefined(t *testing.T) {
	for _, r := range roles {
		if n := strings.Count(htmlStyle, "--"+r.name+":"); n != 2 {
			t.Errorf("--%s is defined %d times in report.css, want once for light and once for dark", r.name, n)
		}
	}
}

// TestPageSize holds the page below 500 kB for a long study: 8 pairs of 15
// minutes at a second's resolution, for three grants.
func TestPageSize(t *testing.T) {
	buildtest.Alone(t)
	r := sample()
	for i := range r.Figures {
		r.Figures[i].Lines = nil
		r.Figures[i].Warmup = 120
		for b := range 16 {
			l := Line{Persistence: []string{"on", "off"}[b%2], Block: b/2 + 1}
			for s := range 900 {
				l.Seconds = append(l.Seconds, float64(s)+0.5)
				l.Values = append(l.Values, 700+100*math.Sin(float64(s*b)))
			}
			r.Figures[i].Lines = append(r.Figures[i].Lines, l)
		}
	}
	got := write(t, HTML, r, Options{})
	if len(got) > 500_000 {
		t.Errorf("the page has %d bytes", len(got))
	}
	if !strings.Contains(got, "points are means of") || !strings.Contains(got, "minutes since the start") {
		t.Error("the page does not say that points were averaged, or over which time")
	}
}

// TestPageSizeOfManyGrants holds a page of twelve grants below 500 kB: what it
// has no room for is counted, and every grant keeps its throughput.
func TestPageSizeOfManyGrants(t *testing.T) {
	buildtest.Alone(t)
	r := studySized()
	r.Grants = nil
	comparisons, diagnostics, figures, latencies := r.Comparisons, r.Diagnostics, r.Figures, r.Latencies
	r.Comparisons, r.Diagnostics, r.Figures, r.Latencies = nil, nil, nil, nil
	for i := range 12 {
		name := fmt.Sprintf("grant-%d", i)
		r.Grants = append(r.Grants, Grant{Grant: name, Verdict: Pass, Why: "it gains"})
		for _, c := range comparisons[:len(comparisons)/3] {
			c.Grant = name
			r.Comparisons = append(r.Comparisons, c)
		}
		for _, d := range diagnostics[:len(diagnostics)/3] {
			d.Grant = name
			r.Diagnostics = append(r.Diagnostics, d)
		}
		for _, f := range figures[:4] {
			f.Grant = name
			r.Figures = append(r.Figures, f)
		}
		for _, l := range latencies[:2] {
			l.Grant = name
			r.Latencies = append(r.Latencies, l)
		}
	}
	got := write(t, HTML, r, Options{})
	if len(got) > 500_000 {
		t.Errorf("the page has %d bytes", len(got))
	}
	if n := strings.Count(got, "3 more plots of this grant do not fit the page"); n != 12 {
		t.Errorf("%d of 12 grants say that plots are left out", n)
	}
	if n := strings.Count(got, "Throughput against time"); n != 12 {
		t.Errorf("%d of 12 grants have their throughput", n)
	}
	if n := len(Pictures(r)); n != 1+12*6 {
		t.Errorf("%d pictures, want all of them", n)
	}
}

// TestColour paints words on request only; without the codes the text is the same.
func TestColour(t *testing.T) {
	plain := write(t, Text, sample(), Options{})
	painted := write(t, Text, sample(), Options{Color: true})
	if strings.Contains(plain, "\x1b") || !strings.Contains(painted, "\x1b[1;31mFAIL\x1b[0m") {
		t.Error("colour is not what was asked for")
	}
	if got := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(painted, ""); got != plain {
		t.Error("without its colours the text differs from the plain one")
	}
}

// TestNumbers is a table of how numbers are written.
func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{significant(764.4), "764"}, {significant(5.2356), "5.24"}, {significant(0.0471), "0.0471"}, {significant(99999), "99999"}, {significant(0), "0"},
		{significant(math.NaN()), missing},
		{ratioText(num(1.2736)), "1.27"}, {ratioText(num(0.0804)), "0.080"}, {ratioText(num(123.4)), "123"}, {ratioText(nil), missing},
		{percentText(num(0.05)), "5 %"}, {percentText(num(0.0734)), "7.3 %"}, {percentText(nil), missing},
		{pointsText(num(0.0123)), "+1.23 pp"}, {pointsText(num(-0.0123)), "-1.23 pp"}, {pointsText(num(-1e-9)), "0.00 pp"},
		{pText(num(0)), "< 0.001"}, {pText(num(0.0213)), "0.021"},
		{clockText("2026-07-01T10:00:20.5Z"), "10:00:20"}, {clockText("soon"), "soon"},
		{sideText(Side{Estimate: num(0.71), Lo: num(0.689), Hi: num(0.731)}, "ratio"), "71.0 (68.9–73.1) %"},
		{sideText(Side{Estimate: num(764), Lo: num(741), Hi: num(787)}, "tokens/s"), "764 (741–787)"},
		{cut("client_credentials", 10), "client_cr…"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestPublished prints both editions.
func TestPublished(t *testing.T) {
	var b bytes.Buffer
	if err := Published(&b, reference.Editions()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1.272–1.275", "+27.4 %", "131", "10.87", "database not stated", "+0.630"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the published numbers lack %q", want)
		}
	}
	for l := range strings.Lines(b.String()) {
		if l = strings.TrimSuffix(l, "\n"); width(l) > textWidth && len(strings.Fields(l)) > 2 {
			t.Errorf("%d columns: %s", width(l), l)
		}
	}
}

// TestWriteErrors passes on what the output says.
func TestWriteErrors(t *testing.T) {
	full := errors.New("disk full")
	for _, w := range Writers {
		if err := w.Write(failing{full}, sample(), Options{}); !errors.Is(err, full) {
			t.Errorf("%s: error %v, want %v", w.Format, err, full)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestCaveats folds and orders what warnings say.
func TestCaveats(t *testing.T) {
	r := Report{
		Warnings: []Warning{{ID: "closed-loop", Text: "closed loop"}},
		Comparisons: []Comparison{
			{Grant: "password", Label: "Throughput", Warnings: []Warning{{ID: "foreign-cpu", Text: "others used 1.3 cores", Windows: 3}}},
			{Grant: "password", Label: "Database CPU", Warnings: []Warning{{ID: "few-points", Text: "only 4 points", Windows: 2}, {ID: "zero", Text: "a run of 0"}}},
			{Grant: "password", Label: "Total IOPS", Warnings: []Warning{{ID: "few-points", Text: "only 3 points", Windows: 3}}},
			{Grant: "refresh_token", Label: "Database CPU", Warnings: []Warning{{ID: "few-points", Text: "only 4 points", Windows: 2}, {ID: "zero", Text: "a run of 0"}}},
		},
		Diagnostics: []RunCheck{
			{Grant: "password", Persistence: "on", Block: 1, Warnings: []Warning{{ID: "foreign-cpu", Text: "others used 1.3 cores"}, {ID: "autocorrelation", Text: "lag-1 0.4"}}},
			{Grant: "password", Persistence: "off", Block: 1, Warnings: []Warning{{ID: "autocorrelation", Text: "lag-1 0.5"}}},
			{Grant: "password", Persistence: "off", Start: "2026-07-01T10:00:00Z", Warnings: []Warning{{ID: "autocorrelation", Text: "lag-1 0.6"}}},
		},
	}
	var got []string
	for _, c := range r.caveats() {
		got = append(got, c.Text+" ["+c.place()+"]")
	}
	want := []string{
		"others used 1.3 cores [the first of 3 windows]",
		"only 4 points [the first of 5 windows]",
		"a run of 0 [password Database CPU; refresh_token Database CPU]",
		"lag-1 0.4 [password on, block 1; password off, block 1 and 1 more]",
		"closed loop []",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
