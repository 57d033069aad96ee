package source

import (
	"maps"
	"slices"
	"time"
)

// readings are the times at which the exporter read the statement summaries. A
// scrape shows the values of the reading before it, up to a minute old, so the
// counters are put back to when they were read.
type readings struct {
	stamps []sample // as scraped: the time of the reading in seconds
	at     []int64  // distinct readings within the window, milliseconds by rising time
	own    bool     // the stamps are on the clock of the scrapes
}

// mostAge is how old a reading may be when it is scraped; the exporter allows
// an hour between readings. A stamp that is older, or in the future, is on
// another clock: the database's is not ours to trust.
const (
	mostAge   = time.Hour
	mostAhead = 2 * time.Second
)

func newReadings(stamps []sample, start, end time.Time) readings {
	r := readings{stamps: stamps, own: true}
	for _, s := range stamps {
		age := time.Duration(float64(s.t)-s.v*1000) * time.Millisecond
		r.own = r.own && age <= mostAge && age >= -mostAhead
	}
	if len(stamps) > 0 { // what was read before the first scrape has no tokens beside it
		start = later(start, ms(stamps[0].t))
	}
	for _, t := range slices.Sorted(maps.Keys(r.place(stamps))) {
		if t >= start.UnixMilli() && t <= end.UnixMilli() {
			r.at = append(r.at, t)
		}
	}
	return r
}

// place gives each value the time of its reading, or, where the clocks differ,
// that of the first scrape that showed the reading.
func (r readings) place(values []sample) points {
	if r.own {
		return restamp(values, r.stamps)
	}
	at, first := map[int64]int64{}, map[float64]int64{}
	for _, s := range r.stamps {
		if _, ok := first[s.v]; !ok {
			first[s.v] = s.t
		}
		at[s.t] = first[s.v]
	}
	out := points{}
	for _, v := range values {
		if t, ok := at[v.t]; ok {
			out[t] = v.v
		}
	}
	return out
}

// intervals counts those between readings, and gives the longest and the median.
func (r readings) intervals() (n int, longest, step time.Duration) {
	if len(r.at) < 2 {
		return 0, 0, 0
	}
	steps := make([]time.Duration, 0, len(r.at))
	for i := 1; i < len(r.at); i++ {
		steps = append(steps, time.Duration(r.at[i]-r.at[i-1])*time.Millisecond)
	}
	return len(steps), slices.Max(steps), median(steps)
}

// rise is what a counter gained between the first and the last reading.
func (r readings) rise(s rawSeries, u *Usage) float64 {
	placed := r.place(s.samples)
	var samples []sample
	for _, t := range slices.Sorted(maps.Keys(placed)) {
		samples = append(samples, sample{t, placed[t]})
	}
	rises, resets := increments(samples, r.at[0], r.at[len(r.at)-1])
	u.Resets += resets
	sum := 0.0
	for _, in := range rises {
		sum += in.Increase
	}
	return sum
}
