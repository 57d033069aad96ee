package main

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/internal/buildtest"
)

// A small size of every figure, so that the way does not rot. Bars are allowed
// three standard errors of so few replications.
func TestEveryFigureIsMeasured(t *testing.T) {
	buildtest.Alone(t) // what workers share is in TestWorkersDoNotChangeTheTable
	o := options{seed: 1, divide: 1 << 20, workers: 2}
	missed := 0
	for _, f := range chosen(o) {
		r, err := measure(t.Context(), f, o)
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		if !r.met {
			missed++
			t.Logf("%s: %.3f of %d", f.name, r.rate, r.n)
		}
	}
	if missed > 0 {
		t.Errorf("%d figures miss their bars by more than chance", missed)
	}
}

// The same seed gives the same table, however many workers share the work.
func TestWorkersDoNotChangeTheTable(t *testing.T) {
	var first string
	for _, workers := range []int{1, 3} {
		var b bytes.Buffer
		o := options{seed: 4, divide: 1 << 20, workers: workers, only: []string{"size: EWC-t", "coverage: gaps"}}
		for _, f := range chosen(o) {
			r, err := measure(t.Context(), f, o)
			if err != nil {
				t.Fatal(err)
			}
			printRow(&b, r)
		}
		if first == "" {
			first = b.String()
		}
		if b.String() != first || first == "" {
			t.Errorf("%d workers:\n%s\n1 worker:\n%s", workers, b.String(), first)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		stderr string
		stdout string
	}{
		{[]string{"--help"}, 0, "-only", ""},
		{[]string{"--only=nonsense"}, 2, "no figure has such a name", ""},
		{[]string{"coverage"}, 2, "chosen with --only", ""},
		{[]string{"--frequently"}, 2, "flag provided but not defined", ""},
		{[]string{"--quick", "--only=size: EWC"}, 0, "0 missed, seed 1", "| 3 to 7 % | met |"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), c.args, &stdout, &stderr); status != c.status || !strings.Contains(stderr.String(), c.stderr) || !strings.Contains(stdout.String(), c.stdout) {
			t.Errorf("%q: status %d, want %d\n%s%s", c.args, status, c.status, stdout.String(), stderr.String())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"--only=size: sign"}, &stdout, &stderr); status != 1 || !strings.Contains(stderr.String(), "context canceled") {
		t.Errorf("interrupted: status %d\n%s", status, stderr.String())
	}
}

// A missed bar is said and ends in status 1.
func TestAMissedBarIsSaid(t *testing.T) {
	f := figure{name: "always", replications: 100, hi: 0.5, trial: func(*rand.Rand) (bool, error) { return true, nil }}
	r, err := measure(t.Context(), f, options{divide: 1, workers: 1})
	if err != nil || r.met {
		t.Errorf("%+v, %v", r, err)
	}
	var b bytes.Buffer
	printRow(&b, r)
	if want := "| always | 100 | 100.00 ± 0.00 % | ≤ 50 % | MISSED |\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// The worlds are what their names say: pairs are whole and in random order, the
// true ratio is the mean of the log ratios, and noise has its standard deviation.
func TestWorldsAreWhatTheySay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	firstOff := 0
	for _, w := range worlds() {
		theta := math.Log(1.1)
		sum, n := 0.0, 400
		for range n {
			d := w.experiment(random, 1, 1, theta)
			if len(d.Runs) != 2 || d.Runs[0].Window.Mode == d.Runs[1].Window.Mode || !d.Runs[0].Window.Start.Before(d.Runs[1].Window.Start) {
				t.Fatalf("%s: %+v", w.name, d.Runs)
			}
			ratio := math.Log(tokens(d.Runs[1]) / tokens(d.Runs[0]))
			if d.Runs[0].Window.Mode == source.Off {
				firstOff++
				ratio = -ratio
			}
			sum += ratio / float64(n)
		}
		// A pair varies by 5 to 8 %, so the mean of 400 by 0.4 % at most.
		if math.Abs(sum-w.truth(theta)) > 0.016 {
			t.Errorf("%s: mean log ratio %.4f, truth %.4f", w.name, sum, w.truth(theta))
		}
	}
	if total := 400 * len(worlds()); firstOff < total*4/10 || firstOff > total*6/10 {
		t.Errorf("%d of %d blocks start without persistence", firstOff, total)
	}
	for name, series := range map[string]noise{"φ = 0.9": ar(0.9), "MA(10)": ma(10)} {
		squares := 0.0
		for _, v := range series(random, 200_000) {
			squares += v * v / 200_000
		}
		if math.Abs(squares-1) > 0.05 {
			t.Errorf("%s has variance %.3f, want 1", name, squares)
		}
	}
}

// tokens are the successful requests of a run over the time that was counted.
func tokens(r source.Run) float64 {
	sum := 0.0
	if r.Requests != nil {
		for _, s := range r.Requests.Seconds {
			sum += float64(s.Successes)
		}
		return sum
	}
	in := r.Series[source.EndpointRequests].Intervals
	for _, i := range in {
		sum += i.Increase
	}
	return sum / float64(len(in))
}
