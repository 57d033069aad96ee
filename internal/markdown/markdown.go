// Package markdown finds the fenced blocks of our own pages, so that tests can
// run what the pages say. It knows no more of Markdown than those pages use: a
// fence of three backquotes with a language, at the beginning of a line.
//
//	for _, block := range markdown.Blocks(page, "sh") {
//		for _, command := range markdown.Commands(block) { … }
//	}
package markdown

import (
	"regexp"
	"strings"
)

// Blocks returns the texts of a page's fenced blocks of one language, in their
// order.
func Blocks(page, language string) []string {
	var out []string
	fence := regexp.MustCompile("(?ms)^```" + regexp.QuoteMeta(language) + "\n(.*?)^```$")
	for _, found := range fence.FindAllStringSubmatch(page, -1) {
		out = append(out, found[1])
	}
	return out
}

// Commands returns the commands of a block of sh, one per line, with
// continuation lines joined and comments left where they are.
func Commands(block string) []string {
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(block, "\\\n", " ")), "\n")
}

// Section returns what is below a heading, which is given with its number signs,
// up to the next heading of its level; empty where there is none.
func Section(page, heading string) string {
	_, after, _ := strings.Cut("\n"+page, "\n"+heading+"\n")
	level, _, _ := strings.Cut(heading, " ")
	text, _, _ := strings.Cut(after, "\n"+level+" ")
	return text
}
