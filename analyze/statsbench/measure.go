package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// figure is one rate: how often something happens in so many simulations.
type figure struct {
	name         string
	replications int
	lo, hi       float64 // the bar; 0 and 1 for a rate that is only reported
	// nominal says that the bar is the exact rate of a correct rule, so that three
	// standard errors of the simulation are allowed beyond it. A bar with room of
	// its own allows none.
	nominal bool
	trial   func(random *rand.Rand) (bool, error)
}

// result is a figure with its measured rate.
type result struct {
	figure
	n    int
	rate float64
	met  bool
}

// leastReplications are simulated however small a run is asked for.
const leastReplications = 10

// chosen are the figures that the options ask for, in order.
func chosen(o options) []figure {
	var out []figure
	for _, f := range figures() {
		if len(o.only) == 0 || slices.ContainsFunc(o.only, func(part string) bool { return strings.Contains(f.name, part) }) {
			out = append(out, f)
		}
	}
	return out
}

// measure runs the replications of a figure on all workers. Each has random
// numbers of its own, named by seed, figure and replication.
func measure(ctx context.Context, f figure, o options) (result, error) {
	r := result{figure: f, n: max(leastReplications, f.replications/o.divide)}
	name := fnv.New64a()
	_, _ = name.Write([]byte(f.name)) // never fails
	stream := name.Sum64()
	counts := make([]int, o.workers)
	g, ctx := errgroup.WithContext(ctx)
	for w := range counts {
		g.Go(func() error {
			for i := w; i < r.n; i += o.workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				happened, err := f.trial(rand.New(rand.NewPCG(o.seed, stream+uint64(i))))
				if err != nil {
					return fmt.Errorf("replication %d: %w", i, err)
				}
				if happened {
					counts[w]++
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return result{}, err
	}
	for _, c := range counts {
		r.rate += float64(c) / float64(r.n)
	}
	slack := 0.0
	if f.nominal || o.divide > 1 {
		slack = 3
	}
	r.met = r.rate >= f.lo-slack*monteCarlo(f.lo, r.n) && r.rate <= f.hi+slack*monteCarlo(f.hi, r.n)
	return r, nil
}

// monteCarlo is the standard error of a rate in n replications.
func monteCarlo(rate float64, n int) float64 { return math.Sqrt(rate * (1 - rate) / float64(n)) }

func printHead(w io.Writer) {
	fmt.Fprintln(w, "| figure | replications | measured | bar | verdict |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
}

func printRow(w io.Writer, r result) {
	bar := "–"
	switch {
	case r.lo > 0 && r.hi < 1:
		bar = fmt.Sprintf("%.4g to %.4g %%", 100*r.lo, 100*r.hi)
	case r.lo > 0:
		bar = fmt.Sprintf("≥ %.4g %%", 100*r.lo)
	case r.hi < 1:
		bar = fmt.Sprintf("≤ %.4g %%", 100*r.hi)
	}
	verdict := "met"
	switch {
	case bar == "–":
		verdict = "reported"
	case !r.met:
		verdict = "MISSED"
	}
	fmt.Fprintf(w, "| %s | %d | %.2f ± %.2f %% | %s | %s |\n", r.name, r.n, 100*r.rate, 100*monteCarlo(r.rate, r.n), bar, verdict)
}
