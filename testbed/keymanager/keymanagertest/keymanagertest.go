// Package keymanagertest runs the rig's key manager for tests.
package keymanagertest

import (
	"context"
	"testing"

	"github.com/tokenpersistence/toolkit/testbed/keymanager"
)

// Serve runs a key manager until the test ends, and returns its URL. The test
// fails if the key manager does.
func Serve(tb testing.TB, config keymanager.Config) string {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- keymanager.Serve(ctx, config, func(url string) { ready <- url }) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("serve: %v", err)
		}
	})
	select {
	case url := <-ready:
		return url
	case err := <-done:
		done <- nil
		tb.Fatal(err)
		return ""
	}
}
