package main

import (
	"strings"
	"testing"
	"time"
)

// TestProgress shows nothing at first, then overwrites one line, and wipes it.
func TestProgress(t *testing.T) {
	var b strings.Builder
	at := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	p := &progress{w: &b, now: func() time.Time { return at }, start: at}
	p.show(10, 200)
	at = at.Add(600 * time.Millisecond)
	p.show(20, 200)
	p.show(30, 200) // too soon after the last
	at = at.Add(time.Second)
	p.show(300, 200)
	p.show(1, 0)
	p.end()
	p.end()
	wiped := "\r" + strings.Repeat(" ", len("reading: 100 % after 2s")) + "\r"
	if want := "\rreading: 10 % after 1s\rreading: 100 % after 2s" + wiped; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// TestNoProgress writes nothing where nobody is looking.
func TestNoProgress(t *testing.T) {
	var b strings.Builder
	p := newProgress(&b, time.Now)
	if p != nil || p.hook() != nil {
		t.Error("progress is shown to a file")
	}
	p.end()
	if b.Len() != 0 {
		t.Errorf("%q", b.String())
	}
}

// TestPausing says that a server wants to be left alone for a while.
func TestPausing(t *testing.T) {
	var b strings.Builder
	p := &progress{w: &b, now: time.Now, start: time.Now()}
	p.pausing()(29600 * time.Millisecond)
	if want := "\rreading: the server is busy, asking again in 30s"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	if p = nil; p.pausing() != nil {
		t.Error("pauses are shown to nobody")
	}
}
