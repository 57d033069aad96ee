package windows

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/oneline"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// Origin says where the recording came from, for the experiment file.
type Origin struct {
	URL      string // of the Prometheus API, without a password; else TSDB
	TSDB     string
	Profile  string
	Matchers map[string]string
	Store    []string // lines of YAML beside the URL
	HTTP     []string // lines of YAML below http:, none of them a secret
	Asks     []string // what the reader has to add, as comments
}

// Experiment writes a complete experiment file. What could not be told is left
// empty, so that compare refuses it until somebody fills it in.
func Experiment(w io.Writer, p Proposal, o Origin) error {
	b := bufio.NewWriter(w)
	comment(b, "", "Proposed by analyze windows from what was recorded. Check every window: its grant, whether persistence was on, which two form a pair (block), and that nothing but the load test ran.")
	fmt.Fprintf(b, "title: Token persistence\n")
	fmt.Fprintf(b, "load: closed # users wait for their token; rate: every window offered the same tokens/s\n")
	comment(b, "", "With vcpus there is CPU per token, with users and applications the published numbers can be compared:")
	fmt.Fprintf(b, "# environment: {apim: {vcpus: 4}, database: {vcpus: 8}, users: 100, applications: 10}\n")
	o.source(b)
	comment(b, "", fmt.Sprintf("Warm-up: %s.", p.WarmupWhy))
	fmt.Fprintf(b, "warmup: %s\n", seconds(p.WarmupSeconds))
	for _, n := range p.Notes {
		comment(b, "", "Note: "+n)
	}
	fmt.Fprintf(b, "windows:\n")
	paired := map[string]bool{}
	for _, v := range p.Windows {
		paired[v.Grant] = paired[v.Grant] || v.Block > 0
	}
	for _, v := range p.Windows {
		v.experiment(b, paired[v.Grant])
	}
	for _, l := range p.LeftOut {
		comment(b, "  ", fmt.Sprintf("Left out: %s to %s, %.1f tokens/s: %s.", stamp(l.Start), stamp(l.End), l.TokensPerSecond, l.Why))
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the experiment file: %w", err)
	}
	return nil
}

func (o Origin) source(b io.Writer) {
	indent := "    "
	fmt.Fprintf(b, "source:\n")
	if o.TSDB != "" {
		indent = "  "
		fmt.Fprintf(b, "  tsdb: %s # relative to this file\n", strconv.Quote(o.TSDB))
	} else {
		fmt.Fprintf(b, "  prometheus:\n    url: %s\n", strconv.Quote(o.URL))
	}
	for _, line := range o.Store {
		fmt.Fprintf(b, "%s%s\n", indent, line)
	}
	if o.Profile != "" {
		fmt.Fprintf(b, "%sprofile: %s\n", indent, strconv.Quote(o.Profile))
	}
	if len(o.Matchers) > 0 {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(o.Matchers)) {
			parts = append(parts, name+": "+strconv.Quote(o.Matchers[name]))
		}
		fmt.Fprintf(b, "%smatchers: {%s}\n", indent, strings.Join(parts, ", "))
	}
	if len(o.HTTP) > 0 {
		fmt.Fprintf(b, "%shttp:\n", indent)
		for _, line := range o.HTTP {
			fmt.Fprintf(b, "%s  %s\n", indent, line)
		}
	}
	for _, ask := range o.Asks {
		comment(b, indent, ask)
	}
}

// experiment writes a window behind what is known of it. One without a partner
// whose grant has pairs is a comment.
func (v Window) experiment(b io.Writer, paired bool) {
	comment(b, "  ", fmt.Sprintf("%.1f tokens/s; begins: %s; ends: %s", v.TokensPerSecond, v.Begins, v.Ends))
	comment(b, "  ", "mode: "+v.Mode+"; grant: "+v.GrantWhy)
	for _, n := range v.Notes {
		comment(b, "  ", "note: "+n)
	}
	known := v.Persistence == source.On || v.Persistence == source.Off
	if !known {
		comment(b, "  ", "FILL IN persistence: on if API Manager stored the tokens of this window ([oauth.token_persistence] enable), off if not; and give it and its partner one block.")
	}
	if v.Grant == "" {
		comment(b, "  ", "FILL IN grant: the grant type that was requested, such as client_credentials, password or refresh_token.")
	}
	block, off := "", ""
	if v.Block > 0 {
		block = fmt.Sprintf(" block: %d,", v.Block)
	}
	if known && v.Grant != "" && v.Block == 0 && paired {
		comment(b, "  ", "It has no partner. In the comparison it would undo all pairs of its grant.")
		off = "# "
	}
	fmt.Fprintf(b, "  %s- {grant: %s, persistence: %s,%s start: %s, end: %s}\n", off, scalar(v.Grant), v.Persistence, block, stamp(v.Start), stamp(v.End))
}

var word = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// scalar is a value that may stand in a flow mapping; empty for nothing.
func scalar(s string) string {
	if s == "" || word.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// comment writes text as lines of at most 100 columns behind #.
func comment(b io.Writer, indent, text string) {
	const most = 100
	line := indent + "#"
	for _, w := range strings.Fields(oneline.Text(text)) {
		if len(line)+1+len(w) > most && line != indent+"#" {
			fmt.Fprintln(b, line)
			line = indent + "#  "
		}
		line += " " + w
	}
	fmt.Fprintln(b, line)
}
