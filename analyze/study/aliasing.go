package study

import (
	"fmt"
	"math"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// aliased says that a series was sampled in step with the load: the throughput
// repeats with the distance of the points, and is otherwise at other lags, so
// that all points may have hit the same phase. Only a result file, with its
// seconds, can show that.
func (r run) aliased(series string) string {
	step := r.Series[series].Step
	lag := int(step / time.Second)
	if r.Requests == nil || lag < 2 || step%time.Second != 0 {
		return ""
	}
	tokens := r.measures[throughput].series
	if len(tokens) < leastCycles*lag {
		return ""
	}
	at, err := stats.Autocorrelation(tokens, lag)
	if err != nil || at <= max(highLag1, 3/math.Sqrt(float64(len(tokens)))) {
		return ""
	}
	lowest := at
	for other := 1; other < lag; other++ {
		if a, err := stats.Autocorrelation(tokens, other); err == nil {
			lowest = min(lowest, a)
		}
	}
	if at-lowest < highLag1 {
		return "" // a trend, not a cycle
	}
	return fmt.Sprintf("the throughput repeats every %d s (autocorrelation %.2f), and so do the points: unless each is a mean over its period, all see one phase; sample at another interval", lag, at)
}

// leastCycles is how often a cycle has to fit into a window to be called one.
const leastCycles = 4
