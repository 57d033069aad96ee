package main

import (
	"context"
	"fmt"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// seriesFigure counts what a default page holds and lints it.
func seriesFigure(ctx context.Context, s *stand) ([]row, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	ours, err := s.ours(ctx, large)
	if err != nil {
		return nil, err
	}
	families, text, err := ours.page(ctx)
	if err != nil {
		return nil, err
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		return nil, err
	}
	series, untyped := 0, 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			series++
		}
	}
	for _, f := range families {
		if f.GetType() == dto.MetricType_UNTYPED {
			untyped++
		}
	}
	found := fmt.Sprintf("%d problems", len(problems))
	for _, p := range problems {
		found += fmt.Sprintf("; %s: %s", p.Metric, p.Text)
	}
	return []row{
		{figure: "series by default", found: fmt.Sprintf("%d of %d families, %d bytes", series, len(families), len(text)), got: float64(series), bar: atMost(600, "series")},
		{figure: "promlint", found: found, got: float64(len(problems)), bar: atMost(0, "problems")},
		{figure: "untyped families", found: fmt.Sprint(untyped), got: float64(untyped), bar: atMost(0, "families")},
	}, nil
}
