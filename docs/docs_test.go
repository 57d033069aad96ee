// Package docs_test holds what the documents, the Makefile and CI say against
// the programs and against each other. Each test goes to the top of the
// repository first, where the paths begin: where a TestMain does, go test's
// cache takes the paths for others and never notices a changed file.
package docs_test

import (
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
)

// TestPrograms holds what the documents say against the programs, which take
// long to link and are built once.
func TestPrograms(t *testing.T) {
	t.Chdir("..")
	bin := buildtest.Programs(t, "exporter", "analyze")
	t.Run("names in docs", func(t *testing.T) { docsNames(t, bin) })
	t.Run("commands of the README", func(t *testing.T) { readmeCommands(t, bin) })
	t.Run("tutorial", func(t *testing.T) { tutorial(t, bin) })
	t.Run("case study", func(t *testing.T) { caseStudy(t, bin) })
}

// docsNames holds the names in docs/ and in the runbooks against the exporter:
// every flag is one of its own, and every metric, which may have a * for a group,
// is in the contract.
func docsNames(t *testing.T, bin string) {
	help, err := exec.CommandContext(t.Context(), filepath.Join(bin, "exporter"), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	var metrics []string
	for line := range strings.Lines(read(t, "exporter/testdata/metrics.prom")) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			metrics = append(metrics, name)
		}
	}
	flag := regexp.MustCompile(`--(?:no-)?((?:mysqld|cloudwatch|collector|web|config)\.[a-z0-9.-]*[a-z0-9])`)
	metric := regexp.MustCompile(`\b((?:wso2_token|mysql|rds|ec2|token_persistence_exporter)_[a-z0-9_*]+)`)
	pages := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "alerts/runbooks/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text := read(t, page)
		for _, found := range flag.FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`--(\[no-\])?` + regexp.QuoteMeta(found[1]) + `\b`).Match(help) {
				t.Errorf("%s: the exporter does not know --%s", page, found[1])
			}
		}
		for _, name := range metric.FindAllString(text, -1) {
			name = strings.TrimSuffix(name, "_bucket") // of a histogram
			known := slices.ContainsFunc(metrics, func(m string) bool {
				ok, err := path.Match(name, m)
				return err == nil && ok
			})
			if !known && !notMetrics[name] {
				t.Errorf("%s: %s is no metric of the contract", page, name)
			}
		}
	}
}

// notMetrics are words of the pages that look like metrics.
var notMetrics = map[string]bool{"ec2_instance": true, "ec2_instances": true, "rds_instance": true, "rds_set_configuration": true}
