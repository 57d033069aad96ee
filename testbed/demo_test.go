package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// asTestbed makes the test binary play the testbed, for itself and for the
// processes the demo starts, which inherit it.
const asTestbed = "TOKEN_PERSISTENCE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asTestbed) != "" {
		main()
	}
	os.Exit(m.Run())
}

// bench is what the demos of one test share: a temporary directory that must be
// empty after each of them, and the programs.
type bench struct {
	tmp, exporter, analyze string
}

// newBench builds the exporter and analyze.
func newBench(t *testing.T) *bench {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the rig needs Linux")
	}
	programs := buildtest.Programs(t, "exporter", "analyze")
	// A Unix socket's path is short; the test's own directory may not be.
	tmp, err := os.MkdirTemp("", "rig") //nolint:usetesting // t.TempDir is too long for a socket path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(tmp); err != nil {
			t.Error(err)
		}
	})
	return &bench{tmp: tmp, exporter: filepath.Join(programs, "exporter"), analyze: filepath.Join(programs, "analyze")}
}

// demo returns the command of a small demo that writes to out.
func (b *bench) demo(out string, more ...string) *exec.Cmd {
	args := append([]string{
		"demo", "--out", out, "--exporter", b.exporter, "--analyze", b.analyze, "--pairs", "1", "--warmup", "0s", "--measure", "2s", "--users", "20",
	}, more...)
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asTestbed+"=1", "TMPDIR="+b.tmp)
	return cmd
}

// nothingLeft fails when a process with the bench's temporary directory in its
// environment runs, or when something is in that directory.
func (b *bench) nothingLeft(t *testing.T, when string) {
	t.Helper()
	for _, pid := range b.processes(t) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		t.Errorf("%s: process %d still runs: %q", when, pid, text)
	}
	left, err := os.ReadDir(b.tmp)
	if err != nil || len(left) > 0 {
		t.Errorf("%s: left in the temporary directory: %v, %v", when, left, err)
	}
}

// processes lists the living processes of the bench's demos.
func (b *bench) processes(t *testing.T) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(text, []byte("TMPDIR="+b.tmp)) {
			continue // gone, or somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// sweep removes what a killed demo had to leave.
func (b *bench) sweep(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(b.tmp, "*"))
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err != nil {
		t.Error(err)
	}
}

// needServer skips, or fails where CI is set, without a database server.
func needServer(t *testing.T) {
	t.Helper()
	s, err := mysqltest.Start(canceledContext(), mysqltest.Config{})
	if err == nil {
		_ = s.Stop()
	}
	if errors.Is(err, mysqltest.ErrNoServer) {
		mysqltest.Run(t, mysqltest.Config{})
	}
}

func canceledContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestDemo runs whole demos: to their end, and into every kind of interruption.
func TestDemo(t *testing.T) {
	needServer(t)
	b := newBench(t)
	t.Run("to its end", b.toItsEnd)
	t.Run("interrupted", b.interrupted)
	t.Run("killed", b.killed)
	t.Run("serving", b.serving)
	t.Run("on the user's server", b.onTheirServer)
}

func (b *bench) toItsEnd(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	cmd := b.demo(out)
	cmd.Env = append(cmd.Env, mysqltest.TemplatesVariable+"=") // as a user runs it
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b.nothingLeft(t, "after a demo")
	for _, want := range []string{
		"Demonstration rig: not evidence about API Manager", "client_credentials", "pair 1/1", "INCONCLUSIVE", "agree", "Kept in " + out,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if n := strings.Count(string(text), "  agree\n"); n != 6 || strings.Contains(string(text), "DIFFER") {
		t.Errorf("%d of 6 counts agree:\n%s", n, text)
	}
	for _, name := range []string{
		"report.html", "report.json", "report.txt", "experiment.yaml", "rig.json", "tsdb/wal", "logs/exporter.log",
		"jtl/client_credentials-on-1.jtl", "jtl/password-off-warmup.jtl", "jtl/refresh_token-on-1-prepare.jtl",
	} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Errorf("not kept: %v", err)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	b.recorded(t, out)
	b.packed(t, out)
}

// interrupted sends signals when the output reaches a moment.
func (b *bench) interrupted(t *testing.T) {
	for _, c := range []struct {
		name, moment string
		fresh        bool // system tables are made, not copied
		signals      []syscall.Signal
		more         []string
	}{
		{"while the database initialises", "pairs of windows", true, []syscall.Signal{syscall.SIGINT}, nil},
		{"while key managers start", "database  ", false, []syscall.Signal{syscall.SIGTERM}, nil},
		{"while the exporter starts", "users  ", false, []syscall.Signal{syscall.SIGINT}, nil},
		{"in a warm-up, twice", "client_credentials", false, []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, nil},
		{"between windows", "pair 1/2", false, []syscall.Signal{syscall.SIGHUP}, []string{"--pairs", "2", "--grants", "refresh_token"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := b.demo(filepath.Join(t.TempDir(), "results"), c.more...)
			if c.fresh {
				cmd.Env = append(cmd.Env, mysqltest.TemplatesVariable+"=")
			}
			status := untilMoment(t, cmd, c.moment, c.signals)
			if status != statusInterrupted {
				t.Errorf("exit status %d, want %d", status, statusInterrupted)
			}
			b.nothingLeft(t, c.name)
		})
	}
}

// untilMoment runs cmd, sends the signals when a line contains moment, and
// returns the exit status.
func untilMoment(t *testing.T, cmd *exec.Cmd, moment string, signals []syscall.Signal) int {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !seen && strings.Contains(lines.Text(), moment) {
			seen = true
			for _, s := range signals {
				if err := cmd.Process.Signal(s); err != nil {
					t.Error(err)
				}
			}
		}
	}
	err = cmd.Wait()
	if !seen {
		t.Fatalf("%q was never printed: %v\n%s", moment, err, stderr.String())
	}
	t.Logf("%s", strings.TrimSpace(stderr.String()))
	return cmd.ProcessState.ExitCode()
}

