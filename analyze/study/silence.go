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

const (
	// mostEmpty is the share of empty seconds beyond which nothing can be said
	// about what is missing: the rest of the window does not represent it.
	mostEmpty = 0.05
	// worstPace is the pace assumed for empty seconds, in units of the window's
	// best second. It leaves room for a window that sped up while unseen.
	worstPace = 2
)

// worst re-reads a window so that whatever may be missing speaks against
// switching off. Every empty second gets twice the requests of the window's best
// second, every unreadable row is a request: successes with persistence on,
// failures with persistence off.
func (r run) worst() (tokens, share measure) {
	tokens, share = r.measures[throughput], r.measures[errorShare]
	if !r.doubtful() {
		return tokens, share
	}
	var good, bad, peak float64
	bins := seconds(r.Run, r.span)
	for _, b := range bins {
		good += float64(b.Successes)
		bad += float64(b.Errors)
		peak = max(peak, float64(b.Successes+b.Errors))
	}
	lost := worstPace*float64(r.silence.empty)*peak + float64(r.Requests.BadRows)
	if r.Window.Mode == source.On {
		good += lost
	} else {
		bad += lost
	}
	tokens.value = good / float64(len(bins))
	share.value, share.n = bad/(good+bad), int(good+bad)
	return tokens, share
}
