package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// suggest returns a hint with the flag that is most like the first one on the
// command line that does not exist, or nothing.
func suggest(app *kingpin.ApplicationModel, args []string) string {
	known := map[string]bool{}
	var names []string
	for _, f := range app.Flags {
		known[f.Name] = true
		names = append(names, f.Name)
		if f.IsBoolFlag() {
			known["no-"+f.Name] = true
			names = append(names, "no-"+f.Name)
		}
	}
	for _, arg := range args {
		if arg == "--" {
			break
		}
		name, isFlag := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		if !isFlag || known[name] {
			continue
		}
		if best, ok := nearest(name, names); ok {
			return fmt.Sprintf("; did you mean --%s?", best)
		}
		break
	}
	return "; see exporter --help"
}

// nearest returns the name with the fewest edits from word, unless more than
// half of the word would have to change.
func nearest(word string, names []string) (string, bool) {
	best, distance := "", len(word)/2+1
	for _, name := range names {
		if d := edits(word, name); d < distance {
			best, distance = name, d
		}
	}
	return best, best != ""
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
