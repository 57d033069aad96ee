package source

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
	in     *bufio.Reader
	line   int // number of the last line read
	fields [][]byte
	row    []byte
	peeked []byte // a line that already belongs to the next record
	held   bool
}

func newRecords(r io.Reader) *records {
	return &records{in: bufio.NewReaderSize(r, readBuffer)}
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
	state := scanQuotes(atFieldStart, first)
	for state == inQuotes {
		text, err := r.readLine()
		if errors.Is(err, io.EOF) {
			return nil, line, true, errOpenQuote
		}
		if err != nil {
			return nil, line, false, err
		}
		if startsLikeResult(text) {
			r.peeked, r.held = append(r.peeked[:0], text...), true
			return nil, line, false, errOpenQuote
		}
		if len(r.row)+len(text) > maxRecord {
			return nil, line, false, errLongRecord
		}
		r.row = append(r.row, text...)
		state = scanQuotes(state, text)
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

func (r *records) splitPlain(text []byte) [][]byte {
	r.fields = r.fields[:0]
	for {
		i := bytes.IndexByte(text, ',')
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
	out := text[:0]
	from, state := 0, atFieldStart
	for _, c := range text {
		next := step(state, c)
		switch {
		case next == atFieldStart:
			r.fields = append(r.fields, out[from:])
			from = len(out)
		case next == inQuotes && state == afterQuote: // the second of a doubled quote
			out = append(out, c)
		case next == afterQuote, next == inQuotes && state == atFieldStart: // the quotes themselves
		default:
			out = append(out, c)
		}
		state = next
	}
	return append(r.fields, out[from:])
}

// quoteState is where a scan stands inside a row.
type quoteState uint8

const (
	atFieldStart quoteState = iota
	inField
	inQuotes
	afterQuote // one quote seen inside quotes: the end, or the first of two
)

func step(s quoteState, c byte) quoteState {
	switch {
	case s == inQuotes && c == '"':
		return afterQuote
	case s == inQuotes:
		return inQuotes
	case s == afterQuote && c == '"', s == atFieldStart && c == '"':
		return inQuotes
	case c == ',':
		return atFieldStart
	default:
		return inField
	}
}

func scanQuotes(s quoteState, text []byte) quoteState {
	for _, c := range text {
		s = step(s, c)
	}
	return s
}

// startsLikeResult recognises "epoch milliseconds,elapsed," at the start of a
// line. No message that JMeter quotes begins a line like that.
func startsLikeResult(text []byte) bool {
	n := digits(text)
	if n < 12 || n > 14 || n >= len(text) || text[n] != ',' {
		return false
	}
	m := digits(text[n+1:])
	return m > 0 && n+1+m < len(text) && text[n+1+m] == ','
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
