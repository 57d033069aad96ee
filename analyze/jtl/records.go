package jtl

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	readBuffer = 1 << 20
	// maxRecord bounds what a quote that is never closed can swallow. JMeter
	// failure messages with whole response bodies stay far below it.
	maxRecord = 256 << 10
)

// errOpenQuote marks a record whose quoted field never ends.
var errOpenQuote = errors.New("a quoted field is never closed")

// errLongRecord marks a record beyond maxRecord.
var errLongRecord = errors.New("the row is longer than 256 KiB")

// records reads CSV rows one at a time in constant memory. encoding/csv is not
// used because it gives up on a stray quote and because one damaged row would
// take the following good ones with it; here the next line that starts like a
// result ends a damaged row.
type records struct {
	in     *bufio.Reader // nil: rest is all there is
	rest   []byte
	cols   columns // what separates fields, and which lines begin a row
	line   int     // number of the last line read
	fields [][]byte
	row    []byte
	peeked []byte // a line that already belongs to the next record
	held   bool
}

func newRecords(r io.Reader) *records {
	return &records{in: bufio.NewReaderSize(r, readBuffer), cols: unknownColumns()}
}

// next returns the fields of the next row, the number of its first line and
// whether the input ended inside it without a newline. The fields are valid
// until the next call. errOpenQuote and errLongRecord concern this row only.
func (r *records) next() (fields [][]byte, line int, last bool, err error) {
	text, err := r.readLine()
	if err != nil {
		if errors.Is(err, errLongRecord) {
			return nil, r.line, false, err
		}
		return nil, r.line, true, err
	}
	line = r.line
	last = !bytes.HasSuffix(text, []byte("\n"))
	if bytes.IndexByte(text, '"') < 0 {
		return r.splitPlain(chomp(text)), line, last, nil
	}
	return r.quoted(text, line)
}

// quoted completes a row that has quotes and may go on over several lines.
func (r *records) quoted(first []byte, line int) ([][]byte, int, bool, error) {
	r.row = append(r.row[:0], first...)
	comma := r.cols.comma
	state := scanQuotes(atFieldStart, first, comma)
	for state == inQuotes {
		text, err := r.readLine()
		if errors.Is(err, io.EOF) {
			return nil, line, true, errOpenQuote
		}
		if err != nil {
			return nil, line, false, err
		}
		if r.cols.begins(text) {
			r.peeked, r.held = append(r.peeked[:0], text...), true
			return nil, line, false, errOpenQuote
		}
		if len(r.row)+len(text) > maxRecord {
			return nil, line, false, errLongRecord
		}
		r.row = append(r.row, text...)
		state = scanQuotes(state, text, comma)
	}
	last := !bytes.HasSuffix(r.row, []byte("\n"))
	return r.splitQuoted(chomp(r.row)), line, last, nil
}

// readLine returns one line with its newline. A line longer than maxRecord is
// skipped to its end.
func (r *records) readLine() ([]byte, error) {
	if r.held {
		r.held = false
		return r.peeked, nil
	}
	if r.in == nil {
		return r.cutLine()
	}
	text, err := r.in.ReadSlice('\n')
	if len(text) > 0 {
		r.line++
	}
	switch {
	case err == nil && len(text) <= maxRecord, errors.Is(err, io.EOF) && len(text) > 0 && len(text) <= maxRecord:
		return text, nil
	case errors.Is(err, bufio.ErrBufferFull):
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, errLongRecord
	case err == nil, errors.Is(err, io.EOF) && len(text) > 0:
		return nil, errLongRecord
	}
	return nil, err
}

// cutLine is readLine where the text is in memory.
func (r *records) cutLine() ([]byte, error) {
	if len(r.rest) == 0 {
		return nil, io.EOF
	}
	n := bytes.IndexByte(r.rest, '\n') + 1
	if n == 0 {
		n = len(r.rest)
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	r.line++
	if n > maxRecord {
		return nil, errLongRecord
	}
	return text, nil
}

func (r *records) splitPlain(text []byte) [][]byte {
	r.fields = r.fields[:0]
	for {
		i := bytes.IndexByte(text, r.cols.comma)
		if i < 0 {
			r.fields = append(r.fields, text)
			return r.fields
		}
		r.fields = append(r.fields, text[:i])
		text = text[i+1:]
	}
}

// splitQuoted splits a complete row in place: a doubled quote inside quotes
// becomes one, and a quote inside an unquoted field stands for itself.
func (r *records) splitQuoted(text []byte) [][]byte {
	r.fields = r.fields[:0]
	for {
		field, rest, more := unquote(text, r.cols.comma)
		r.fields = append(r.fields, field)
		if !more {
			return r.fields
		}
		text = rest
	}
}

// unquote cuts off the first field, and says whether there are more.
func unquote(text []byte, comma byte) (field, rest []byte, more bool) {
	if len(text) == 0 || text[0] != '"' {
		return bytes.Cut(text, []byte{comma})
	}
	field, text = text[:0], text[1:]
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return append(field, text...), nil, false
		}
		field = append(field, text[:i]...)
		if text = text[i+1:]; len(text) == 0 || text[0] != '"' {
			break
		}
		field = append(field, '"')
		text = text[1:]
	}
	// What stands between the closing quote and the delimiter belongs to the field.
	tail, rest, more := bytes.Cut(text, []byte{comma})
	return append(field, tail...), rest, more
}

// quoteState is where a scan stands inside a row.
type quoteState uint8

const (
	atFieldStart quoteState = iota
	inField
	inQuotes
	afterQuote // one quote seen inside quotes: the end, or the first of two
)

func step(s quoteState, c, comma byte) quoteState {
	switch {
	case s == inQuotes && c == '"':
		return afterQuote
	case s == inQuotes:
		return inQuotes
	case s == afterQuote && c == '"', s == atFieldStart && c == '"':
		return inQuotes
	case c == comma:
		return atFieldStart
	default:
		return inField
	}
}

func scanQuotes(s quoteState, text []byte, comma byte) quoteState {
	for len(text) > 0 {
		n := 1
		switch s {
		case inQuotes:
			n = bytes.IndexByte(text, '"') + 1
		case inField:
			n = bytes.IndexByte(text, comma) + 1
		}
		if n == 0 {
			return s
		}
		s = step(s, text[n-1], comma)
		text = text[n:]
	}
	return s
}

func digits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}

func chomp(text []byte) []byte {
	text = bytes.TrimSuffix(text, []byte("\n"))
	return bytes.TrimSuffix(text, []byte("\r"))
}
