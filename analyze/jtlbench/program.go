package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed count.awk
var countAWK string

// program is one way to read the file, and what its runs took.
type program struct {
	name    string
	note    string
	command []string
	absent  string // why it is not there
	walls   []time.Duration
	cpus    []time.Duration
	anonKiB int // the most of all runs
	output  []byte
}

// programs builds ours and DuckDB's, and looks for the others.
func programs(ctx context.Context, dir, path string, stderr io.Writer) []program {
	ours := built(ctx, program{name: "ours", note: "counts, seconds, histograms; SHA-256 of the file"}, dir, "ours", path, stderr)
	duck := built(ctx, program{name: "DuckDB", note: "counts, seconds, histograms; explicit schema, 2 threads"}, dir, "duck", path, stderr)
	gawk := program{name: "gawk", note: "the same counts; quotes are not understood", command: []string{"gawk", "-F,", countAWK, path}}
	if text, err := exec.CommandContext(ctx, "gawk", "--help").Output(); err == nil && bytes.Contains(text, []byte("--csv")) {
		gawk.note, gawk.command = "the same counts", []string{"gawk", "--csv", countAWK, path}
	}
	lines := program{name: "newline count", note: "wc -l", command: []string{"wc", "-l", path}}
	all := []program{ours, duck, gawk, lines}
	for i := range all {
		if _, err := exec.LookPath(all[i].command[0]); err != nil && all[i].absent == "" {
			all[i].absent = "not on PATH"
		}
	}
	return all
}

// built compiles a program of this module.
func built(ctx context.Context, p program, dir, source, path string, stderr io.Writer) program {
	binary := filepath.Join(dir, source)
	p.command = []string{binary, path}
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./"+source)
	build.Stderr = stderr
	if err := build.Run(); err != nil {
		p.absent = "it could not be built: " + err.Error()
	}
	return p
}

// run runs the program once.
func (p *program) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var output, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &problems
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ended, watched := make(chan struct{}), make(chan int, 1)
	go func() { watched <- watchAnon(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	wall := time.Since(start)
	close(ended)
	p.anonKiB = max(p.anonKiB, <-watched)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", p.name, err, problems.String())
	}
	p.walls = append(p.walls, wall)
	p.cpus = append(p.cpus, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	p.output = output.Bytes()
	return nil
}

// watchAnon returns the most anonymous memory, in KiB, that a process had when
// it was looked at, every 10 ms. The kernel keeps no peak of it.
func watchAnon(pid int, ended <-chan struct{}) int {
	most := 0
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil {
			for line := range strings.Lines(string(text)) {
				if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
					if n, err := strconv.Atoi(strings.Fields(rest)[0]); err == nil {
						most = max(most, n)
					}
				}
			}
		}
		select {
		case <-ended:
			tick.Stop()
			return most
		case <-tick.C:
		}
	}
}
