package inspect

import (
	"maps"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

const (
	// newStretch is the silence, in seconds, that ends a stretch of load: longer
	// than a server stalls, shorter than a restart between two runs.
	newStretch = 30
	// leastSilence is the silence within a stretch, in seconds, worth telling.
	leastSilence = 3
	// leastStretch is what a window needs to be proposed, in seconds.
	leastStretch = 20
)

// Stretch is a time in which a label has results without long silence. It begins
// with the second of its first result and ends before the second of its last,
// which is not whole.
type Stretch struct {
	Start, End time.Time
	Successes  []uint64 // per second
	Errors     uint64
	Silences   []Silence
}

// Silence is a time without any result of the label.
type Silence struct {
	Start   time.Time
	Seconds int
}

// Stretches returns the label's load in the order of time.
func (l *Label) Stretches() []Stretch {
	var out []Stretch
	seconds := slices.Sorted(maps.Keys(l.seconds))
	for first := 0; first < len(seconds); {
		last := first
		for last+1 < len(seconds) && seconds[last+1]-seconds[last] <= newStretch {
			last++
		}
		if last > first {
			out = append(out, stretch(seconds[first:last+1], l.seconds))
		}
		first = last + 1
	}
	return out
}

// stretch builds one from its seconds with results; the last is left out.
func stretch(seconds []int64, counts map[int64]source.Second) Stretch {
	first, last := seconds[0], seconds[len(seconds)-1]
	s := Stretch{Start: time.Unix(first, 0).UTC(), End: time.Unix(last, 0).UTC(), Successes: make([]uint64, last-first)}
	for i, second := range seconds {
		if i > 0 {
			if silent := int(second - seconds[i-1] - 1); silent >= leastSilence {
				s.Silences = append(s.Silences, Silence{time.Unix(seconds[i-1]+1, 0).UTC(), silent})
			}
		}
		if second < last {
			s.Successes[second-first] = counts[second].Successes
			s.Errors += counts[second].Errors
		}
	}
	return s
}

// Throughput is successful results per second.
func (s Stretch) Throughput() float64 {
	sum := uint64(0)
	for _, n := range s.Successes {
		sum += n
	}
	return float64(sum) / float64(len(s.Successes))
}
