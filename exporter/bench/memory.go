package main

import (
	"context"
	"fmt"
	"slices"
)

// memoryFigure watches our exporter's memory over many scrapes.
func memoryFigure(ctx context.Context, s *stand) ([]row, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	ours, err := s.ours(ctx, large)
	if err != nil {
		return nil, err
	}
	const readings = 100
	every := max(1, s.o.scrapes/readings)
	var resident []float64
	for i := 1; i <= s.o.scrapes; i++ {
		if _, err := ours.scrapeOK(ctx); err != nil {
			return nil, err
		}
		if i%every == 0 {
			mib, err := residentMiB(ours.process.PID())
			if err != nil {
				return nil, err
			}
			resident = append(resident, mib)
		}
	}
	fifth := len(resident) / 5
	early, late := median(resident[fifth:2*fifth+1]), median(resident[4*fifth:])
	return []row{
		{
			figure: fmt.Sprintf("resident memory over %d scrapes", s.o.scrapes),
			found: fmt.Sprintf("most %.1f MiB, median of the second fifth %.1f MiB, of the last %.1f MiB (%d readings)",
				slices.Max(resident), early, late, len(resident)),
			got: slices.Max(resident), bar: atMost(25, "MiB"),
		},
		{figure: "its growth, last against second fifth", found: fmt.Sprintf("%+.1f %%", 100*(late/early-1)), got: late / early, bar: atMost(1.05, "×")},
	}, nil
}

func median(x []float64) float64 { return times(x).p50 }
