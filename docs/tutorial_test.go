package docs_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tutorial runs the blocks of docs/tutorial.md in their order, as a reader would
// who has built the programs, in a folder of its own. The block of text below a
// block of commands is its output; lines that are an ellipsis stand for any number of lines.
func tutorial(t *testing.T, bin string) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	docs, err := filepath.Abs("docs")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"bin": bin, "docs": docs} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```\n(?:```text\n(.*?)```\n)?").FindAllStringSubmatch(read(t, "docs/tutorial.md"), -1)
	shown := 0
	for _, block := range blocks {
		command, want := block[1], block[2]
		if target, ok := strings.CutPrefix(command, "make "); ok { // the programs are built
			if out, err := exec.CommandContext(t.Context(), "make", "-n", strings.TrimSpace(target)).CombinedOutput(); err != nil {
				t.Errorf("make %s: %v\n%s", target, err, out)
			}
			continue
		}
		out, err := inShell(t, dir, strings.ReplaceAll(command, "127.0.0.1:9851", address))
		if err != nil {
			t.Errorf("%s%v\n%s", command, err, out)
		}
		if want == "" {
			continue
		}
		shown++
		if missing, ok := follows(out, want); !ok {
			t.Errorf("%sdoes not print\n%s\nin its place; it prints\n%s", command, missing, out)
		}
	}
	if shown < 7 {
		t.Errorf("only %d blocks have an output: the search is at fault", shown)
	}
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// inShell runs commands and returns what they print. All that they started ends
// with them.
func inShell(t *testing.T, dir, commands string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "COLUMNS=80")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.Output()
	return string(out), err
}

// follows says whether a text has the lines wanted, one after the other, and else
// which one is missing. A line that is an ellipsis lets lines pass until the
// next one wanted.
func follows(text, want string) (missing string, ok bool) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	skip := false
	for line := range strings.Lines(want) {
		line = strings.TrimRight(line, "\n")
		if line == "…" {
			skip = true
			continue
		}
		at := slices.Index(lines, line)
		if at < 0 || at > 0 && !skip {
			return line, false
		}
		lines, skip = lines[at+1:], false
	}
	if len(lines) > 0 && !skip {
		return "the end, before " + lines[0], false
	}
	return "", true
}

// TestFollows: an output that differs from the page is noticed.
func TestFollows(t *testing.T) {
	const text = "a\nb\nc\n\nd\n"
	for want, ok := range map[string]bool{
		"a\nb\nc\n\nd\n": true, "a\n…\nd\n": true, "…\nc\n…\n": true, "…\nd\n": true, "a\nb\n…\n": true,
		"a\nc\n…\n": false, "b\n…\n": false, "…\nc\n": false, "a\nb\nc\n": false, "…\nd\n…\na\n": false, "…\ne\n…\n": false,
	} {
		if missing, got := follows(text, want); got != ok {
			t.Errorf("%q: %v (%s), want %v", want, got, missing, ok)
		}
	}
}
