package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ClopperPearsonUpper is the one-sided upper confidence bound of a probability
// of which events were seen in trials independent trials (Clopper and Pearson
// 1934). It is exact or too high, never too low. Where requests of one run are
// correlated it is too low all the same, so reports use it only when no event
// was seen at all. No trial bounds nothing: 1.
func ClopperPearsonUpper(events, trials uint64, confidence float64) (float64, error) {
	if err := checkLevel(confidence); err != nil {
		return 0, err
	}
	switch {
	case events > trials:
		return 0, fmt.Errorf("%w: %d events in %d trials", ErrArgument, events, trials)
	case events == trials: // also no trial at all
		return 1, nil
	case events == 0:
		// The closed form; the beta quantile loses digits for many trials.
		return -math.Expm1(math.Log1p(-confidence) / float64(trials)), nil
	}
	return distuv.Beta{Alpha: float64(events) + 1, Beta: float64(trials - events)}.Quantile(confidence), nil
}
