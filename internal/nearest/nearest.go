// Package nearest finds the name that somebody who mistyped it probably meant.
//
//	nearest.Name("warmpu", []string{"warmup", "windows"}) // "warmup", true
package nearest

import (
	"slices"
	"strings"
)

// Name returns the name with the fewest edits from word, the first of several.
// It finds none when more than half of the word would have to change.
func Name(word string, names []string) (string, bool) {
	best, distance := "", len(word)/2+1
	for _, name := range names {
		if d := edits(word, name); d < distance {
			best, distance = name, d
		}
	}
	return best, best != ""
}

// Hint is what to say to somebody who wrote word: the name that was probably
// meant, else all of them, sorted.
func Hint(word string, names []string) string {
	if best, ok := Name(strings.ToLower(word), names); ok {
		return "did you mean " + best + "?"
	}
	return "valid are " + strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ", ")
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
