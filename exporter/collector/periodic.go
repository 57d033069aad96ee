package collector

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// latest is what the last background pass of a collector brought, for the
// scrapes until the next one. A pass that failed takes back what the one before
// had read.
type latest struct {
	first chan struct{} // closed by the first pass

	mu      sync.Mutex
	metrics []prometheus.Metric
	err     error
}

func newLatest() *latest { return &latest{first: make(chan struct{})} }

// put ends a pass.
func (l *latest) put(metrics []prometheus.Metric, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.metrics, l.err = metrics, err
	select {
	case <-l.first:
	default:
		close(l.first)
	}
}

// get returns the result of the last pass. Scrapes that come before the first
// one has ended wait for it.
func (l *latest) get(ctx context.Context) ([]prometheus.Metric, error) {
	ctx, cancel := WithMargin(ctx)
	defer cancel()
	select {
	case <-l.first:
	case <-ctx.Done():
		return nil, fmt.Errorf("the first reading has not ended: %w", ctx.Err())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.metrics, l.err
}

// retryInterval is the longest wait after a pass that failed, so that a
// collector with a long interval is green again soon after its source is.
const retryInterval = 10 * time.Second

// repeat runs pass at once and then every interval until ctx ends, sooner after
// a failure.
func repeat(ctx context.Context, interval time.Duration, pass func(context.Context) error) {
	for {
		wait := interval
		if pass(ctx) != nil {
			wait = min(interval, retryInterval)
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}
