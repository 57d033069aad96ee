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

// lost is the number of requests that may be missing from a doubtful window: for
// every empty second twice the requests of the window's best second, and one for
// every unreadable row.
func (r run) lost() float64 {
	peak := uint64(0)
	for _, b := range seconds(r.Run, r.span) {
		peak = max(peak, b.Successes+b.Errors)
	}
	return worstPace*float64(r.silence.empty)*float64(peak) + float64(r.Requests.BadRows)
}

// worst re-reads a judged metric of a window so that whatever may be missing
// speaks against switching off: lost requests were successes with persistence
// on, which made its tokens cheaper, and failures with persistence off.
func (r run) worst(metric string) measure {
	m := r.measures[metric]
	if !r.doubtful() {
		return m
	}
	lost := r.lost()
	on := r.Window.Mode == source.On
	switch {
	case metric == errorShare:
		good, bad := 0.0, 0.0
		for _, b := range seconds(r.Run, r.span) {
			good += float64(b.Successes)
			bad += float64(b.Errors)
		}
		if on {
			good += lost
		} else {
			bad += lost
		}
		m.value, m.n = bad/(good+bad), int(good+bad)
	case metric == throughput && on:
		m.value += lost / float64(len(seconds(r.Run, r.span)))
	case metric != throughput && on && m.tokens > 0:
		m.value *= m.tokens / (m.tokens + lost)
	}
	return m
}
