package source

import "github.com/tokenpersistence/toolkit/analyze/jtl"

// frame says which rows of a label are binned, in milliseconds since the epoch.
type frame struct {
	start, end int64 // rows that end elsewhere are outside
	measured   int64 // successes that end from here on are in the histogram
}

// bins count the rows of one label in constant memory.
type bins struct {
	count, errors uint64
	outside       uint64 // ended outside the frame
	strangers     uint64 // of these, those that also started outside
	first, last   int64  // earliest start and latest end; 0 before the first row
	seconds       timeline
	elapsed       histogram // of successes
	failedMS      uint64    // milliseconds that failures took, of those in the frame that ended from measured on
}

// add counts one row in the second, from the frame's start, in which it ends.
func (b *bins) add(r jtl.Row, f *frame, room *budget) {
	b.count++
	if !r.Success {
		b.errors++
	}
	end := r.End()
	if r.Start < b.first || b.first == 0 {
		b.first = r.Start
	}
	if end > b.last {
		b.last = end
	}
	if end < f.start || end >= f.end {
		b.outside++
		if r.Start < f.start || r.Start >= f.end {
			b.strangers++
		}
		return
	}
	second := b.seconds.at(uint64(end-f.start)/1000, room)
	if !r.Success {
		second.errors++
		if end >= f.measured {
			b.failedMS += uint64(r.Elapsed)
		}
		return
	}
	second.successes++
	if end >= f.measured {
		b.elapsed.add(uint64(r.Elapsed), 1)
	}
}

// merge adds what another worker counted.
func (b *bins) merge(o *bins, room *budget) {
	b.count += o.count
	b.errors += o.errors
	b.outside += o.outside
	b.strangers += o.strangers
	b.failedMS += o.failedMS
	if b.first == 0 || (o.first != 0 && o.first < b.first) {
		b.first = o.first
	}
	b.last = max(b.last, o.last)
	for number, page := range o.seconds.pages {
		for i, s := range page {
			if s != (tick{}) {
				to := b.seconds.at(number*pageSeconds+uint64(i), room)
				to.successes += s.successes
				to.errors += s.errors
			}
		}
	}
	for number, page := range o.elapsed.pages {
		if page == nil {
			continue
		}
		for i, n := range page {
			if n > 0 {
				b.elapsed.add(uint64(number*pageMS+i), n)
			}
		}
	}
}

// tick counts the rows that ended in one second. No load generator ends four
// billion requests in one.
type tick struct{ successes, errors uint32 }

const pageSeconds = 256

// timeline holds seconds by pages, because rows come from a stretch of time
// that is known only when the last was read.
type timeline struct {
	pages  map[uint64]*[pageSeconds]tick
	number uint64 // of page
	page   *[pageSeconds]tick
}

// maxPages bounds the time that the rows of a file may be scattered over, 24
// days for one label: a damaged clock must not use up the memory.
const maxPages = 24 * 24 * 3600 / pageSeconds

// budget counts the pages in use by all labels of a table. Rows for which there
// is no page are lost, which is an error for whoever reads the table.
type budget struct {
	pages int
	lost  bool
}

// at returns a second.
func (t *timeline) at(second uint64, room *budget) *tick {
	if number := second / pageSeconds; number != t.number || t.page == nil {
		t.turn(number, room)
	}
	return &t.page[second%pageSeconds]
}

func (t *timeline) turn(number uint64, room *budget) {
	page := t.pages[number]
	if page == nil {
		page = new([pageSeconds]tick)
		switch {
		case room.pages == maxPages:
			room.lost = true
		case t.pages == nil:
			t.pages = map[uint64]*[pageSeconds]tick{}
			fallthrough
		default:
			t.pages[number] = page
			room.pages++
		}
	}
	t.number, t.page = number, page
}

// from returns n seconds, the first of them the given one.
func (t *timeline) from(first uint64, n int) []Second {
	out := make([]Second, n)
	for number, page := range t.pages {
		for i, s := range page {
			if at := number*pageSeconds + uint64(i); at >= first && at-first < uint64(n) {
				out[at-first] = Second{Successes: uint64(s.successes), Errors: uint64(s.errors)}
			}
		}
	}
	return out
}

const pageMS = 256

// histogram counts elapsed times to the millisecond, in pages, so that one slow
// request does not cost the memory of all times below its own.
type histogram struct{ pages []*[pageMS]uint64 }

func (h *histogram) add(ms, n uint64) {
	number := ms / pageMS
	if number >= uint64(len(h.pages)) || h.pages[number] == nil {
		h.grow(number)
	}
	h.pages[number][ms%pageMS] += n
}

func (h *histogram) grow(number uint64) {
	for uint64(len(h.pages)) <= number {
		h.pages = append(h.pages, nil)
	}
	h.pages[number] = new([pageMS]uint64)
}

// dense returns the counts as one slice that ends with the longest time.
func (h *histogram) dense() []uint64 {
	var out []uint64
	for number, page := range h.pages {
		if page == nil {
			continue
		}
		for i, n := range page {
			if n > 0 {
				at := number*pageMS + i
				out = append(out, make([]uint64, at+1-len(out))...)
				out[at] = n
			}
		}
	}
	return out
}
