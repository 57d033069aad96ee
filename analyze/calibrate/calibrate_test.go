package calibrate

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// plausible checks what no machine can break: both take time, a signature takes
// more, and the flags are ranges.
func plausible(t *testing.T, c report.Calibration, engine string) {
	t.Helper()
	for _, both := range [][2]report.Cost{{c.Signature.One, c.Verification.One}, {c.Signature.All, c.Verification.All}} {
		if sign, verify := both[0], both[1]; !(sign.Median > verify.Median && verify.Median > 0 && sign.Lo <= sign.Median && sign.Median <= sign.Hi) {
			t.Errorf("signature %+v, verification %+v", sign, verify)
		}
	}
	if !strings.HasPrefix(c.Engine, engine) || c.Bits != 2048 {
		t.Errorf("engine %q with %d bits", c.Engine, c.Bits)
	}
	for _, flag := range []string{c.Signature.Flag, c.Verification.Flag} {
		lo, hi, ok := strings.Cut(flag, "..")
		a, errA := time.ParseDuration(lo)
		b, errB := time.ParseDuration(hi)
		if !ok || errA != nil || errB != nil || a > b {
			t.Errorf("flag %q", flag)
		}
	}
}

func quick() Settings {
	return Settings{Bits: 2048, Round: 3 * time.Millisecond, Rounds: 2, Threads: 2, WarmUp: time.Millisecond}
}

func TestGo(t *testing.T) {
	c, err := Go(t.Context(), quick())
	if err != nil {
		t.Fatal(err)
	}
	plausible(t, c, "go ")
	one := quick()
	one.Threads = 1
	if c, err = Go(t.Context(), one); err != nil || c.Signature.One != c.Signature.All {
		t.Errorf("on one thread: %+v, %v", c.Signature, err)
	}
}

func TestJava(t *testing.T) {
	java, err := FindJava("", os.Getenv("JAVA_HOME"))
	if err != nil {
		t.Skip("no JVM on this machine")
	}
	c, err := Java(t.Context(), java, quick())
	if err != nil {
		t.Fatal(err)
	}
	plausible(t, c, "java ")
}

// TestInterrupted ends a measurement early.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Go(ctx, quick()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestJVMs stands in for JVMs that cannot run the program.
func TestJVMs(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"JRE", "echo 'error: no module named jdk.compiler' >&2; exit 1", "give a JDK"},
		{"Java 8", "echo 'Error: Could not find or load main class .tmp.Calibrate.java' >&2; exit 1", "older than 11"},
		{"broken", "echo 'no memory' >&2; exit 1", "--engine go"},
		{"not a JVM", "echo hello", `printed "hello"`},
		{"silent", "true", "clock"},
	} {
		path := filepath.Join(t.TempDir(), "java")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Java(t.Context(), path, quick()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
	if _, err := FindJava(filepath.Join(t.TempDir(), "java"), ""); err == nil {
		t.Error("a JVM that is not there was found")
	}
	if _, err := Go(t.Context(), Settings{Bits: 1024, Round: 1, Rounds: 1, Threads: 1}); err == nil {
		t.Error("a key of 1024 bits was measured")
	}
}
