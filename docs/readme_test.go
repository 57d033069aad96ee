package docs_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/markdown"
)

// commands returns the commands of the README's sh blocks, continuation lines
// joined.
func commands(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, block := range markdown.Blocks(read(t, "README.md"), "sh") {
		out = append(out, markdown.Commands(block)...)
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// texts returns the text of every file of ours whose name ends so, by its path
// below the root. What a run or the build left behind is none of ours.
func texts(t *testing.T, end string) map[string]string {
	t.Helper()
	left := []string{"bin", "demo-results", "study-results", "dist"}
	all := map[string]string{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || slices.Contains(left, name)) {
			return fs.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(name, end) {
			all[filepath.ToSlash(name)] = read(t, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestInstallPage: docs/install.md says word for word what the README says of
// the three ways, which make test-install runs.
func TestInstallPage(t *testing.T) {
	t.Chdir("..")
	page := read(t, "docs/install.md")
	section := markdown.Section(read(t, "README.md"), "## Use it on your own system")
	for _, way := range []string{"Native", "Container", "Deb"} {
		_, after, _ := strings.Cut(section, "**"+way+"**")
		blocks := markdown.Blocks(after, "sh")
		if len(blocks) == 0 || !slices.Contains(markdown.Blocks(markdown.Section(page, "## "+way), "sh"), blocks[0]) {
			t.Errorf("docs/install.md, %s, has other commands than the README", way)
		}
	}
}

// readmeCommands holds the README's commands against the programs: make
// targets exist, flags are known, and two commands that need nothing are run.
func readmeCommands(t *testing.T, bin string) {
	all := commands(t)
	for _, must := range []string{"make demo", "make test"} {
		if !slices.Contains(all, must) {
			t.Errorf("the README does not say %q", must)
		}
	}
	flag := regexp.MustCompile(`--[a-z][a-z0-9.-]*`)
	program := regexp.MustCompile(`\bbin/(\w+)( [a-z]+\b)?`)
	// Of these only `make test-install` says whether they work: it runs them, with
	// docker and systemctl played.
	elsewhere := regexp.MustCompile(`^(MYSQLD_EXPORTER_PASSWORD=… )?(curl|docker|sudo|token-persistence-analyze) `)
	for _, command := range all {
		if elsewhere.MatchString(command) {
			continue
		}
		if target, ok := strings.CutPrefix(command, "make "); ok {
			args := append([]string{"-n"}, strings.Fields(target)...)
			if out, err := exec.CommandContext(t.Context(), "make", args...).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", command, err, out)
			}
			continue
		}
		found := program.FindStringSubmatch(command)
		if found == nil {
			t.Errorf("the README's command %q is neither make nor one of our programs", command)
			continue
		}
		path, subcommand := filepath.Join(bin, found[1]), strings.TrimSpace(found[2])
		args := slices.DeleteFunc([]string{subcommand, "--help"}, func(s string) bool { return s == "" })
		help, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s %v: %v\n%s", found[1], args, err, help)
		}
		for _, name := range flag.FindAllString(command, -1) {
			if !strings.Contains(string(help), name+"=") && !strings.Contains(string(help), name+" ") {
				t.Errorf("%s %s does not know %s", found[1], subcommand, name)
			}
		}
	}
	for _, args := range [][]string{{"exporter", "metrics"}, {"analyze", "reference"}} {
		if !slices.Contains(all, "bin/"+strings.Join(args, " ")) {
			t.Errorf("the README does not say bin/%s", strings.Join(args, " "))
		}
		if out, err := exec.CommandContext(t.Context(), filepath.Join(bin, args[0]), args[1:]...).CombinedOutput(); err != nil || len(out) == 0 {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestReadmeNamesEveryTarget: what make can do is in the README, and CI does
// nothing else.
func TestReadmeNamesEveryTarget(t *testing.T) {
	t.Chdir("..")
	readme, makefile := read(t, "README.md"), read(t, "Makefile")
	targets := regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(makefile, -1)
	if len(targets) < 20 {
		t.Fatalf("only %d targets of the Makefile say what they do", len(targets))
	}
	for _, found := range targets {
		if !regexp.MustCompile("make " + found[1] + "[`\\s]").MatchString(readme) {
			t.Errorf("the README does not name make %s", found[1])
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^make (.+)$`).FindAllStringSubmatch(read(t, ".ci/run"), -1) {
		for word := range strings.FieldsSeq(line[1]) {
			if !strings.HasPrefix(word, "-") && !strings.Contains(readme, "`make "+word+"`") {
				t.Errorf(".ci/run makes %s, which the README does not name", word)
			}
		}
	}
}
