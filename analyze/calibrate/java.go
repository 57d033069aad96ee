package calibrate

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

//go:embed Calibrate.java
var program []byte

// FindJava is the JVM that a user means: the one given, else that of JAVA_HOME,
// else the first in PATH. The error says what was looked for.
func FindJava(given, home string) (string, error) {
	switch {
	case given != "":
		return exec.LookPath(given)
	case home != "":
		return exec.LookPath(filepath.Join(home, "bin", "java"))
	}
	return exec.LookPath("java")
}

// Java measures with a JVM, by a program of one file that it compiles on the fly:
// JDK 11 or later. The program is written to a temporary file, which is removed.
func Java(ctx context.Context, java string, s Settings) (_ report.Calibration, err error) {
	if err := s.check(); err != nil {
		return report.Calibration{}, err
	}
	dir, err := os.MkdirTemp("", "analyze-calibrate-")
	if err != nil {
		return report.Calibration{}, fmt.Errorf("write the Java program: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "Calibrate.java")
	if err := os.WriteFile(file, program, 0o600); err != nil {
		return report.Calibration{}, fmt.Errorf("write the Java program: %w", err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, java, file, strconv.Itoa(s.Bits), strconv.FormatInt(s.Round.Milliseconds(), 10),
		strconv.Itoa(s.Rounds), strconv.Itoa(s.Threads), strconv.FormatInt(s.WarmUp.Milliseconds(), 10))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return report.Calibration{}, javaError(ctx, java, err, stderr.String())
	}
	return parse(stdout.Bytes(), s)
}

// javaError says what to do about a JVM that cannot run the program.
func javaError(ctx context.Context, java string, err error, stderr string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	first, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	hint := "give another JVM as --java, or measure with --engine go"
	if strings.Contains(stderr, "jdk.compiler") || strings.Contains(stderr, "Could not find or load main class") {
		hint = "it is a JRE or older than 11, which runs no source file: give a JDK of the same version as --java, or measure with --engine go"
	}
	return fmt.Errorf("measure with %s: %w: %s (%s)", java, err, first, hint)
}

// parse reads the lines "vm VERSION" and "OPERATION THREADS MILLISECONDS".
func parse(text []byte, s Settings) (report.Calibration, error) {
	r, vm := rounds{}, ""
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) > 1 && words[0] == "vm" {
			vm = strings.Join(words[1:], " ")
			continue
		}
		var threads int
		var ms float64
		if _, err := fmt.Sscanf(lines.Text(), "%s %d %g", new(string), &threads, &ms); err != nil {
			return report.Calibration{}, fmt.Errorf("the Java program printed %q", lines.Text())
		}
		r.add(words[0], threads, ms)
	}
	return r.calibration("java "+vm, s)
}
