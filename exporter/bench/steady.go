package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// turn is how many scrapes a program gets in a row, and pause the time between
// two: with none the one before would still be in the caches.
const (
	turn  = 10
	pause = 5 * time.Millisecond
)

// steadyFigure compares scrapes on a server with a full digest table.
func steadyFigure(ctx context.Context, s *stand) ([]row, error) {
	return s.compare(ctx, "steady scrape, quiet server", 0.5, 1)
}

// scansFigure compares them while four clients scan the large table.
func scansFigure(ctx context.Context, s *stand) (rows []row, err error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	stop, err := s.scan(ctx, 4)
	if err != nil {
		return nil, err
	}
	rows, err = s.compare(ctx, "steady scrape, 4 full scans", 0, 0.4)
	stop()
	return rows, err
}

// compare interleaves scrapes of our exporter and of the rivals.
func (s *stand) compare(ctx context.Context, figure string, p50, p99 float64) ([]row, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	ours, err := s.ours(ctx, large)
	if err != nil {
		return nil, err
	}
	rivals, err := s.rivals(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.fillDigests(ctx); err != nil {
		return nil, err
	}
	all := append([]*program{ours}, rivals...)
	took, err := interleave(ctx, all, s.o.samples)
	if err != nil {
		return nil, err
	}
	own := times(took[0])
	rows := []row{{figure: figure + ", alone", found: own.String(), bar: none}}
	for i, rival := range rivals {
		theirs := times(took[i+1])
		for _, q := range []struct {
			name      string
			our, them float64
			limit     float64
		}{{"p50", own.p50, theirs.p50, p50}, {"p99", own.p99, theirs.p99, p99}} {
			r := row{
				figure: fmt.Sprintf("%s, %s against %s", figure, q.name, rival.name),
				found:  fmt.Sprintf("%.1f ms against %.1f ms: %.2f × (n = %d each)", q.our, q.them, q.our/q.them, own.n),
				got:    q.our / q.them, bar: atMost(q.limit, "×"),
			}
			if q.limit == 0 {
				r.bar = none
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// interleave scrapes the programs in turns, forth and back (ABBA), so that
// neither drift of the machine nor the place in the round favours one. It
// returns milliseconds, at least n of each program.
func interleave(ctx context.Context, programs []*program, n int) ([][]float64, error) {
	took := make([][]float64, len(programs))
	order := make([]int, 0, 2*len(programs))
	for i := range programs {
		order = append(order, i)
	}
	for i := range programs {
		order = append(order, len(programs)-1-i)
	}
	for len(took[0]) < n {
		for _, i := range order {
			for range turn {
				d, err := programs[i].scrapeOK(ctx)
				if err != nil {
					return nil, err
				}
				took[i] = append(took[i], d)
				time.Sleep(pause)
			}
		}
	}
	for _, p := range programs {
		if err := p.healthy(ctx); err != nil {
			return nil, fmt.Errorf("%s after its scrapes: %w", p.name, err)
		}
	}
	return took, nil
}

// scrapeOK returns the milliseconds of a scrape that was answered with 200.
func (p *program) scrapeOK(ctx context.Context) (float64, error) {
	d, status, err := p.scrape(ctx, 10*time.Second)
	if err == nil && status != 200 {
		err = fmt.Errorf("status %d", status)
	}
	if err != nil {
		return 0, fmt.Errorf("scrape %s: %w", p.name, err)
	}
	return d.Seconds() * 1000, nil
}

// summary describes a sample.
type summary struct {
	n             int
	p50, p99, max float64
}

func times(ms []float64) summary {
	q := func(p float64) float64 {
		v, err := stats.Quantile(ms, p, stats.Type7)
		if err != nil {
			return -1 // no sample
		}
		return v
	}
	return summary{len(ms), q(0.5), q(0.99), q(1)}
}

func (s summary) String() string {
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, max %.1f ms (n = %d)", s.p50, s.p99, s.max, s.n)
}
