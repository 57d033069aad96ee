package source

import (
	"context"
	"errors"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// waits are the pauses before a busy server is asked again.
var waits = []time.Duration{200 * time.Millisecond, time.Second}

// busyServer says whether an error asks for patience: a limit on requests, or a
// proxy in front of a server that restarts.
func busyServer(err error) bool {
	e, ok := errors.AsType[*v1.Error](err)
	return ok && (strings.HasSuffix(e.Msg, ": 429") || strings.HasSuffix(e.Msg, ": 502") || strings.HasSuffix(e.Msg, ": 503"))
}

// patiently asks again where a server is busy, and gives up after a while.
func patiently(ctx context.Context, ask func() error) error {
	for _, wait := range waits {
		err := ask()
		if err == nil || !busyServer(err) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
	return ask()
}
