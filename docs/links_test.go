package docs_test

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestLinks follows every link of every page in Markdown: files and the headings
// within them exist, and addresses elsewhere have the form of one. Nothing is
// fetched: a test must not fail because somebody else's server is down.
func TestLinks(t *testing.T) {
	t.Chdir("..")
	all := pages(t)
	anchors := map[string][]string{}
	for name, text := range all {
		anchors[name] = headings(text)
	}
	checked := 0
	for name, text := range all {
		for _, target := range links(text) {
			checked++
			if err := checkLink(name, target, anchors); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if len(all) < 90 || checked < 250 {
		t.Errorf("%d links on %d pages: the search is at fault", checked, len(all))
	}
}

// TestLinksCanBreak has a page for each fault that the check must find.
func TestLinksCanBreak(t *testing.T) {
	page := "# One `two`: three\n## One\n### One\n```sh\n# no heading\n[no](link)\n```\n" +
		"[a](docs/gone.md) `[no](link)` [b](README.md#gone) [c](#gone) [d](https://nowhere) ![e](docs/gone.png)\n" +
		"[f](#one-two-three) [g](#one-1) [h](README.md#one) [i](https://wso2.com/x) [j](http://wso2.com) [k](/etc/passwd)\n"
	anchors := map[string][]string{"README.md": headings(page)}
	var wrong []string
	for _, target := range links(page) {
		if err := checkLink("README.md", target, anchors); err != nil {
			wrong = append(wrong, target)
		}
	}
	want := []string{"docs/gone.md", "README.md#gone", "#gone", "https://nowhere", "docs/gone.png", "http://wso2.com", "/etc/passwd"}
	if !slices.Equal(wrong, want) {
		t.Errorf("wrong: %q, want %q", wrong, want)
	}
}

// TestIndex holds that docs/README.md leads to every page in docs/, and the index of
// the decisions to every decision.
func TestIndex(t *testing.T) {
	t.Chdir("..")
	all := pages(t)
	listed := links(all["docs/README.md"])
	for name := range all {
		page, ok := strings.CutPrefix(name, "docs/")
		if ok && page != "README.md" && path.Dir(page) == "." && !slices.Contains(listed, page) {
			t.Errorf("docs/README.md does not lead to %s", page)
		}
	}
	listed = links(all["docs/decisions/README.md"])
	for name := range all {
		if page, ok := strings.CutPrefix(name, "docs/decisions/"); ok && page != "README.md" && !slices.Contains(listed, page) {
			t.Errorf("docs/decisions/README.md does not lead to %s", page)
		}
	}
}

// pages returns the text of every page in Markdown by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	return texts(t, ".md")
}

var (
	fenced   = regexp.MustCompile("(?ms)^ *(```+|~~~+)[^\n]*\n.*?^ *(```+|~~~+) *$")
	code     = regexp.MustCompile("`+[^`\n]+`+")
	linked   = regexp.MustCompile(`\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)(?: "[^"]*")?\)`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#*$`)
	linkText = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// links returns the targets of a page's links and pictures; what stands in code
// is none.
func links(text string) []string {
	text = code.ReplaceAllString(fenced.ReplaceAllString(text, ""), "")
	var targets []string
	for _, found := range linked.FindAllStringSubmatch(text, -1) {
		targets = append(targets, found[1])
	}
	return targets
}

// headings returns the anchors of a page's headings as GitHub and GitLab make
// them: lower case, letters, digits, hyphens and underscores, a hyphen for each
// space, and a number for what was there before.
func headings(text string) []string {
	var anchors []string
	seen := map[string]int{}
	for _, found := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		title := linkText.ReplaceAllString(found[1], "$1")
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, title)
		if n := seen[anchor]; n > 0 {
			anchors = append(anchors, fmt.Sprintf("%s-%d", anchor, n))
		} else {
			anchors = append(anchors, anchor)
		}
		seen[anchor]++
	}
	return anchors
}

// checkLink says what is wrong with a link of a page.
func checkLink(page, target string, anchors map[string][]string) error {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", target, err)
	case u.Scheme == "https":
		if !strings.Contains(u.Host, ".") || strings.HasSuffix(u.Host, ".") || u.User != nil {
			return fmt.Errorf("%s: no address that anybody could open", target)
		}
		return nil
	case u.Scheme != "":
		return fmt.Errorf("%s: want https", target)
	case strings.HasPrefix(u.Path, "/"):
		return fmt.Errorf("%s: want a path relative to the page", target)
	}
	name := page
	if u.Path != "" {
		name = path.Join(path.Dir(page), u.Path)
		if _, err := os.Stat(filepath.FromSlash(name)); err != nil {
			return err
		}
	}
	if u.Fragment == "" {
		return nil
	}
	if !slices.Contains(anchors[name], u.Fragment) {
		return fmt.Errorf("%s: no heading of %s has this anchor; it has %q", target, name, anchors[name])
	}
	return nil
}
