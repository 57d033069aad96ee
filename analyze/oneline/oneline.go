// Package oneline makes text from elsewhere safe to print: names, labels and
// queries come from files and servers, and must not steer a terminal.
//
//	oneline.Text("a\x1b[31m\nb") // "a\ufffd[31m b"
package oneline

import (
	"strings"
	"unicode"
)

// Text is a text on one line: other white space becomes a space, what has no
// picture (control and format characters, broken UTF-8) the replacement
// character.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
