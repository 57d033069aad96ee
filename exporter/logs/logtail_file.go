package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

const (
	readSize  = 256 << 10 // bytes per read
	maxLine   = 1 << 20   // a longer line is counted as unparsed and not kept
	probeSize = 64        // bytes at the beginning, and before the position, that tell a file from its successor
)

// followed is a file, whatever its name is now.
type followed struct {
	path    string
	pattern int // index of the pattern that leads to path
	info    fs.FileInfo
	file    *os.File // nil: not needed now, or not yet readable
	offset  int64
	head    []byte    // the bytes that the file begins with
	probe   []byte    // the bytes before offset
	line    []byte    // the beginning of a line whose end is not written yet
	skip    bool      // the rest of the current line is not wanted
	named   bool      // its path still leads to it
	gone    bool      // it lost its name long ago: only its position is remembered
	back    bool      // it was gone: another file may have its inode by now
	alive   time.Time // when it last grew or had a name
	size    int64     // when the current round began
}

// measure opens the file if there is a reason to, and takes its size.
func (f *followed) measure(now time.Time) error {
	if f.named && !f.back && f.info.Size() == f.offset && now.Sub(f.info.ModTime()) > keepOpen {
		f.close()
		return nil
	}
	if f.file == nil && f.named {
		if err := f.open(); err != nil {
			return err
		}
	}
	if f.file == nil { // replaced or removed since we looked
		f.size = f.offset
		return nil
	}
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	f.size = info.Size()
	return nil
}

// open opens the file and keeps it open: a handle outlives a rename, and while it
// is held no other file can take the inode.
func (f *followed) open() error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil || !os.SameFile(info, f.info) {
		return errors.Join(err, file.Close())
	}
	f.file = file
	if f.offset > 0 && f.probe == nil {
		return f.begin()
	}
	return nil
}

// begin takes the position at which following starts, inside a file that was
// there before us: the line under way belongs to the time before.
func (f *followed) begin() error {
	size := min(f.offset, probeSize)
	var err error
	if f.head, err = readUpTo(f.file, size, 0); err != nil {
		return err
	}
	if f.probe, err = readUpTo(f.file, size, f.offset-size); err != nil {
		return err
	}
	n := len(f.probe)
	f.skip = n > 0 && f.probe[n-1] != '\n'
	return nil
}

// readUpTo reads n bytes at an offset, fewer where the file ends.
func readUpTo(file *os.File, n, offset int64) ([]byte, error) {
	data := make([]byte, n)
	have, err := file.ReadAt(data, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:have], nil
}

// read reads from the position to the size seen when the round began.
func (t *tail) read(ctx context.Context, f *followed) error {
	if f.file == nil || f.size == f.offset && !f.back {
		return nil
	}
	if err := t.checkTruncated(f); err != nil {
		return t.fileError(err)
	}
	if t.buf == nil {
		t.buf = make([]byte, readSize)
	}
	for f.offset < f.size && ctx.Err() == nil {
		n, err := f.file.ReadAt(t.buf[:min(readSize, f.size-f.offset)], f.offset)
		if n == 0 && errors.Is(err, io.EOF) {
			return nil // truncated under our hands: the next round sees it
		}
		if n == 0 {
			return t.fileError(err)
		}
		f.remember(t.buf[:n])
		f.offset += int64(n)
		f.alive = t.now()
		t.split(f, t.buf[:n])
	}
	return nil
}

// checkTruncated starts the file again when it is shorter than the position, or
// longer but with other bytes there and at its beginning: emptied and written past it
// between two looks.
func (t *tail) checkTruncated(f *followed) error {
	back := f.back
	f.back = false
	if f.size > f.offset || back && f.size == f.offset {
		head, err := readUpTo(f.file, int64(len(f.head)), 0)
		if err != nil {
			return err
		}
		probe, err := readUpTo(f.file, int64(len(f.probe)), f.offset-int64(len(f.probe)))
		if err != nil {
			return err
		}
		if bytes.Equal(head, f.head) && bytes.Equal(probe, f.probe) {
			return nil
		}
	}
	if !back { // else it is another file
		t.truncations++
	}
	f.offset, f.head, f.probe, f.line, f.skip = 0, nil, nil, nil, false
	return nil
}

// remember keeps the first and the last bytes of what has been read, of which
// data comes next.
func (f *followed) remember(data []byte) {
	if have := len(f.head); have < probeSize && f.offset == int64(have) {
		f.head = append(f.head, data[:min(len(data), probeSize-have)]...)
	}
	if over := len(f.probe) + len(data) - probeSize; over > 0 {
		f.probe = append(f.probe[:0], f.probe[min(over, len(f.probe)):]...)
	}
	f.probe = append(f.probe, data[max(0, len(data)-probeSize):]...)
}

// split hands on the complete lines of data and keeps the beginning of the last.
func (t *tail) split(f *followed, data []byte) {
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			break
		}
		t.finish(f, data[:end])
		data = data[end+1:]
	}
	switch {
	case f.skip:
	case len(f.line)+len(data) > maxLine:
		t.line(f.pattern, nil)
		f.line, f.skip = nil, true
	default:
		f.line = append(f.line, data...)
	}
}

// finish ends the current line with its last bytes.
func (t *tail) finish(f *followed, end []byte) {
	switch {
	case f.skip:
		f.skip = false
		return
	case len(f.line)+len(end) > maxLine:
		t.line(f.pattern, nil)
	case len(f.line) > 0:
		f.line = append(f.line, end...)
		t.hand(f, f.line)
	default:
		t.hand(f, end)
	}
	if cap(f.line) > readSize {
		f.line = nil // one long line is no reason to keep a megabyte
	}
	f.line = f.line[:0]
}

// hand passes a line on without the carriage return of a Windows host.
func (t *tail) hand(f *followed, line []byte) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	t.line(f.pattern, line)
}

func (f *followed) close() {
	if f.file != nil {
		_ = f.file.Close() // read only: nothing can be lost
		f.file = nil
	}
}
