// Package programtest runs programs that others wrote for tests that need the
// real ones: servers on loopback addresses which end with the test and show
// what they printed when it fails. It waits for what a program does, never for
// a time.
//
//	_, out := programtest.Launch(t, nil, exec.Command("prometheus", …))
//	programtest.Eventually(t, "it is ready", time.Minute, func() error { … })
package programtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/child"
)

// Output collects what a program prints while it runs.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to it.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is what was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Launch starts a program, confined to cpus unless nil, that ends with the test;
// its output is shown when the test fails.
func Launch(tb testing.TB, cpus []int, cmd *exec.Cmd) (*child.Process, *Output) {
	tb.Helper()
	out := &Output{}
	cmd.Stdout, cmd.Stderr = out, out
	p, err := child.Start(cmd, cpus)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Stop(20 * time.Second); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			tb.Logf("%s:\n%s", filepath.Base(cmd.Path), out)
		}
	})
	return p, out
}

// Eventually waits until try succeeds.
func Eventually(tb testing.TB, what string, limit time.Duration, try func() error) {
	tb.Helper()
	var err error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	tb.Fatalf("%s: not within %s: %v", what, limit, err)
}

// Get returns the body of a 200.
func Get(address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", address, res.Status, body)
	}
	return body, err
}

// FreeAddress finds a loopback address that was free a moment ago.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		tb.Fatal(err)
	}
	return address
}
