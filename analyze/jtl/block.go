package jtl

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// block reads the rows of text, which begins where a row does and ends where
// one ends. Plain rows take a short way; what it cannot read for certain goes
// through records and columns.row, which judge every row that is not plain.
func (s *scan) block(text []byte) error {
	quote := 0 // where the next quote stands
	for at := 0; at < len(text); {
		end := bytes.IndexByte(text[at:], '\n')
		if end >= 0 && end < maxRecord {
			end += at
			if quote < at || at == 0 {
				quote = len(text)
				if i := bytes.IndexByte(text[at:], '"'); i >= 0 {
					quote = at + i
				}
			}
			if end < quote {
				if row, ok := s.plan.read(text, at, end); ok {
					s.lines++
					s.rows++
					s.handle(row)
					at = end + 1
					continue
				}
			}
		}
		next, err := s.other(text, at)
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// other reads the row at a place of the text as records does, and returns where
// the next one begins.
func (s *scan) other(text []byte, at int) (next int, err error) {
	r := &s.odd
	r.rest, r.line = text[at:], s.lines
	fields, line, last, err := r.next()
	next = len(text) - len(r.rest)
	if r.held { // the line that ended a damaged row begins the next one
		next -= len(r.peeked)
		r.line--
		r.held = false
	}
	s.lines = r.line
	return next, s.take(fields, line, last, err)
}

// plan says in which order the fields that we need are met in a plain row.
type plan struct {
	steps [4]planStep
	after int    // delimiters behind the last of them
	sep   []byte // the delimiter
	wide  uint64 // the delimiter, eight times
}

// planStep goes past so many fields and reads one.
type planStep struct {
	skip  int
	field planField
}

type planField uint8

const (
	timeField planField = iota
	elapsedField
	labelField
	successField
)

func planFor(c columns) plan {
	p := plan{sep: []byte{c.comma}, wide: uint64(c.comma) * 0x0101010101010101}
	at := [4]int{timeField: c.time, elapsedField: c.elapsed, labelField: c.label, successField: c.success}
	from := 0
	for i := range p.steps {
		next := -1
		for field, position := range at {
			if position >= from && (next < 0 || position < at[next]) {
				next = field
			}
		}
		if next < 0 { // the columns are not known yet
			return plan{}
		}
		p.steps[i] = planStep{at[next] - from, planField(next)}
		from = at[next] + 1
	}
	p.after = c.count - from
	return p
}

// read reads the row text[at:end] when everything in it is as it mostly is:
// numbers of digits alone, true or false in small letters, as many delimiters
// as the file has. The caller sees to it that there is no quote.
func (p *plan) read(text []byte, at, end int) (row Row, ok bool) {
	if len(p.sep) == 0 {
		return row, false
	}
	if end > at && text[end-1] == '\r' {
		end--
	}
	for i := range p.steps {
		if i > 0 { // over the delimiter behind the last field
			if at == end {
				return row, false
			}
			at++
		}
		if skip := p.steps[i].skip; skip > 0 {
			if at = pass(text, at, end, skip, p.wide); at < 0 {
				return row, false
			}
		}
		switch p.steps[i].field {
		case timeField:
			if row.Start, at = number(text, at, end); at < 0 || row.Start <= 0 || row.Start > maxStartMS {
				return row, false
			}
		case elapsedField:
			if row.Elapsed, at = number(text, at, end); at < 0 || row.Elapsed > maxElapsedMS {
				return row, false
			}
		case labelField:
			n := bytes.IndexByte(text[at:end], p.sep[0])
			if n < 0 {
				n = end - at
			}
			row.Label = text[at : at+n]
			at += n
		case successField:
			switch field := text[at:end]; {
			case len(field) >= 4 && string(field[:4]) == "true":
				row.Success = true
				at += 4
			case len(field) >= 5 && string(field[:5]) == "false":
				at += 5
			default:
				return row, false
			}
		}
		if at < end && text[at] != p.sep[0] {
			return row, false
		}
	}
	return row, bytes.Count(text[at:end], p.sep) == p.after
}

// number reads digits up to the first byte that is none. at is negative when
// there is no digit, or more than fit.
func number(text []byte, at, end int) (n int64, next int) {
	from := at
	if at+8 <= end {
		if w := binary.LittleEndian.Uint64(text[at:]); eightDigits(w) {
			n = int64(eightDigitValue(w))
			at += 8
		}
	}
	for ; at < end; at++ {
		digit := text[at] - '0'
		if digit > 9 {
			break
		}
		n = n*10 + int64(digit)
	}
	if at == from || at-from > 18 {
		return 0, -1
	}
	return n, at
}

// eightDigits tells whether eight bytes are digits, and eightDigitValue is the
// number that they write, the first byte being the lowest of the word. Both are
// from Lemire, "Quickly parsing eight digits" (2018 and 2022).
func eightDigits(w uint64) bool {
	return w&0xf0f0f0f0f0f0f0f0|(w+0x0606060606060606)&0xf0f0f0f0f0f0f0f0>>4 == 0x3333333333333333
}

func eightDigitValue(w uint64) uint32 {
	w = w & 0x0f0f0f0f0f0f0f0f * 2561 >> 8
	w = w & 0x00ff00ff00ff00ff * 6553601 >> 16
	return uint32(w & 0x0000ffff0000ffff * 42949672960001 >> 32)
}

// pass returns the place behind the n-th delimiter from at on, negative when
// there are fewer before end, or too few bytes left to look at eight at once.
func pass(text []byte, at, end, n int, wide uint64) int {
	for at+8 <= len(text) && at < end {
		const low = 0x7f7f7f7f7f7f7f7f
		x := binary.LittleEndian.Uint64(text[at:]) ^ wide
		hits := ^((x&low + low) | x | low) // the high bit of each byte that is a delimiter, exactly
		if c := bits.OnesCount64(hits); c < n {
			n -= c
			at += 8
			continue
		}
		for ; n > 1; n-- {
			hits &= hits - 1
		}
		if at += bits.TrailingZeros64(hits)/8 + 1; at > end {
			return -1
		}
		return at
	}
	return -1
}
