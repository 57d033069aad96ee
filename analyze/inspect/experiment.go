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

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// proposal is a window that an experiment file could declare.
type proposal struct {
	grant, label, mode, name string
	files                    []string
	known                    bool // the mode was read from names
	block                    int
	load                     Stretch

	// Of the runs of a tree.
	key     string    // the same for windows whose names make them a pair
	partner *proposal // nil: none yet
	guessed bool      // the partner is the next in the order of time
}

// header is what stands above the windows.
type header struct {
	by       string   // what the proposal was made by
	notes    []string // besides those of every proposal
	users    string   // "" when nothing told
	warmedUp bool     // the warm-up was cut off already
}

// Experiment writes an experiment file to start from: a window for every
// stretch of load. Whether persistence was on is guessed from the names of the
// files; where they do not say, a comment asks. Comments also count what was
// not read. Times without a zone are a *source.SpecError, because a window
// cannot be laid against them.
func Experiment(w io.Writer, files []File) error {
	windows := propose(files)
	if len(windows) == 0 && !local(files) {
		return fmt.Errorf("no label has load for %d s without a silence of %d s: there is no window to propose", leastStretch, newStretch)
	}
	return write(w, header{by: "analyze inspect"}, files, windows)
}

func local(files []File) bool {
	return slices.ContainsFunc(files, func(f File) bool { return f.Local != "" })
}

// write writes the experiment file.
func write(w io.Writer, head header, files []File, windows []proposal) error {
	for _, f := range files {
		if f.Local != "" {
			return &source.SpecError{Text: cut(f.Local, 200) + ", so no window can name it: give the files to compare with --on and --off, or set -Jjmeter.save.saveservice.timestamp_format=ms and measure again"}
		}
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Proposed by %s. Check every window: its grant, whether persistence\n# was on, and which two windows form a pair (block).\n", head.by)
	for _, note := range slices.Concat(head.notes, notes(files, windows)) {
		fmt.Fprintf(b, "# %s\n", cut(note, 200))
	}
	fmt.Fprintf(b, "title: Token persistence\nload: closed # or rate\n")
	if head.users != "" {
		fmt.Fprintf(b, "environment: {users: %s}\n", head.users)
	}
	if head.warmedUp {
		fmt.Fprintf(b, "warmup: 0s # it was cut off these files\n")
	} else {
		fmt.Fprintf(b, "warmup: %s\n", warmup(windows))
	}
	fmt.Fprintf(b, "labels:\n")
	for i, p := range windows {
		if i == 0 || p.grant != windows[i-1].grant {
			fmt.Fprintf(b, "  %s: %s\n", p.grant, strconv.Quote(p.label))
		}
	}
	fmt.Fprintf(b, "windows:\n")
	for _, p := range windows {
		fmt.Fprintf(b, "  - {grant: %s, persistence: %s, block: %d, start: %s, end: %s, jtl: [%s]}%s\n",
			p.grant, p.mode, p.block, p.load.Start.Format(time.RFC3339), p.load.End.Format(time.RFC3339), p.quoted(), p.ask())
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write the experiment file: %w", err)
	}
	return nil
}

// quoted lists the files of a window.
func (p proposal) quoted() string {
	quoted := make([]string, len(p.files))
	for i, file := range p.files {
		quoted[i] = strconv.Quote(file)
	}
	return strings.Join(quoted, ", ")
}

// ask is the comment on what is a guess.
func (p proposal) ask() string {
	switch {
	case !p.known:
		return " # was persistence on?"
	case p.guessed:
		return " # is this the pair? names do not tell, the order of time does"
	}
	return ""
}

// notes are what a reader of the proposal has to know: what MSER-5 suggests as a
// warm-up, and what of the files is not in it.
func notes(files []File, windows []proposal) []string {
	var beginnings warmups
	for _, p := range windows {
		beginnings.add(p.load)
	}
	var out []string
	for _, text := range beginnings.says() {
		out = append(out, "Warm-up: "+text+".")
	}
	for _, f := range files {
		if f.BadRows > 0 {
			out = append(out, cut(fmt.Sprintf("%s: %d of %d rows could not be read, for example %s", f.Name, f.BadRows, f.Rows, f.BadLines[0]), 200))
		}
		if f.More {
			out = append(out, cut(fmt.Sprintf("%s: %d rows are of more labels than were looked at", f.Name, f.others()), 200))
		}
	}
	return out
}

// warmup is two minutes, of short windows a fifth of the shortest.
func warmup(windows []proposal) time.Duration {
	least := 2 * time.Minute
	for _, p := range windows {
		least = min(least, (p.load.End.Sub(p.load.Start) / 5).Truncate(time.Second))
	}
	return least
}

// propose lists the windows by grant and time. Within a grant and mode they are
// numbered, so that the first on and the first off window form a pair.
func propose(files []File) []proposal {
	var out []proposal
	labelOf := map[string]string{} // of a grant: an experiment file names one
	for _, f := range files {
		mode, known := modeOf(f.Name)
		for _, l := range f.fullest() {
			grant := grantOf(l.Name)
			if taken, ok := labelOf[grant]; ok && taken != l.Name {
				grant = wordOf(l.Name)
			}
			labelOf[grant] = l.Name
			for _, s := range Stretches(l) {
				if len(s.Successes) >= leastStretch {
					out = append(out, proposal{grant: grant, label: l.Name, mode: mode, known: known, name: f.Name, files: []string{f.Name}, load: s})
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b proposal) int {
		return cmp.Or(cmp.Compare(a.grant, b.grant), a.load.Start.Compare(b.load.Start), cmp.Compare(a.name, b.name))
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
