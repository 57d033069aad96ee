package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"

	"github.com/tokenpersistence/toolkit/internal/child"
)

var linesPerSecond = regexp.MustCompile(`([0-9.e+]+) lines/s`)

// tailFigure runs the Go benchmark of the access-log tail on one core.
func tailFigure(ctx context.Context, s *stand) ([]row, error) {
	cpus, err := child.CPUs()
	if err != nil {
		return nil, err
	}
	const runs = 5
	out, err := s.goTest(ctx, cpus[:1], "-run=^$", "-bench=^BenchmarkTail$", "-cpu=1", fmt.Sprintf("-count=%d", runs), "-benchtime=1s")
	if err != nil {
		return nil, err
	}
	var rates []float64
	for _, m := range linesPerSecond.FindAllStringSubmatch(out, -1) {
		rate, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	if len(rates) == 0 {
		return nil, fmt.Errorf("no lines/s in %q", out)
	}
	slices.Sort(rates)
	median := rates[len(rates)/2] / 1000
	return []row{{
		figure: "access-log tail, one core",
		found:  fmt.Sprintf("%.0f k lines/s (median of %d runs, least %.0f k)", median, len(rates), rates[0]/1000),
		got:    median, bar: atLeast(500, "k lines/s"),
	}}, nil
}

// goTest compiles the collector's tests and runs them on some CPUs.
func (s *stand) goTest(ctx context.Context, cpus []int, args ...string) (string, error) {
	program := s.dir + "/collector.test"
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "github.com/tokenpersistence/toolkit/exporter/collector")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the collector's benchmarks: %w\n%s", err, out)
	}
	for i, arg := range args {
		args[i] = "-test." + arg[1:]
	}
	file, err := os.Create(s.dir + "/bench.out")
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, file, file
	process, err := child.Start(cmd, cpus)
	if err == nil {
		stop := context.AfterFunc(ctx, func() { _ = process.Kill() })
		err = process.Err()
		stop()
	}
	err = errors.Join(err, file.Close())
	text, readErr := os.ReadFile(file.Name())
	if err := errors.Join(err, readErr); err != nil {
		return "", fmt.Errorf("run the collector's benchmarks: %w\n%s", err, text)
	}
	return string(text), nil
}
