package source

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// tooMuch are the words in which servers refuse an answer for its size or a
// range for its length.
var tooMuch = []string{
	"too many samples", "exceeded maximum resolution", // Prometheus, Thanos
	"exceeded samples limit", "exceeded chunks limit", // Thanos' stores
	"maxSamplesPerQuery", "maxSamplesPerSeries", "maxPointsPerTimeseries", // VictoriaMetrics
	"the query time range exceeds the limit", "max number of chunks limit", // Cortex, and Thanos' query frontend
	"err-mimir-max-query-length", "err-mimir-max-total-query-length",
	"err-mimir-max-chunks-per-query", "err-mimir-max-estimated-chunks-per-query", "err-mimir-max-chunks-bytes-per-query",
	"err-mimir-max-estimated-memory-consumption-per-query",
	"received message larger than max", // any of them, between its own parts
}

// tooLong are the words in which servers say that a query took too long.
var tooLong = []string{"timed out", "timeout exceeded", "context deadline exceeded"}

func refusedForSize(err error) bool { return says(err, tooMuch) }

// tooSlow says whether the server, a proxy in front of it or we gave up waiting.
func tooSlow(err error) bool {
	e, ok := errors.AsType[*v1.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && (e.Type == v1.ErrTimeout || strings.HasSuffix(e.Msg, ": 504")) || says(err, tooLong)
}

// says looks for one of several phrases in the error of a query, and in the
// answer behind a status that the client library takes for no answer.
func says(err error, phrases []string) bool {
	text := err.Error()
	if e, ok := errors.AsType[*v1.Error](err); ok {
		text += e.Detail
	}
	for _, words := range phrases {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// lengths are the shortest ranges that a server refused, by query, so that what
// it refused once is not asked of it again.
type lengths struct {
	mu      sync.Mutex
	refused map[string]time.Duration
}

func (l *lengths) fits(query string, length time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	refused, ok := l.refused[query]
	return !ok || length < refused
}

func (l *lengths) refuse(query string, length time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if refused, ok := l.refused[query]; !ok || length < refused {
		l.refused[query] = length
	}
}

// halves asks for a range and, where the server finds that too much, for its two
// halves. Values lie on a grid of grain from the start on, so the second half
// begins one grain after the end of the first. The number of series does not
// shrink by this, so what is refused for a single step stays refused.
type halves struct {
	query   string
	grain   time.Duration
	lengths *lengths
	ask     func(ctx context.Context, from, to time.Time) ([]rawSeries, []string, error)
}

// shortestRange bounds the number of queries that one window may end in, and
// mostSlow the time: each query that is too slow may take a minute.
const (
	shortestRange = 2 * time.Second
	mostSlow      = 4
)

// read asks for [from, to]; slow is how many ranges around it were too slow.
func (h halves) read(ctx context.Context, from, to time.Time, slow int) ([]rawSeries, []string, error) {
	length := to.Sub(from)
	grains := length / h.grain
	divisible := length >= shortestRange && grains >= 1
	if !divisible || h.lengths.fits(h.query, length) {
		found, notes, err := h.ask(ctx, from, to)
		switch {
		case err == nil, !divisible, ctx.Err() != nil:
			return found, notes, err
		case refusedForSize(err):
		case tooSlow(err) && slow < mostSlow:
			slow++
		default:
			return found, notes, err
		}
		h.lengths.refuse(h.query, length)
	}
	middle := from.Add(grains / 2 * h.grain)
	early, notes, err := h.read(ctx, from, middle, slow)
	if err != nil {
		return nil, notes, err
	}
	late, more, err := h.read(ctx, middle.Add(h.grain), to, slow)
	if err != nil {
		return nil, more, err
	}
	return joined(early, late), append(notes, more...), nil
}

// longestPiece is the longest range that is asked for at once: what an
// interruption loses, and the step in which progress is shown.
const longestPiece = 6 * time.Hour

// piece is a part of a range.
type piece struct{ from, to time.Time }

// pieces cuts a range into parts that follow each other on the grid of grain.
func pieces(from, to time.Time, grain, longest time.Duration) []piece {
	step := max(1, longest/grain) * grain
	var out []piece
	for start, end := from, from; end.Before(to) || len(out) == 0; start = end.Add(grain) {
		end = start.Add(step - grain)
		if to.Sub(end) <= grain { // the last point is no piece of its own
			end = to
		}
		out = append(out, piece{start, end})
	}
	return out
}

// joined appends the samples of series to those with the same labels.
func joined(early, late []rawSeries) []rawSeries {
	if len(early) == 0 {
		return late
	}
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
