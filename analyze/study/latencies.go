package study

import (
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// latencies are the distributions of every grant and mode that has result files:
// the exact histograms of its windows, added. They are for looking at; whether
// latency changed is decided by run-level percentiles.
func latencies(runs []run) []report.Latency {
	out := []report.Latency{}
	for start := 0; start < len(runs); {
		end := start + 1
		for end < len(runs) && runs[end].Window.Grant == runs[start].Window.Grant {
			end++
		}
		for _, mode := range []source.Mode{source.On, source.Off} {
			l := report.Latency{Grant: runs[start].Window.Grant, Persistence: string(mode)}
			var sum []uint64
			for _, r := range ofMode(runs[start:end], mode) {
				if r.Requests != nil {
					sum = added(sum, r.Requests.ElapsedMS)
					l.Windows++
				}
			}
			if l.Requests = total(sum); l.Requests > 0 {
				l.Shares, l.Milliseconds = distribution(sum, l.Requests)
				out = append(out, l)
			}
		}
		start = end
	}
	return out
}

func added(sum, more []uint64) []uint64 {
	if len(more) > len(sum) {
		sum = append(sum, make([]uint64, len(more)-len(sum))...)
	}
	for i, n := range more {
		sum[i] += n
	}
	return sum
}

func total(bins []uint64) uint64 {
	n := uint64(0)
	for _, b := range bins {
		n += b
	}
	return n
}

// distribution picks at most 100 points of the empirical distribution function:
// the fastest requests, every per cent up to 93, then the tail to the slowest.
// Each point is exact: that share of the n requests took at most so long.
func distribution(bins []uint64, n uint64) (shares, ms []float64) {
	wanted := []float64{0}
	for percent := 1; percent <= 93; percent++ {
		wanted = append(wanted, float64(percent)/100)
	}
	wanted = append(wanted, 0.95, 0.975, 0.99, 0.995, 0.999, 1)
	below := uint64(0)
	for i, count := range bins {
		if count == 0 {
			continue
		}
		below += count
		share := float64(below) / float64(n)
		passed := slices.IndexFunc(wanted, func(w float64) bool { return w > share })
		if passed == 0 {
			continue
		}
		shares, ms = append(shares, share), append(ms, float64(i))
		if passed < 0 {
			break
		}
		wanted = wanted[passed:]
	}
	return shares, ms
}
