package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"
)

const (
	lookBackBytes  = 64 << 20        // of one node's logs
	lookBackBudget = 2 * time.Second // of all of them, where a disk is slow
	startBytes     = 256 << 10       // in which the lines after the beginning of a start lie
)

// lookBack finds the last start of each node in what its logs hold already: a
// running server wrote it long ago. It counts nothing. What cannot be read is
// reported by the scrapes, and a start that is not found leaves the mode unknown.
func (c *CarbonLog) lookBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookBackBudget)
	defer cancel()
	select {
	case c.busy <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-c.busy }()
	_ = c.tail.round(ctx) // the next scrape meets the same error and reports it
	logs := make([][]history, len(c.modes))
	for _, f := range c.tail.files {
		if !f.gone {
			logs[f.pattern] = append(logs[f.pattern], history{f.path, f.info, f.offset})
		}
	}
	for i, files := range logs {
		if c.modes[i] == (modeReader{}) { // no start seen yet
			c.modes[i] = lastStart(ctx, files)
		}
	}
}

// history is what has been read of a file, or passed over.
type history struct {
	path string
	info os.FileInfo
	size int64
}

// lastStart reads the files, the newest first, until one has a start.
func lastStart(ctx context.Context, files []history) modeReader {
	slices.SortFunc(files, func(a, b history) int { return b.info.ModTime().Compare(a.info.ModTime()) })
	left := int64(lookBackBytes)
	var after []byte // the beginning of the next file: a start may span two
	for _, h := range files {
		if left <= 0 || ctx.Err() != nil {
			break
		}
		from := max(0, h.size-left)
		left -= h.size - from
		m, ok, first := h.lastStart(ctx, from, after)
		if ok {
			return m
		}
		after = first
	}
	return modeReader{}
}

// lastStart searches the bytes from offset from on, backwards. It returns what
// the last start says and the bytes that the file begins with.
func (h history) lastStart(ctx context.Context, from int64, after []byte) (m modeReader, ok bool, first []byte) {
	file, err := os.Open(h.path)
	if err != nil {
		return m, false, nil
	}
	defer func() { _ = file.Close() }() // read only: nothing can be lost
	if info, err := file.Stat(); err != nil || !os.SameFile(info, h.info) {
		return m, false, nil // rotated since: its last start stays unknown
	}
	first, _ = readUpTo(file, min(h.size, startBytes), 0)
	overlap := int64(len(textStart) - 1)
	buf := make([]byte, readSize+overlap)
	for end := h.size; end > from && ctx.Err() == nil; end -= readSize {
		begin := max(from, end-readSize)
		n, err := file.ReadAt(buf[:min(end+overlap, h.size)-begin], begin)
		if err != nil && !errors.Is(err, io.EOF) {
			return m, false, nil
		}
		at := bytes.LastIndex(buf[:n], textStart)
		if at < 0 {
			continue
		}
		begin += int64(at)
		text, err := readUpTo(file, min(h.size-begin, startBytes), begin)
		if err != nil {
			return m, false, nil
		}
		whole := begin+int64(len(text)) == h.size
		if whole {
			text = append(text, after...)
		}
		for line := range bytes.Lines(text) {
			if m.read(line); m.mode != modeUnknown {
				return m, true, nil
			}
		}
		if !whole || len(after) > 0 {
			m = modeReader{} // what comes next in the log is not what we read next
		}
		return m, true, nil
	}
	return m, false, first
}
