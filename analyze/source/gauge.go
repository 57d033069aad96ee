package source

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// lateness is how long after a window's end a CloudWatch point of the window
// may still be on its way: a delay of 120 s and a period of 60 s fit, and so
// does the ten-minute tail of RDS points that arrive late.
const lateness = 10 * time.Minute

// retime gives each value the time that was scraped with it. Values repeat from
// scrape to scrape until CloudWatch has a newer point, so points of one time
// are one point; the last one scraped stands, since AWS revises. A point covers
// [Time, Time+Step); those that touch [start, end) are kept.
func retime(values, stamps []sample, start, end time.Time) Series {
	at := map[int64]float64{}
	for _, s := range stamps {
		at[s.t] = s.v
	}
	points := map[int64]float64{}
	for _, v := range values {
		if sec, ok := at[v.t]; ok && !math.IsNaN(v.v) {
			points[int64(math.Round(sec*1000))] = v.v
		}
	}
	times := slices.Sorted(maps.Keys(points))
	steps := make([]time.Duration, 0, len(times))
	for i := 1; i < len(times); i++ {
		steps = append(steps, time.Duration(times[i]-times[i-1])*time.Millisecond)
	}
	out := Series{Step: median(steps)}
	for _, t := range times {
		p := Point{Time: ms(t), Value: points[t]}
		if p.Time.Add(max(out.Step, 1)).After(start) && p.Time.Before(end) {
			out.Points = append(out.Points, p)
		}
	}
	if out.Step > 0 {
		out.Expected = int(end.Sub(start) / out.Step)
	}
	return out
}

// oneSeries picks the single series of a gauge. Two servers or two exporters
// under one query have no natural mean, so the reader has to choose.
func oneSeries(found []rawSeries, query string) (rawSeries, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	var names []string
	for _, s := range found {
		names = append(names, labelText(s.labels))
	}
	slices.Sort(names)
	const most = 3
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return rawSeries{}, fmt.Errorf("%d series match %s (%s): add matchers to the source until one is left", len(found), query, strings.Join(names, "; "))
}

func labelText(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "__name__" {
			parts = append(parts, name+"="+labels[name])
		}
	}
	return strings.Join(parts, ",")
}