// killed is the end nobody can handle: the processes must go with the testbed.
// The database directory stays.
func (b *bench) killed(t *testing.T) {
	untilMoment(t, b.demo(filepath.Join(t.TempDir(), "results")), "exporter  ", []syscall.Signal{syscall.SIGKILL})
	var left []int
	for range 500 {
		if left = b.processes(t); len(left) == 0 {
			b.sweep(t)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("processes %v outlived the killed testbed", left)
}

// serving stays up until interrupted.
func (b *bench) serving(t *testing.T) {
	cmd := b.demo(filepath.Join(t.TempDir(), "results"), "--serve", "--grants", "client_credentials")
	if status := untilMoment(t, cmd, "Serving until Ctrl-C", []syscall.Signal{syscall.SIGINT}); status != statusDone {
		t.Errorf("exit status %d, want 0: the work was done", status)
	}
	b.nothingLeft(t, "after serving")
}

// onTheirServer uses the user's own database, and a fixed offered rate.
func (b *bench) onTheirServer(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	out := filepath.Join(t.TempDir(), "results")
	cmd := b.demo(out, "--grants", "password", "--rate", "20", "--preload", "1000")
	cmd.Env = append(cmd.Env, dsnVariable+"="+server.DSN("theirs"))
	titles := b.titles(t)
	text, err := cmd.CombinedOutput()
	seen := titles()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b.nothingLeft(t, "after a demo on another server")
	keepsNoSecret(t, server.Open(t, "theirs"), server.Password, string(text), seen, out)
	experiment, err := os.ReadFile(filepath.Join(out, "experiment.yaml"))
	if err != nil || !strings.Contains(string(experiment), "load: rate") {
		t.Errorf("the experiment does not say that the rate was fixed: %v\n%s", err, experiment)
	}
	var tokens int
	if err := server.Open(t, "theirs").QueryRowContext(t.Context(), "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN").Scan(&tokens); err != nil {
		t.Fatal(err)
	}
	if tokens <= 1000 || tokens > 1000+20*5 {
		t.Errorf("%d tokens after a preload of 1000 and 20 per second", tokens)
	}
}

func TestWrongCommands(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "usage: testbed demo"},
		{[]string{"dmeo"}, `unknown command "dmeo"`},
		{[]string{"demo", "--pears", "3"}, "-pears"},
		{[]string{"pack", "only-one"}, "a new folder for its copy"},
		{[]string{"demo", "more"}, `unexpected argument "more"`},
		{[]string{"demo", "--out", t.TempDir(), "--pairs", "0"}, "--pairs 0: want 1"},
		{[]string{"demo", "--grants", "implicit"}, "--grants"},
		{[]string{"demo", "--cpus-db", "x"}, "CPU list"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), c.args, strings.NewReader(""), &stdout, &stderr); status != statusUsage || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: status %d, stderr %q; want 2 and %q", c.args, status, stderr.String(), c.want)
		}
	}
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"demo", "--help"}, nil, &stdout, &stderr); status != statusDone || !strings.Contains(stdout.String(), "-preload") {
		t.Errorf("--help: status %d, %q, %q", status, stdout.String(), stderr.String())
	}
}

func TestChildrenRefuseNonsense(t *testing.T) {
	for _, name := range []string{"keymanager", "users"} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{name}, strings.NewReader("nonsense"), &stdout, &stderr); status != statusFailed {
			t.Errorf("%s: status %d, %q", name, status, stderr.String())
		}
		if !slices.Contains(strings.Fields(stderr.String()), "read") {
			t.Errorf("%s: %q does not say what it was doing", name, stderr.String())
		}
	}
}
