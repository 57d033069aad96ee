package inspect

import (
	"errors"
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// worthCutting is the least change of a stretch's throughput for which a warm-up
// is suggested: a tenth of the loss that compare allows unless told otherwise.
const worthCutting = 0.005

// warmups is what MSER-5 says of the beginnings of stretches.
type warmups struct {
	asked     int // stretches long enough for MSER-5 and without a silence, which it would follow
	needed    int // of these, the stretches whose throughput a cut would change
	longest   int // seconds that it would cut at most
	unsettled int // stretches that do not settle in their first half
}

// add asks MSER-5 about a stretch. It follows the noise of a steady one, so what
// it says counts only where the cut changes the mean by more than the noise of
// the rest allows; compare checks a warm-up in the same way.
func (w *warmups) add(s Stretch) {
	if len(s.Silences) > 0 {
		return
	}
	n, err := stats.MSER5(s.Successes)
	unsettled := errors.Is(err, stats.ErrUnsettled)
	if err != nil && !unsettled {
		return
	}
	w.asked++
	if unsettled {
		n = len(s.Successes) / 2
	}
	rest := Stretch{Successes: s.Successes[n:]}
	change := math.Abs(math.Log(rest.Throughput() / s.Throughput()))
	if !(change > max(worthCutting, noise(rest.Successes))) {
		return
	}
	if unsettled {
		w.unsettled++
		return
	}
	w.needed++
	w.longest = max(w.longest, n)
}

// noise is the half-width of the 95 % interval of a mean over the mean itself,
// without bound when there is none.
func noise(x []float64) float64 {
	e, err := stats.EWCMean(x, 0.95)
	switch {
	case errors.Is(err, stats.ErrConstant):
		return 0
	case err != nil || e.Value <= 0:
		return math.Inf(1)
	}
	return (e.Hi - e.Lo) / 2 / e.Value
}

// says are the suggestions in words, none when no stretch could be asked.
func (w warmups) says() []string {
	var out []string
	switch {
	case w.asked == 0:
	case w.needed > 0:
		out = append(out, fmt.Sprintf("MSER-5 suggests %d s, the longest of %s in %s", w.longest, plural(w.needed, "cut", "cuts"), plural(w.asked, "stretch", "stretches")))
	case w.unsettled == 0:
		out = append(out, "MSER-5 suggests none in "+plural(w.asked, "stretch", "stretches"))
	}
	if w.unsettled > 0 {
		out = append(out, fmt.Sprintf("%s not settled in the first half: warm up longer", plural(w.unsettled, "stretch", "stretches")))
	}
	return out
}
