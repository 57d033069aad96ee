package inspect

import (
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
	Successes  []float64 // per second
	Silences   []Silence
}

// Silence is a time without any result of the label.
type Silence struct {
	Start   time.Time
	Seconds int
}

// Stretches returns a label's load in the order of time.
func Stretches(l source.Label) []Stretch {
	var out []Stretch
	first, last := -1, -1 // seconds with results of the stretch that is open
	end := func() {
		if last > first {
			out = append(out, stretch(l, first, last))
		}
	}
	for i, s := range l.Seconds {
		if s == (source.Second{}) {
			continue
		}
		if first >= 0 && i-last > newStretch {
			end()
			first = -1
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	end()
	return out
}

// whole is a label's load from its first second to its last, silences included.
func whole(l source.Label) (Stretch, bool) {
	first := slices.IndexFunc(l.Seconds, func(s source.Second) bool { return s != (source.Second{}) })
	last := len(l.Seconds) - 1
	for last > first && l.Seconds[last] == (source.Second{}) {
		last--
	}
	if first < 0 || last <= first {
		return Stretch{}, false
	}
	return stretch(l, first, last), true
}

// stretch builds one from its first and last second with results; the last is
// left out.
func stretch(l source.Label, first, last int) Stretch {
	at := func(i int) time.Time { return l.Start.Add(time.Duration(i) * time.Second) }
	s := Stretch{Start: at(first), End: at(last), Successes: make([]float64, last-first)}
	heard := first - 1 // the last second with results
	for i := first; i <= last; i++ {
		second := l.Seconds[i]
		if second == (source.Second{}) {
			continue
		}
		if silent := i - heard - 1; silent >= leastSilence {
			s.Silences = append(s.Silences, Silence{at(heard + 1), silent})
		}
		heard = i
		if i < last {
			s.Successes[i-first] = float64(second.Successes)
		}
	}
	return s
}

// Throughput is successful results per second.
func (s Stretch) Throughput() float64 {
	sum := 0.0
	for _, n := range s.Successes {
		sum += n
	}
	return sum / float64(len(s.Successes))
}
