package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTax runs a short study of one grant: every figure is there and possible.
// Whether the interval contains what disappears is for a longer run on a quiet
// machine to say.
func TestTax(t *testing.T) {
	needServer(t)
	b := newBench(t)
	cmd := b.demo(filepath.Join(t.TempDir(), "results"), "--grants", "refresh_token")
	cmd = &exec.Cmd{Path: cmd.Path, Args: append([]string{cmd.Args[0], "tax"}, cmd.Args[2:]...), Env: cmd.Env}
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b.nothingLeft(t, "after a study")
	row := regexp.MustCompile(`refresh_token +\d+ / \d+ +0\.\d{3} \(0\.\d{3} to 0\.\d{3}\) +[01]\.\d{3} +statement time \[0\.\d{3}, [01]\.\d{3}\] +(yes|no)`)
	if !row.Match(text) || !strings.Contains(string(text), "of its statement time revocation") {
		t.Errorf("no figures:\n%s", text)
	}
}
