package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

// TestUsersInterrupted presses Ctrl-C: the file is whole and its size is said.
func TestUsersInterrupted(t *testing.T) {
	var requests atomic.Int64
	enough := make(chan struct{})
	base, ca := secure(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 300 {
			close(enough)
		}
		fmt.Fprint(w, `{"access_token":"x"}`)
	}))
	out := filepath.Join(t.TempDir(), "r.jtl")
	cmd := exec.Command(os.Args[0], "users", "--url", base+"/oauth2/token", "--ca", ca, "--credentials", credentialsFile(t, credentials.Make(1, 0)),
		"--users", "3", "--duration", "1h", "--out", out)
	cmd.Env = append(os.Environ(), asTestbed+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Error("no load")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // the exit status is checked
	rows := rowsOf(t, out)
	if cmd.ProcessState.ExitCode() != statusInterrupted || int64(rows) != requests.Load()-1 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit status %d, %d rows of %d requests, %s", cmd.ProcessState.ExitCode(), rows, requests.Load(), stderr.String())
	}
	if !strings.Contains(stdout.String(), fmt.Sprintf("%s, %d rows", out, rows)) {
		t.Errorf("summary of %d rows:\n%s", rows, stdout.String())
	}
}

// TestWatch holds the end of a load that brings nothing, without waiting.
func TestWatch(t *testing.T) {
	var cause error
	tokens, failures := int64(0), int64(0)
	start := time.Unix(1_000_000, 0)
	var out bytes.Buffer
	w := &watch{
		out: &out, show: true, start: start, length: 10 * time.Minute, lastToken: start,
		seen: func() (int64, int64) { return tokens, failures }, give: func(err error) { cause = err },
	}
	for second, c := range []struct{ tokens, failures int64 }{{0, 0}, {5, 0}, {5, 9}} {
		tokens, failures = c.tokens, c.failures
		w.look(start.Add(time.Duration(second) * time.Second))
	}
	w.look(start.Add(50 * time.Second))
	if cause != nil {
		t.Errorf("gave up: %v", cause)
	}
	w.look(start.Add(62 * time.Second))
	if cause == nil {
		t.Error("did not give up after a minute of failures")
	}
	lines := strings.Split(out.String(), "\r")
	if !slices.ContainsFunc(lines, regexp.MustCompile(`^   10 %  1m2s of 10m0s  5 tokens, 0/s, 9 failures *$`).MatchString) {
		t.Errorf("progress %q", lines)
	}
	// Silence without failures is a request limit's business, not ours.
	cause, w.lastToken, w.failures = nil, start, failures
	if w.look(start.Add(time.Hour)); cause != nil {
		t.Errorf("gave up without a failure: %v", cause)
	}
}
