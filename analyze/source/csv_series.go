package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// readCSV takes series from CSV files with the columns time, series and value.
func readCSV(_ context.Context, spec Spec, d Dataset) (Dataset, error) {
	found := map[string][]fileSample{}
	for _, name := range spec.Files {
		input, err := scanCSV(name, spec.path(name), found)
		if err != nil {
			return d, err
		}
		d.Inputs = append(d.Inputs, input)
	}
	for _, series := range seriesNames {
		samples := found[series]
		slices.SortStableFunc(samples, func(a, b fileSample) int { return cmp.Compare(a.t, b.t) })
		for i := 1; i < len(samples); i++ {
			if samples[i].t == samples[i-1].t {
				return d, &SpecError{fmt.Sprintf("%s: %s has a value for %s already, at %s: keep one", samples[i].place(), series, ms(samples[i].t).Format(time.RFC3339Nano), samples[i-1].place())}
			}
		}
	}
	var all []wanted
	for _, series := range seriesNames {
		if len(found[series]) > 0 {
			all = append(all, wanted{series: series, query: series})
		}
	}
	if len(all) == 0 {
		return d, &SpecError{"the csv files of the source hold no rows below their header"}
	}
	missing := map[string][]int{}
	read := 0
	for i, run := range d.Runs {
		w := run.Window
		if !w.End.After(w.Start) {
			continue
		}
		read++
		for _, want := range all {
			s := inWindow(want.series, found[want.series], w.Start, w.End)
			if len(s.Points)+len(s.Intervals) > 0 {
				d.Runs[i].Series[want.series] = s
			} else {
				missing[want.series] = append(missing[want.series], i)
			}
		}
		spec.advance(windowWork)
	}
	d.Problems = append(d.Problems, missingProblems(d, all, missing, read, "do its times lie in the windows?")...)
	return d, nil
}

// fileSample is a value of a file with its file and line.
type fileSample struct {
	sample
	file string
	line int
}

func (s fileSample) place() string { return fmt.Sprintf("%s:%d", s.file, s.line) }

// inWindow is the part of a series that a window needs. Requests are totals, as
// a counter shows them; everything else stands from its time to the next one's.
func inWindow(series string, all []fileSample, start, end time.Time) Series {
	samples := make([]sample, len(all))
	for i, s := range all {
		samples[i] = s.sample
	}
	if series == EndpointRequests || series == EndpointErrors {
		return sumCounters([]rawSeries{{samples: samples}}, nil, start.UnixMilli(), end.UnixMilli())
	}
	return spread(shifted(samples, 0), 1, start, end)
}
