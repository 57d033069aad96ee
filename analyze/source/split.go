package source

import (
	"strings"
	"time"
)

// tooMuch are the words in which servers refuse an answer for its size:
// Prometheus and Thanos, VictoriaMetrics, Mimir.
var tooMuch = []string{
	"too many samples", "exceeded maximum resolution",
	"maxSamplesPerQuery", "maxPointsPerTimeseries",
	"err-mimir-max-chunks-per-query", "err-mimir-max-estimated-memory-consumption-per-query",
}

func refusedForSize(err error) bool {
	for _, words := range tooMuch {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// halved asks for [from, to], and where the server finds that too much, for its
// two halves. Values lie on a grid of grain from the start on, so the second
// half begins one grain after the end of the first. The number of series does
// not shrink by this, so what is refused for a single step stays refused.
func halved(from, to time.Time, grain time.Duration, ask func(from, to time.Time) ([]rawSeries, []string, error)) ([]rawSeries, []string, error) {
	found, notes, err := ask(from, to)
	grains := to.Sub(from) / grain
	if err == nil || !refusedForSize(err) || to.Sub(from) < shortestRange || grains < 1 {
		return found, notes, err
	}
	middle := from.Add(grains / 2 * grain)
	early, notes, err := halved(from, middle, grain, ask)
	if err != nil {
		return nil, notes, err
	}
	late, more, err := halved(middle.Add(grain), to, grain, ask)
	if err != nil {
		return nil, more, err
	}
	return joined(early, late), append(notes, more...), nil
}

// shortestRange bounds the number of queries that one window may end in.
const shortestRange = 2 * time.Second

// joined appends the samples of series to those with the same labels.
func joined(early, late []rawSeries) []rawSeries {
	at := map[string]int{}
	for i, s := range early {
		at[fullName(s.labels)] = i
	}
	for _, s := range late {
		if i, ok := at[fullName(s.labels)]; ok {
			early[i].samples = append(early[i].samples, s.samples...)
		} else {
			early = append(early, s)
		}
	}
	return early
}

func fullName(labels map[string]string) string {
	return labels["__name__"] + "{" + labelText(labels) + "}"
}

// rising says whether times rise from sample to sample.
func rising(samples []sample) bool {
	for i := 1; i < len(samples); i++ {
		if samples[i].t <= samples[i-1].t {
			return false
		}
	}
	return true
}
