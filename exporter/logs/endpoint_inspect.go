package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// File is what the end of a log shows.
type File struct {
	Path   string
	Lines  int // looked at
	Parsed int // of those, lines of the pattern
	Err    error
}

// How much of the end of a log is looked at.
const (
	inspectedBytes = 64 << 10
	inspectedLines = 100
)

// Inspect reads the last lines of the newest access log of each path or glob.
func (c *Endpoint) Inspect(patterns []string) []File {
	return inspectLogs(patterns, func(line []byte) bool {
		_, ok := c.parser.parse(line)
		return ok
	})
}

// Inspect reads the last lines of the newest log of each path or glob; every
// line will do.
func Inspect(patterns []string) []File {
	return inspectLogs(patterns, func([]byte) bool { return true })
}

func inspectLogs(patterns []string, parses func([]byte) bool) []File {
	files := make([]File, len(patterns))
	for i, pattern := range patterns {
		f := &files[i]
		var text []byte
		if f.Path, f.Err = newest(pattern); f.Err == nil {
			text, f.Err = tailOf(f.Path)
		}
		if f.Err != nil {
			f.Path = pattern
			continue
		}
		lines := bytes.Split(text, []byte("\n"))
		lines = lines[:len(lines)-1] // what follows the last newline is not written yet
		for _, line := range lines[max(0, len(lines)-inspectedLines):] {
			f.Lines++
			if parses(bytes.TrimSuffix(line, []byte("\r"))) {
				f.Parsed++
			}
		}
	}
	return files
}

// newest returns the file of a path or glob that was written to last.
func newest(pattern string) (string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", errors.New("no file has this name: is the path right, and may we search its folder?")
	}
	modified := func(name string) int64 {
		info, err := os.Stat(name)
		if err != nil {
			return 0 // gone; opening it will say so
		}
		return info.ModTime().UnixNano()
	}
	return slices.MaxFunc(names, func(a, b string) int { return int(min(1, max(-1, modified(a)-modified(b)))) }), nil
}

// tailOf returns the end of a file, without a line that begins before it.
func tailOf(path string) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	from := max(0, info.Size()-inspectedBytes)
	if text, err = io.ReadAll(io.NewSectionReader(f, from, inspectedBytes)); err != nil {
		return nil, err
	}
	if from > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text, nil
}
