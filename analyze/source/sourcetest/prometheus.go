package sourcetest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
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
	log := &lockedBuffer{}
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

var (
	listens = regexp.MustCompile(`address=(127\.0\.0\.1:[1-9][0-9]*)`)
	ready   = []byte("Server is ready to receive web requests")
)

// address waits until the server says that it is ready and where it listens.
func address(t testing.TB, log *lockedBuffer) string {
	t.Helper()
	for range 600 {
		text := log.Bytes()
		if found := listens.FindSubmatch(text); found != nil && bytes.Contains(text, ready) {
			return string(found[1])
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("prometheus is not ready after 30 s:\n%s", log)
	return ""
}

// lockedBuffer may be read while a process writes to it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// Bytes is a copy of what was written so far.
func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.text.Bytes())
}

func (b *lockedBuffer) String() string { return string(b.Bytes()) }
