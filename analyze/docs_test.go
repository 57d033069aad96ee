package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocsFlags holds the flags named on the pages about a command against those
// that it has.
func TestDocsFlags(t *testing.T) {
	for page, command := range map[string]string{"ci.md": "compare", "report.md": "compare", "windows.md": "windows", "stores.md": "compare"} {
		var help, stderr strings.Builder
		if code := run(t.Context(), []string{command, "--help"}, &help, &stderr); code != 0 {
			t.Fatalf("exit status %d, %s", code, stderr.String())
		}
		text, err := os.ReadFile("../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		flags := regexp.MustCompile("[`( ]--([a-z][a-z.-]*[a-z])").FindAllStringSubmatch(string(text), -1)
		if len(flags) == 0 {
			t.Errorf("%s names no flag", page)
		}
		for _, found := range flags {
			if ofOthers[found[1]] {
				continue
			}
			name := regexp.QuoteMeta(strings.TrimPrefix(found[1], "no-"))
			if !regexp.MustCompile(`--(\[no-\])?` + name + `[= \n]`).MatchString(help.String()) {
				t.Errorf("%s: %s does not know --%s", page, command, found[1])
			}
		}
	}
}

// ofOthers are flags of the stores that our pages name.
var ofOthers = map[string]bool{"endpoint-strict": true, "query.replica-label": true}
