package source

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// guessSpan looks at both ends of every file for the first and the last time.
// It is a guess, and none at all for compressed files: whoever uses it has to
// check it against all rows.
func guessSpan(spec Spec, w Window, label string) span {
	var s span
	for _, name := range w.JTL {
		if err := guessFile(spec.path(name), label, &s); err != nil {
			return span{} // reading the whole file will say what is wrong
		}
	}
	return s
}

func guessFile(path, label string, s *span) error {
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
		return errNoGuess
	}
	cols, err := sniff(path, head)
	if err != nil || cols.count == 0 {
		return errNoGuess
	}
	rows := newScan(path, cols)
	rows.fixed, rows.handle = true, func(r jtlRow) {
		if label == "" || string(r.label) == label {
			s.include(r)
		}
	}
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

var errNoGuess = errors.New("the file does not show its end")

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
