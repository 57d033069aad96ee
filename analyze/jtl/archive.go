package jtl

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// splitParts are the two files into which WSO2's results splitter divides a run,
// in the order of time. Their scripts keep nothing else of it.
var splitParts = []string{"results-warmup.jtl", "results-measurement.jtl"}

// wholeRun is the file that was divided.
const wholeRun = "results.jtl"

// archive is a zip file that is read as one result file.
type archive struct {
	left    []*zip.File
	open    io.ReadCloser
	newline bool // what was read so far ends a line
}

// openArchive finds the result file in a zip archive. It has to be a file on the
// disk, because the list of what is in it stands at its end.
func openArchive(file *os.File) (*archive, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("a zip archive cannot be read from a pipe: give the file")
	}
	z, err := zip.NewReader(file, info.Size())
	if err != nil {
		return nil, err
	}
	members, err := runOf(z.File)
	if err != nil {
		return nil, err
	}
	return &archive{left: members, newline: true}, nil
}

// runOf chooses the members that are one run: the only result file, the whole
// run, whose parts are then left out, or the parts into which it was divided.
func runOf(files []*zip.File) ([]*zip.File, error) {
	var names []string
	var first *zip.File
	run := map[string]*zip.File{} // the files of one run that are there
	for _, f := range files {
		if !strings.HasSuffix(strings.ToLower(f.Name), ".jtl") {
			continue
		}
		names = append(names, f.Name)
		if first == nil {
			first = f
		}
		if base := path.Base(f.Name); base == wholeRun || slices.Contains(splitParts, base) {
			run[base] = f
		}
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("the zip archive holds no file ending in .jtl")
	case len(names) == 1:
		return unlocked(first)
	case len(run) < len(names):
		return nil, fmt.Errorf("the zip archive holds several result files (%s), and which are one run cannot be told: unpack it", strings.Join(names, ", "))
	case run[wholeRun] != nil:
		return unlocked(run[wholeRun])
	}
	return unlocked(run[splitParts[0]], run[splitParts[1]])
}

// unlocked refuses members that need a password.
func unlocked(files ...*zip.File) ([]*zip.File, error) {
	for _, f := range files {
		if f.Flags&1 != 0 {
			return nil, fmt.Errorf("%s in the zip archive needs a password: unpack it", f.Name)
		}
	}
	return files, nil
}

// Read reads the members one after the other, each from the beginning of a line.
func (a *archive) Read(p []byte) (int, error) {
	for len(p) > 0 {
		if a.open == nil {
			if len(a.left) == 0 {
				return 0, io.EOF
			}
			if !a.newline {
				a.newline = true
				p[0] = '\n'
				return 1, nil
			}
			open, err := a.left[0].Open()
			if err != nil {
				return 0, err
			}
			a.open, a.left = open, a.left[1:]
		}
		n, err := a.open.Read(p)
		if n > 0 {
			a.newline = p[n-1] == '\n'
		}
		if errors.Is(err, io.EOF) {
			if err := a.close(); err != nil {
				return n, err
			}
			if n > 0 {
				return n, nil
			}
			continue
		}
		return n, err
	}
	return 0, nil
}

func (a *archive) close() error {
	if a.open == nil {
		return nil
	}
	err := a.open.Close()
	a.open = nil
	return err
}
