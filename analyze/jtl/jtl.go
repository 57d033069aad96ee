// Package jtl reads JMeter's result files in CSV, plain or compressed, with all
// cores: what stands in a row, which rows are damaged and where. It counts nothing.
package jtl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

const (
	// maxElapsedMS bounds the histogram: a token request that took more than an
	// hour is a damaged row, not a measurement.
	maxElapsedMS = 3600 * 1000
	// maxStartMS is in the year 5138. Larger numbers are no milliseconds.
	maxStartMS = 1e14
	// blockSize is what one worker reads at a time. It stays in a core's cache
	// and is twice maxRecord, so that a block of sound rows has a place to cut.
	blockSize = 2 * maxRecord
)

// Row is one result.
type Row struct {
	Start, Elapsed int64  // milliseconds, Start since the epoch
	Label          []byte // valid only during the call that gets the row
	Success        bool
	Local          bool // Start was a date without a time zone, read as UTC

	// Bytes and SentBytes are set only where rows are read one after the other;
	// 0 where the file has no such column or no number in it.
	Bytes, SentBytes int64
}

// End is when the answer was there, in milliseconds since the epoch.
func (r Row) End() int64 { return r.Start + r.Elapsed }

// File says what reading one result file showed.
type File struct {
	SHA256   string   // of the file's bytes as they lie there, compressed or not
	Rows     uint64   // sound and damaged ones
	Bad      uint64   // damaged ones
	BadLines []string // the first MaxBadLines of them as file:line: reason
	Locals   uint64   // rows whose time is a date without a time zone
	Local    string   // the first of them as file:line: text
}

// MaxBadLines is how many damaged rows are quoted; all are counted.
const MaxBadLines = 5

// errSerial says that a file cannot be read in parallel: its columns change on
// the way, or it has no place where it can be cut.
var errSerial = errors.New("the rows have to be read one after the other")

// Scan reads one JMeter CSV result file, plain or compressed, and hands
// every good row to one of the functions that handles makes, one for each
// worker. Damaged rows are counted with their line numbers. Dates that can be
// read in more than one way, and results saved as XML, are errors that say what
// to set. With no workers, and wherever it must, it reads serially; what it
// finds is the same. handles may then be called a second time: what the first
// functions were given no longer counts. read, unless nil, gets the bytes.
func Scan(ctx context.Context, name, path string, read io.Writer, workers int, handles func(n int) []func(Row)) (File, error) {
	file, err := scanOnce(ctx, name, path, read, workers, handles)
	if errors.Is(err, errSerial) {
		return scanOnce(ctx, name, path, read, 0, handles)
	}
	return file, err
}

func scanOnce(ctx context.Context, name, path string, read io.Writer, workers int, handles func(n int) []func(Row)) (File, error) {
	in, err := Open(name, path, read)
	if err != nil {
		return File{}, err
	}
	defer in.Close() //nolint:errcheck // read only: nothing to lose
	buffer := make([]byte, blockSize)
	n, err := fill(in, buffer)
	whole := errors.Is(err, io.EOF)
	if err != nil && !whole {
		return File{}, err
	}
	if bytes.HasPrefix(buffer[:n], []byte(byteOrderMark)) {
		n = copy(buffer, buffer[len(byteOrderMark):n])
	}
	cols, err := sniff(name, buffer[:n])
	if err != nil {
		return File{}, err
	}
	if cols.count == 0 || !in.again {
		workers = 0
	}
	p := stretch{}
	switch s := newScan(name, cols); {
	case workers == 0:
		s.handle = handles(1)[0]
		err = s.serial(ctx, io.MultiReader(bytes.NewReader(buffer[:n]), in))
		p = s.stretch
	case whole:
		s.fixed, s.handle = true, handles(1)[0]
		err = s.block(buffer[:n])
		p = s.stretch
	default:
		p, err = parallel(ctx, s, in, buffer, n, handles(workers))
	}
	if err == nil && p.date != nil {
		err = dateError(name, p.date.line, p.date.why)
	}
	if err != nil {
		return File{}, err
	}
	return in.finish(p)
}

const byteOrderMark = "\ufeff"

// sniff finds the columns in the beginning of a file. Where no row can be read
// there they stay unknown.
func sniff(name string, head []byte) (columns, error) {
	for r := (records{rest: head, cols: unknownColumns()}); ; {
		fields, line, _, err := r.next()
		if errors.Is(err, io.EOF) {
			return columns{}, nil
		}
		if err == nil && !blank(fields) {
			cols, _, err := firstRow(name, line, fields)
			return cols, err
		}
	}
}

func blank(fields [][]byte) bool { return len(fields) == 1 && len(fields[0]) == 0 }

// fill reads until the buffer is full; the error is io.EOF at the end of the
// input. io.ReadFull cannot tell that end from the one inside cut-off data.
func fill(in io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var m int
		m, err = in.Read(buffer[n:])
		n += m
	}
	return n, err
}

// badLine is a damaged row.
type badLine struct {
	line int
	why  string
}

// quote writes the row as file:line: reason.
func (b badLine) quote(name string) string { return fmt.Sprintf("%s:%d: %s", name, b.line, b.why) }
