package main

import (
	"context"
	"fmt"
)

// sizeFigure compares our scrapes of the large token table with those of the
// small one, on the same server.
func sizeFigure(ctx context.Context, s *stand) ([]row, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	of := []*program{}
	for _, schema := range []string{small, large} {
		p, err := s.ours(ctx, schema)
		if err != nil {
			return nil, err
		}
		of = append(of, p)
	}
	took, err := interleave(ctx, of, s.o.samples)
	if err != nil {
		return nil, err
	}
	little, much := times(took[0]), times(took[1])
	return []row{{
		figure: fmt.Sprintf("p50 at %d rows against %d", s.o.large, s.o.small),
		found:  fmt.Sprintf("%.2f ms against %.2f ms: %.2f × (n = %d each)", much.p50, little.p50, much.p50/little.p50, little.n),
		got:    much.p50 / little.p50, bar: atMost(1.2, "×"),
	}}, nil
}
