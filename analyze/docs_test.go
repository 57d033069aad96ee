package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocsFlags holds the flags named on the pages about the report against
// those of compare.
func TestDocsFlags(t *testing.T) {
	var help, stderr strings.Builder
	if code := run(t.Context(), []string{"compare", "--help"}, &help, &stderr); code != 0 {
		t.Fatalf("exit status %d, %s", code, stderr.String())
	}
	for _, page := range []string{"ci.md", "report.md"} {
		text, err := os.ReadFile("../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		flags := regexp.MustCompile("[`( ]--([a-z][a-z-]*)").FindAllStringSubmatch(string(text), -1)
		if len(flags) == 0 {
			t.Errorf("%s names no flag", page)
		}
		for _, found := range flags {
			name := regexp.QuoteMeta(strings.TrimPrefix(found[1], "no-"))
			if !regexp.MustCompile(`--(\[no-\])?` + name + `[= \n]`).MatchString(help.String()) {
				t.Errorf("%s: compare does not know --%s", page, found[1])
			}
		}
	}
}
