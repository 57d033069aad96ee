package source

import (
	"fmt"
	"slices"
)

// wanted is a series that a source was asked for, and how.
type wanted struct {
	series, query string
	optional      bool
}

func wantedOf(rows []row) []wanted {
	out := make([]wanted, len(rows))
	for i, r := range rows {
		out[i] = wanted{r.series, r.ask(), r.optional}
	}
	return out
}

// missingProblems reports absent series: once for all when no window has one,
// and then only those that every set-up should have. A window of which the source
// knows nothing else has no data. missing holds the windows without a series,
// read is how many windows were read, and hint what to look at where a series is
// absent altogether.
func missingProblems(d Dataset, all []wanted, missing map[string][]int, read int, hint string) []Problem {
	var out []Problem
	empty := map[int]int{}
	needed := 0
	for _, w := range all {
		windows := missing[w.series]
		if !w.optional {
			needed++
			for _, i := range windows {
				empty[i]++
			}
		}
		if len(windows) == read && read > 0 {
			if !w.optional {
				out = append(out, Problem{Window: -1, Series: w.series, Warning: "missing-data",
					Text: fmt.Sprintf("no samples of %s in any window: %s", w.query, hint)})
			}
			continue
		}
		for _, i := range windows {
			out = append(out, Problem{Window: i, Series: w.series, Warning: "missing-data",
				Text: fmt.Sprintf("no samples of %s in this window", w.query)})
		}
	}
	for i, n := range empty {
		if n == needed {
			w := d.Runs[i].Window
			out = append(out, Problem{Window: i, NoData: true, Warning: "no-samples",
				Text: fmt.Sprintf("the source holds no sample of any series in %s: check the time zone of start and end, the retention and the matchers", rangeText(w.Start, w.End))})
		}
	}
	slices.SortStableFunc(out, func(a, b Problem) int { return a.Window - b.Window })
	return out
}

// wrongUnit says that a series is not in its unit, "" when it may be: a CPU in
// per cent would be taken for a hundred busy hosts.
func wrongUnit(series string, s Series) string {
	if series != APIManagerCPU && series != DatabaseCPU && series != LoadGeneratorCPU {
		return ""
	}
	for _, p := range s.Points {
		if p.Value > mostBusy {
			return fmt.Sprintf("%s is %.4g at %s: a CPU is a ratio of the host's cores, 0 to 1, so divide percentages by 100", series, p.Value, p.Time.UTC().Format("15:04:05Z"))
		}
	}
	return ""
}

// mostBusy leaves room for what bursts and clocks do to a ratio.
const mostBusy = 1.5
