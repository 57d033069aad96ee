package windows_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/windows"
)

// awkward has every kind of window and of reason.
func awkward(t *testing.T) windows.Proposal {
	pause := load{seconds: 60}
	r := usual.record(pause, load{20, 300, 1, "password", false}, pause, load{300, 400, 1, "password", false}, pause, load{300, 350, 0, "password", false}, pause,
		load{300, 400, 0.5, "password", false}, pause, load{300, 400, 1, "client_credentials", false}, pause, load{300, 500, 0, "", false}, load{seconds: 100_000}, load{300, 500, 0, "", false}, pause)
	r.Problems = append(r.Problems, source.Problem{Text: "a server that \x1b[31mcolours\x1b[0m " + strings.Repeat("its long answers ", 10)})
	return propose(t, r, usualOptions)
}

func TestText(t *testing.T) {
	p := awkward(t)
	p.Windows[0].Grant = "urn:ietf:params:oauth:grant-type:token-exchange"
	var b bytes.Buffer
	if err := windows.Text(&b, p); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if n := len([]rune(line)); n > 80 || strings.ContainsRune(line, 0x1b) || strings.HasSuffix(line, " ") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	for _, want := range []string{"5 windows, 2 left out, cells of 5s", " on   urn:ietf:params:oau… ", "left out", "shorter than --min-length", "neither on nor off", " mixed ", "warm-up 1m0s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

// TestJustTooShort: what is left out for a moment must not look long enough.
func TestJustTooShort(t *testing.T) {
	o := usualOptions
	o.MinLength = 300 * time.Second
	p := propose(t, usual.record(load{seconds: 60}, load{299.9, 400, 1, "password", false}, load{seconds: 60}), o)
	if len(p.LeftOut) != 1 || strings.Contains(p.LeftOut[0].Why, "5m0s long") {
		t.Errorf("%s", shown(p))
	}
}

// TestNothingIsDropped: all tokens lie in a window, in what was left out, or at
// an edge of either.
func TestNothingIsDropped(t *testing.T) {
	p := awkward(t)
	tokens := 0.0
	for _, w := range p.Windows {
		tokens += w.TokensPerSecond * w.End.Sub(w.Start).Seconds()
	}
	for _, l := range p.LeftOut {
		tokens += l.TokensPerSecond * l.End.Sub(l.Start).Seconds()
	}
	if all := 20*300 + 300*(400+350+400+400+500+500.0); tokens < 0.98*all || tokens > 1.02*all {
		t.Errorf("%.0f of %.0f tokens are accounted for", tokens, all)
	}
}

func TestJSON(t *testing.T) {
	p := awkward(t)
	var b bytes.Buffer
	if err := windows.JSON(&b, p); err != nil {
		t.Fatal(err)
	}
	var back windows.Proposal
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.SchemaVersion != 1 || len(back.Windows) != len(p.Windows) || back.Windows[1].Persistence != source.Off || !back.Windows[0].Start.Equal(p.Windows[0].Start) {
		t.Errorf("%s", shown(back))
	}
	for _, key := range []string{`"left_out": [`, `"notes": [`, `"cv": 0.`, `"rows_per_token": `} {
		if !strings.Contains(b.String(), key) {
			t.Errorf("no %s in\n%s", key, b.String())
		}
	}
}

func TestExperimentText(t *testing.T) {
	p := awkward(t)
	var b bytes.Buffer
	o := windows.Origin{URL: "http://localhost:9090", Matchers: map[string]string{"job": "a \"b\""}, HTTP: []string{"follow_redirects: true"}, Asks: []string{"ask"}}
	if err := windows.Experiment(&b, p, o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"source:\n  prometheus:\n    url: \"http://localhost:9090\"\n    matchers: {job: \"a \\\"b\\\"\"}\n    http:\n      follow_redirects: true\n    # ask\n",
		"warmup: 1m0s\n",
		"  - {grant: password, persistence: on, block: 1, start: 2026-07-01T12:02:",
		"  - {grant: password, persistence: off, block: 1, start: ",
		"  - {grant: client_credentials, persistence: off, block: 1, start: ",
		"  - {grant: , persistence: off, start: ",
		"FILL IN grant: ", "Left out: 2026-07-01T12:01:0",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if strings.ContainsRune(b.String(), 0x1b) {
		t.Error("control characters")
	}
	b.Reset()
	o = windows.Origin{TSDB: "data/tsdb", Profile: "exporter"}
	p.Windows[0].Persistence, p.Windows[0].Block, p.Windows[2].Block = "", 0, 0
	if err := windows.Experiment(&b, p, o); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"source:\n  tsdb: \"data/tsdb\" # relative to this file\n  profile: \"exporter\"\n",
		"  - {grant: password, persistence: , start: ", "FILL IN persistence: on if API Manager stored the tokens",
		fmt.Sprintf("  # - {grant: %s, persistence: on, start: ", p.Windows[2].Grant),
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}
