package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress shows on one line how far the reading has come, for people who wait.
// It writes nothing while a reading is short, and leaves nothing behind.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	now   func() time.Time
	start time.Time
	last  time.Time
	width int // of what stands on the line
}

const (
	progressDelay = 500 * time.Millisecond // shorter readings show nothing
	progressPause = 200 * time.Millisecond // between two updates
)

// newProgress returns nil where nobody is looking.
func newProgress(w io.Writer, now func() time.Time) *progress {
	if !isTerminal(w) {
		return nil
	}
	return &progress{w: w, now: now, start: now()}
}

// hook is what a reader calls; nil when there is nothing to show.
func (p *progress) hook() func(done, total int64) {
	if p == nil {
		return nil
	}
	return p.show
}

// show writes the share that is done and the time since the start.
func (p *progress) show(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if total <= 0 || now.Sub(p.start) < progressDelay || now.Sub(p.last) < progressPause {
		return
	}
	p.last = now
	p.write(fmt.Sprintf("reading: %d %% after %s", 100*min(done, total)/total, now.Sub(p.start).Round(time.Second)))
}

// pausing is what a reader calls when a busy server asks it to wait.
func (p *progress) pausing() func(time.Duration) {
	if p == nil {
		return nil
	}
	return func(wait time.Duration) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.write(fmt.Sprintf("reading: the server is busy, asking again in %s", wait.Round(time.Second)))
	}
}

// write replaces what stands on the line.
func (p *progress) write(text string) {
	fmt.Fprint(p.w, "\r"+text+strings.Repeat(" ", max(0, p.width-len(text))))
	p.width = max(p.width, len(text))
}

// end wipes the line.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width == 0 {
		return
	}
	fmt.Fprint(p.w, "\r"+strings.Repeat(" ", p.width)+"\r")
	p.width = 0
}
