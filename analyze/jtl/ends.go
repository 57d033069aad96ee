package jtl

import (
	"bytes"
	"errors"
	"io"
	"os"
)

var errNoEnds = errors.New("the file does not show its end")

// Ends hands the rows at both ends of a file to handle, half a mebibyte of each.
// Damaged rows are left out: reading the whole file says what is wrong. A
// compressed file, and one that does not begin with a row, is an error.
func Ends(path string, handle func(Row)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // read only: nothing to lose
	buffer := make([]byte, blockSize)
	n, err := fill(file, buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head := bytes.TrimPrefix(buffer[:n], []byte(byteOrderMark))
	if compression(head) != "" {
		return errNoEnds
	}
	cols, err := sniff(path, head)
	if err != nil || cols.count == 0 {
		return errNoEnds
	}
	rows := newScan(path, cols)
	rows.fixed, rows.handle = true, handle
	if n < len(buffer) {
		return rows.block(head)
	}
	if err := rows.block(head[:bytes.LastIndexByte(head, '\n')+1]); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if n, err = file.ReadAt(buffer, max(0, info.Size()-blockSize)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return rows.block(cols.firstRow(buffer[:n]))
}

// firstRow returns the text from the first line on that begins a row for
// certain, leaving out the line that the text begins with.
func (c columns) firstRow(text []byte) []byte {
	for {
		n := bytes.IndexByte(text, '\n') + 1
		if n == 0 {
			return nil
		}
		text = text[n:]
		if line, _, _ := bytes.Cut(text, []byte{'\n'}); c.begins(line) {
			return text
		}
	}
}
