package sourcetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/programtest"
)

// Prometheus serves series from Debian's server until the test ends, and returns
// its URL. TOKEN_PERSISTENCE_PROMETHEUS names the directory of the program;
// without it the test is skipped, or fails where CI is set.
func Prometheus(t testing.TB, series []Series) string {
	t.Helper()
	programs := os.Getenv("TOKEN_PERSISTENCE_PROMETHEUS")
	switch {
	case programs == "" && os.Getenv("CI") == "":
		t.Skip("TOKEN_PERSISTENCE_PROMETHEUS is not set: make test sets it")
	case programs == "":
		t.Fatal("TOKEN_PERSISTENCE_PROMETHEUS must name the directory of the prometheus program")
	}
	home := t.TempDir()
	data, config := filepath.Join(home, "data"), filepath.Join(home, "prometheus.yml")
	if err := errors.Join(Write(data, series, true), os.WriteFile(config, []byte("global: {}\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	log := &programtest.Output{}
	// Its end is ordered below: the context of a test is over before the cleanup.
	server := exec.Command(filepath.Join(programs, "prometheus"), "--config.file="+config,
		"--storage.tsdb.path="+data, "--storage.tsdb.retention.time=100y", "--web.listen-address=127.0.0.1:0")
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(server.Process.Signal(syscall.SIGTERM), server.Wait()); err != nil {
			t.Errorf("prometheus: %v\n%s", err, log)
		}
	})
	return "http://" + address(t, log)
}

const ready = "Server is ready to receive web requests"

var listens = regexp.MustCompile(`address=(127\.0\.0\.1:[1-9][0-9]*)`)

// address waits until the server says that it is ready and where it listens.
func address(t testing.TB, log *programtest.Output) string {
	t.Helper()
	for range 600 {
		text := log.String()
		if found := listens.FindStringSubmatch(text); found != nil && strings.Contains(text, ready) {
			return found[1]
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("prometheus is not ready after 30 s:\n%s", log)
	return ""
}
