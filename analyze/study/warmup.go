package study

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// mser5 is how many seconds of a window MSER-5 would discard as warm-up. ok is
// false when the window is too short to ask; the error is stats.ErrUnsettled
// when there is no answer.
func (r run) mser5() (discard float64, ok bool, err error) {
	var x, starts []float64
	if r.Requests != nil {
		for i, b := range seconds(r.Run, span{r.Window.Start, r.Window.End}) {
			x, starts = append(x, float64(b.Successes)), append(starts, float64(i))
		}
	} else {
		for _, in := range r.Series[source.EndpointRequests].Intervals {
			if length := in.To.Sub(in.From); length > 0 {
				x = append(x, in.Increase/length.Seconds())
				starts = append(starts, in.From.Sub(r.Window.Start).Seconds())
			}
		}
	}
	n, err := stats.MSER5(x)
	switch {
	case errors.Is(err, stats.ErrUnsettled):
		return 0, true, err
	case err != nil:
		return 0, false, err
	case n == 0:
		return 0, true, nil
	}
	return starts[n], true, nil
}

// worthTrimming is the part of the allowed loss by which a longer warm-up has to
// move a window's throughput before anybody is told.
const worthTrimming = 0.1

// shortWarmup says that MSER-5 would discard more than the warm-up, and that it
// matters: beyond worthTrimming, and beyond the half-width that the noise of the
// remaining seconds allows, because MSER-5 follows the noise of a steady window.
// A silence drags MSER-5 behind itself and has a warning of its own.
func (r run) shortWarmup(o Options) string {
	discard, ok, err := r.mser5()
	if !ok || r.silence.seconds > 0 {
		return ""
	}
	advice := fmt.Sprintf("MSER-5 would discard the first %.0f s, the warm-up is %g s: set warmup to %.0fs", discard, o.Warmup.Seconds(), math.Ceil(discard))
	from := r.Window.Start.Add(time.Duration(discard * float64(time.Second)))
	if err != nil {
		advice = "MSER-5 finds no end of the warm-up in the first half of the window: warm up longer, and measure longer"
		from = r.Window.Start.Add(r.Window.End.Sub(r.Window.Start) / 2)
	}
	if !from.After(r.span.from) {
		return ""
	}
	later, err := measureThroughput(r.Run, span{from, r.span.to}, o)
	if err != nil {
		return ""
	}
	least := -lossLimit(o) * worthTrimming
	if noise := halfWidth(later.series); noise != nil {
		least = max(least, *noise)
	}
	if math.Abs(math.Log(later.value/r.measures[throughput].value)) <= least {
		return ""
	}
	return advice
}
