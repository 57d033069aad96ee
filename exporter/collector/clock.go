package collector

import (
	"math"
	"sync"
	"time"
)

// clock finds by how much the table's clock is off. API Manager writes a UTC
// wall clock into a TIMESTAMP column; where its sessions or the server are not
// in UTC, all rows lie a multiple of a quarter of an hour in the past or the
// future. Only rows that arrive tell: the newest row of an idle table is old
// without being wrong.
//
// The offset is 0 until two arrivals in a row agree on another one, so that a
// single row with a strange time, from one node with a wrong clock or by hand,
// moves nothing.
type clock struct {
	mu         sync.Mutex
	offset     int64 // seconds to add to UTC to get the table's clock
	generation int   // grows with every change of the offset
	last       sighting
	candidate  int64
	votes      int
}

// sighting is what one look at the table shows; times are Unix seconds, 0 for
// none.
type sighting struct {
	now     float64 // the server's clock
	present int64   // newest row that is not in the future of a UTC clock
	newest  int64   // newest row
	future  int64   // rows beyond the table's own clock, at most futureRowsCap

	counted float64 // rows counted so far

	sent, received time.Time // by our clock: now lies between them
}

// known returns the offset found so far.
func (c *clock) known() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// A row may be ahead of the server by its writer's clock skew and the rounding
// of fractional seconds before it counts as a row of the future.
const futureSlack = 60 // seconds

// Clocks on earth lie between UTC−12 and UTC+14.
const (
	quarterHour = 15 * 60
	maxOffset   = 14 * 3600
)

// second returns the present second on the table's clock.
func (s sighting) second(offset int64) int64 {
	return int64(math.Floor(s.now)) + offset
}

// latest returns the newest row that is known not to be in the future of the
// table's clock, 0 for none.
func (s sighting) latest(offset int64) int64 {
	for _, row := range []int64{s.newest, s.present} {
		if row <= s.second(offset)+futureSlack {
			return row
		}
	}
	return 0
}

// with joins the sightings of tables that the same nodes write.
func (s sighting) with(other sighting) sighting {
	if s.now == 0 {
		return other
	}
	other.present, other.newest = max(s.present, other.present), max(s.newest, other.newest)
	return other
}

// stepTolerance is how much less time than passed here may pass on the server
// before its clock was set back.
const stepTolerance = time.Second

// back reports whether the server's clock was set back between two sightings,
// whichever connection made them and however long their answers took.
func (s sighting) back(before sighting) bool {
	passed := s.sent.Sub(before.received) - stepTolerance
	return before.now != 0 && s.now-before.now < passed.Seconds()
}

// tick is the state of the clock after a sighting.
type tick struct {
	offset     int64
	generation int
	back       bool // the server's clock was set back since the sighting before
}

// observe learns from a sighting.
func (c *clock) observe(s sighting) tick {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.last
	c.last = s
	if candidate, arrived := arrival(before, s, c.offset); arrived {
		c.vote(candidate)
	}
	return tick{c.offset, c.generation, s.back(before)}
}

func (c *clock) vote(candidate int64) {
	if candidate == c.offset || candidate != c.candidate {
		c.candidate, c.votes = candidate, 0
	}
	if c.votes++; c.votes >= 2 && candidate != c.offset {
		c.offset = candidate
		c.generation++
	}
}

// read returns the state of the clock.
func (c *clock) read() tick {
	c.mu.Lock()
	defer c.mu.Unlock()
	return tick{offset: c.offset, generation: c.generation}
}

// arrival returns the offset that rows which came between two sightings speak
// for. A row that was in the future before and is not any more has not come:
// the clock passes over the rows of a table whose clock is ahead. Rows on a UTC
// clock win over others, and then those that were counted.
func arrival(before, after sighting, current int64) (offset int64, arrived bool) {
	if before.now == 0 {
		return 0, false
	}
	present := after.present > before.present && float64(after.present) <= before.now+futureSlack
	switch {
	case present && roundOffset(after.present, after.now) == 0:
		return 0, true
	case after.counted > before.counted:
		return current, true
	case after.newest > before.newest:
		offset = roundOffset(after.newest, after.now)
	case present:
		offset = roundOffset(after.present, after.now)
	default:
		return 0, false
	}
	return offset, offset >= -maxOffset && offset <= maxOffset
}

// roundOffset returns the distance of a row from now in whole quarters of an hour.
func roundOffset(second int64, now float64) int64 {
	return int64(math.Round((float64(second)-now)/quarterHour)) * quarterHour
}
