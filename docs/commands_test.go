package docs_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCommands holds the commands that pages give for their figures: the target
// of make, the test or benchmark of go test in its package, and the figure of
// make bench exist; so does every test that a page names. It runs none of them,
// and does not know whether a figure is still what its command prints.
func TestCommands(t *testing.T) {
	t.Chdir("..")
	tests, targets, figures := functions(t), makeTargets(t), benchFigures(t)
	commands := 0
	for name, text := range pages(t) {
		if name == "CHANGELOG.md" {
			continue // names in it are those of their time
		}
		found, wrong := brokenCommands(text, tests, targets, figures)
		commands += found
		for _, w := range wrong {
			t.Errorf("%s: %s", name, w)
		}
	}
	if commands < 100 {
		t.Errorf("%d commands on all pages: the search is at fault", commands)
	}
	rows := regexp.MustCompile(`(?m)^\| [^|]+ \| (\w+) \| .*\| (?:met|MISSED|reported)\b`).FindAllStringSubmatch(read(t, "docs/benchmarks.md"), -1)
	if len(rows) < 25 {
		t.Errorf("docs/benchmarks.md has %d figures: the search is at fault", len(rows))
	}
	for _, row := range rows {
		if !slices.Contains(figures, row[1]) {
			t.Errorf("docs/benchmarks.md: make bench has no figure %s", row[1])
		}
	}
}

// TestCommandsCanBreak has each fault that the check must find.
func TestCommandsCanBreak(t *testing.T) {
	t.Chdir("..")
	tests := map[string][]string{"TestOne": {"analyze/stats"}, "TestTwo": {"exporter"}, "BenchmarkOne": {"."}}
	page := "Prose may make anything. `make gone`, `make test` and `make bench ARGS=--only=steady,gone`\n" +
		"```sh\nmake -j2 lint\ngo test -run 'TestOne|TestGone' ./analyze/stats\ngo test -run TestOne/x ./analyze/...\n" +
		"go test -run TestTwo ./analyze\ngo test -run '^$' -bench One .\ngo test ./nowhere\n```\nTestNowhere"
	found, got := brokenCommands(page, tests, []string{"test", "bench"}, []string{"steady"})
	want := []string{
		"Makefile has no target gone", "make bench has no figure gone", "Makefile has no target lint",
		"./analyze/stats has no TestGone", "./analyze has no TestTwo", "./nowhere is no package", "TestGone does not exist", "TestNowhere does not exist",
	}
	if !slices.Equal(got, want) || found != 9 {
		t.Errorf("%d commands, wrong: %q, want 9 and %q", found, got, want)
	}
}

var (
	makeCommand = regexp.MustCompile(`\bmake (?:-\S+ )*([a-z][a-z-]*)`)
	goTest      = regexp.MustCompile("\\bgo test (?:[^\n`#|']|'[^'\n]*')*")
	onlyFigures = regexp.MustCompile(`(?:make bench |\./exporter/bench )[^\n` + "`" + `]*--only=([a-z,]+)`)
	testName    = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`)
	selection   = regexp.MustCompile(`-(run|bench) ('[^']*'|\S+)`)
	localPath   = regexp.MustCompile(`(?:^|\s)(\.(?:/\S*)?)`)
)

// brokenCommands returns how many commands a page has in its code, and what is
// wrong with them and with the tests it names.
func brokenCommands(text string, tests map[string][]string, targets, figures []string) (commands int, wrong []string) {
	blocks := fenced.FindAllString(text, -1)
	spans := code.FindAllString(fenced.ReplaceAllString(text, ""), -1)
	for _, fragment := range slices.Concat(spans, blocks) {
		for _, found := range makeCommand.FindAllStringSubmatch(fragment, -1) {
			commands++
			if !slices.Contains(targets, found[1]) {
				wrong = append(wrong, "Makefile has no target "+found[1])
			}
		}
		for _, found := range onlyFigures.FindAllStringSubmatch(fragment, -1) {
			for figure := range strings.SplitSeq(found[1], ",") {
				if !slices.Contains(figures, figure) && !strings.Contains(fragment, "--only=NAME") {
					wrong = append(wrong, "make bench has no figure "+figure)
				}
			}
		}
		for _, command := range goTest.FindAllString(fragment, -1) {
			commands++
			wrong = append(wrong, brokenGoTest(command, tests)...)
		}
	}
	for _, name := range testName.FindAllString(text, -1) {
		if tests[name] == nil {
			wrong = append(wrong, name+" does not exist")
		}
	}
	return commands, wrong
}

// brokenGoTest says what a go test command asks for in vain.
func brokenGoTest(command string, tests map[string][]string) (wrong []string) {
	selected := selection.FindAllStringSubmatch(command, -1)
	for _, found := range localPath.FindAllStringSubmatch(selection.ReplaceAllString(command, ""), -1) {
		dir, below := strings.CutSuffix(found[1], "/...")
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			wrong = append(wrong, dir+" is no package")
			continue
		}
		for _, s := range selected {
			for _, want := range unmatched(s[1], strings.Trim(s[2], "'"), path.Clean(dir), below, tests) {
				wrong = append(wrong, dir+" has no "+want)
			}
		}
	}
	return wrong
}

// unmatched returns the alternatives of a pattern of -run or -bench that no
// function of the package matches, or of those below it.
func unmatched(kind, pattern, dir string, below bool, tests map[string][]string) (none []string) {
	if pattern == "^$" {
		return nil
	}
	prefix := map[string]string{"run": "Test", "bench": "Benchmark"}[kind]
	for alternative := range strings.SplitSeq(pattern, "|") {
		first, _, _ := strings.Cut(alternative, "/")
		match := regexp.MustCompile(first)
		ok := false
		for name, dirs := range tests {
			ok = ok || strings.HasPrefix(name, prefix) && match.MatchString(name) && slices.ContainsFunc(dirs, func(d string) bool {
				return d == dir || below && strings.HasPrefix(d, dir+"/")
			})
		}
		if !ok {
			none = append(none, first)
		}
	}
	return none
}

// functions returns the folders of every test, fuzz target and benchmark by its name.
func functions(t *testing.T) map[string][]string {
	t.Helper()
	defined := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	all := map[string][]string{}
	for name, text := range texts(t, "_test.go") {
		for _, found := range defined.FindAllStringSubmatch(text, -1) {
			all[found[1]] = append(all[found[1]], path.Dir(name))
		}
	}
	return all
}

func makeTargets(t *testing.T) []string {
	t.Helper()
	return submatches(read(t, "Makefile"), `(?m)^([a-z][a-z-]*):`)
}

func benchFigures(t *testing.T) []string {
	t.Helper()
	return submatches(read(t, "exporter/bench/figures.go"), `\{"(\w+)", \w+Figure\}`)
}

// submatches returns the first group of every match.
func submatches(text, pattern string) (out []string) {
	for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out = append(out, found[1])
	}
	return out
}
