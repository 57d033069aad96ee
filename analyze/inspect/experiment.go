package inspect

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// proposal is a window that an experiment file could declare.
type proposal struct {
	grant, label, mode, file string
	known                    bool // the mode was read from the file's name
	block                    int
	start, end               time.Time
}

// Experiment writes an experiment file to start from: a window for every
// stretch of load. Whether persistence was on is guessed from the names of the
// files; where they do not say, a comment asks.
func Experiment(w io.Writer, files []*File) error {
	windows := propose(files)
	if len(windows) == 0 {
		return fmt.Errorf("no label has load for %d s without a silence of %d s: there is no window to propose", leastStretch, newStretch)
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Proposed by analyze inspect. Check every window: its grant, whether persistence\n# was on, and which two windows form a pair (block).\n")
	fmt.Fprintf(b, "title: Token persistence\nload: closed # or rate\nwarmup: %s\n", warmup(windows))
	fmt.Fprintf(b, "labels:\n")
	for i, p := range windows {
		if i == 0 || p.grant != windows[i-1].grant {
			fmt.Fprintf(b, "  %s: %s\n", p.grant, strconv.Quote(p.label))
		}
	}
	fmt.Fprintf(b, "windows:\n")
	for _, p := range windows {
		ask := ""
		if !p.known {
			ask = " # was persistence on?"
		}
		fmt.Fprintf(b, "  - {grant: %s, persistence: %s, block: %d, start: %s, end: %s, jtl: [%s]}%s\n",
			p.grant, p.mode, p.block, p.start.Format(time.RFC3339), p.end.Format(time.RFC3339), strconv.Quote(p.file), ask)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the experiment file: %w", err)
	}
	return nil
}

// warmup is two minutes, of short windows a fifth of the shortest.
func warmup(windows []proposal) time.Duration {
	least := 2 * time.Minute
	for _, p := range windows {
		least = min(least, (p.end.Sub(p.start) / 5).Truncate(time.Second))
	}
	return least
}

// propose lists the windows by grant and time. Within a grant and mode they are
// numbered, so that the first on and the first off window form a pair.
func propose(files []*File) []proposal {
	var out []proposal
	labelOf := map[string]string{} // of a grant: an experiment file names one
	for _, f := range files {
		mode, known := modeOf(f.Name)
		for _, l := range f.Labels() {
			grant := grantOf(l.Name)
			if taken, ok := labelOf[grant]; ok && taken != l.Name {
				grant = wordOf(l.Name)
			}
			labelOf[grant] = l.Name
			for _, s := range l.Stretches() {
				if len(s.Successes) >= leastStretch {
					out = append(out, proposal{grant: grant, label: l.Name, mode: mode, known: known, file: f.Name, start: s.Start, end: s.End})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b proposal) int {
		return cmp.Or(cmp.Compare(a.grant, b.grant), a.start.Compare(b.start), cmp.Compare(a.file, b.file))
	})
	blocks := map[string]int{}
	for i := range out {
		key := out[i].grant + " " + out[i].mode
		blocks[key]++
		out[i].block = blocks[key]
	}
	return out
}

var (
	nameOff = regexp.MustCompile(`(?i)(^|[^a-z])(off|without|no[-_]?persist[a-z]*|non[-_]?persist[a-z]*)([^a-z]|$)`)
	nameOn  = regexp.MustCompile(`(?i)(^|[^a-z])(on|with|persist[a-z]*)([^a-z]|$)`)
)

// modeOf guesses from a file's name whether persistence was on.
func modeOf(path string) (mode string, known bool) {
	name := filepath.Base(path)
	switch {
	case nameOff.MatchString(name):
		return "off", true
	case nameOn.MatchString(name):
		return "on", true
	}
	return "on", false
}

var notWord = regexp.MustCompile(`[^a-z0-9]+`)

// wordOf is a label in small letters, fit for a key.
func wordOf(label string) string {
	return cmp.Or(strings.Trim(notWord.ReplaceAllString(strings.ToLower(label), "_"), "_"), "unnamed")
}

// grantOf names the grant that a label stands for: an OAuth2 grant type where
// the label holds its words, else the label itself.
func grantOf(label string) string {
	word := wordOf(label)
	for _, grant := range []struct{ sign, name string }{{"client_credential", "client_credentials"}, {"refresh", "refresh_token"}, {"password", "password"}} {
		if strings.Contains(word, grant.sign) {
			return grant.name
		}
	}
	return word
}
