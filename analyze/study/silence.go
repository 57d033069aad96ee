package study

import (
	"math"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// silence is time inside a measured window in which nothing succeeded although
// the window's own rate makes that incredible. It counts as zero throughput. It
// may be an outage or a file that lost its rows, and the data cannot tell which.
type silence struct {
	seconds int // without a success
	empty   int // of these, without any row at all
}

// incredible is the expected number, per window, of gaps as long as the one seen
// below which a gap is called silence. Arrivals are taken as Poisson; a closed
// loop is steadier, so real gaps are rarer still.
const incredible = 0.001

func findSilence(bins []source.Second) silence {
	successes, active := 0.0, 0.0
	for _, b := range bins {
		successes += float64(b.Successes)
		if b.Successes > 0 {
			active++
		}
	}
	if active == 0 {
		return silence{}
	}
	rate := successes / active
	var total, gap silence
	closeGap := func() {
		if gap.seconds > 0 && float64(len(bins))*math.Exp(-rate*float64(gap.seconds)) < incredible {
			total.seconds += gap.seconds
			total.empty += gap.empty
		}
		gap = silence{}
	}
	for _, b := range bins {
		if b.Successes > 0 {
			closeGap()
			continue
		}
		gap.seconds++
		if b.Errors == 0 {
			gap.empty++
		}
	}
	closeGap()
	return total
}

// doubtful says whether rows may be missing from a window.
func (r run) doubtful() bool {
	return r.silence.empty > 0 || (r.Requests != nil && r.Requests.BadRows > 0)
}

// worst re-reads a window so that what may be missing speaks against
// switching off: with persistence on, empty seconds were not measured and
// unreadable rows were successes; with persistence off, empty seconds stay
// without a success and, like unreadable rows, were failed requests at the rate
// of the rest of the window.
func (r run) worst() (tokens, share measure) {
	tokens, share = r.measures[throughput], r.measures[errorShare]
	if !r.doubtful() {
		return tokens, share
	}
	bins := seconds(r.Run, r.span)
	good, bad := 0.0, 0.0
	for _, b := range bins {
		good += float64(b.Successes)
		bad += float64(b.Errors)
	}
	active := float64(len(bins) - r.silence.empty)
	unread := float64(r.Requests.BadRows)
	lost := unread + float64(r.silence.empty)*(good+bad)/active
	if r.Window.Mode == source.On {
		tokens.value = (good + unread) / active
		share.value = bad / (good + bad + lost)
	} else {
		share.value = (bad + lost) / (good + bad + lost)
	}
	share.n += int(lost)
	return tokens, share
}
