package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

const (
	// linger is how long a file that lost its name is read on after it last grew
	// or had one: its writer may hold it open longer than the name.
	linger = 10 * time.Second
	// keepOpen is how long after its last change a file stays open. An open file
	// survives a rename between two looks; a year of dated logs must not fill the
	// table of open files.
	keepOpen = 48 * time.Hour
	// maxLogFiles is how many files are followed: three years of daily logs. Their
	// number decides what a look costs.
	maxLogFiles = 1000
	// crowdedInterval is how often a glob that matches more than that is expanded.
	crowdedInterval = time.Minute
)

// compressed are the endings of what rotation makes of a log whose lines have
// been read.
var compressed = []string{".gz", ".zst", ".bz2", ".xz", ".zip"}

// tail follows files by path and glob: through renames, through truncation and
// into files that appear later. It has one goroutine at a time.
type tail struct {
	flag     string // that gives the patterns
	what     string // the files are, for errors
	patterns []string
	// line takes a complete line without its end, nil for one that is too long to
	// keep, and the index of the pattern by which its file was found.
	line func(pattern int, line []byte)
	now  func() time.Time

	files       []*followed
	scanned     bool      // the first look is over: what appears now is read from its beginning
	crowded     time.Time // the last look that found too many files; zero when it did not
	truncations uint64
	buf         []byte
}

// round looks at every file once and reads what was there when it looked. It
// ends early with ctx and then says how much was left.
func (t *tail) round(ctx context.Context) error {
	errs := []error{t.look()}
	var behind int64
	for _, f := range t.files {
		if err := t.read(ctx, f); err != nil {
			errs = append(errs, err)
		}
		behind += max(0, f.size-f.offset)
	}
	for _, f := range t.files {
		t.leave(f)
	}
	t.forget()
	if ctx.Err() != nil && behind > 0 {
		errs = append(errs, &collector.Failure{Class: collector.Timeout, Err: fmt.Errorf("%d bytes of the %s are still unread: %w", behind, t.what, ctx.Err())})
	}
	return errors.Join(errs...)
}

// look finds the files, new ones included, and tells a renamed file from a new
// one of the same name.
func (t *tail) look() error {
	var errs []error
	if t.crowded.IsZero() || t.now().Sub(t.crowded) >= crowdedInterval {
		errs = append(errs, t.find())
	} else {
		errs = append(errs, t.tooMany())
	}
	for _, f := range t.files {
		f.size = f.offset
		if f.gone {
			continue
		}
		if err := f.measure(t.now()); err != nil {
			errs = append(errs, t.fileError(err))
		}
	}
	if t.named() == 0 {
		errs = append(errs, fmt.Errorf("%s: no file matches %s", t.flag, strings.Join(t.patterns, ", ")))
	}
	return errors.Join(errs...)
}

// found is a file that a pattern leads to.
type found struct {
	path    string
	pattern int
	info    fs.FileInfo
}

// find expands the patterns and places what they lead to.
func (t *tail) find() error {
	paths, err := t.paths()
	errs := []error{err}
	var all []found
	for _, f := range paths {
		f.info, err = os.Stat(f.path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone since the glob saw it
		case err != nil:
			errs = append(errs, t.fileError(err))
		case f.info.Mode().IsRegular():
			all = append(all, f)
		}
	}
	// Beyond the limit the newest are followed, from their end: what is in the
	// others is not known, so that a file which takes a free place later must not
	// be taken for a new one.
	fromEnd := !t.scanned || !t.crowded.IsZero()
	t.crowded = time.Time{}
	if len(all) > maxLogFiles {
		fromEnd, t.crowded = true, t.now()
		slices.SortStableFunc(all, func(a, b found) int { return b.info.ModTime().Compare(a.info.ModTime()) })
		all = slices.Clone(all[:maxLogFiles])
		errs = append(errs, t.tooMany())
	}
	t.place(all, fromEnd)
	t.scanned = true
	return errors.Join(errs...)
}

func (t *tail) tooMany() error {
	return &collector.Failure{Class: collector.Guard, Err: fmt.Errorf("%s: more than %d files match %s; the newest %d are followed, lines may be missed: narrow the glob or remove old logs",
		t.flag, maxLogFiles, strings.Join(t.patterns, ", "), maxLogFiles)}
}

// paths expands the patterns, each path once.
func (t *tail) paths() ([]found, error) {
	var paths []found
	var errs []error
	for i, pattern := range t.patterns {
		matches := []string{pattern}
		if strings.ContainsAny(pattern, `*?[\`) {
			matches, _ = filepath.Glob(pattern) // its only error is a bad pattern, refused at the start
		}
		if len(matches) == 0 {
			// A glob does not say why it finds nothing.
			if _, err := os.ReadDir(filepath.Dir(pattern)); errors.Is(err, fs.ErrPermission) {
				errs = append(errs, t.fileError(err))
			}
		}
		for _, path := range matches {
			if !slices.Contains(compressed, filepath.Ext(path)) {
				paths = append(paths, found{path: path, pattern: i})
			}
		}
	}
	slices.SortStableFunc(paths, func(a, b found) int { return strings.Compare(a.path, b.path) })
	return slices.CompactFunc(paths, func(a, b found) bool { return a.path == b.path }), errors.Join(errs...)
}

// place makes the files followed under their paths.
func (t *tail) place(all []found, fromEnd bool) {
	byPath := make(map[string]*followed, len(t.files))
	for _, f := range t.files {
		f.named = false
		byPath[f.path] = f
	}
	for _, n := range all {
		f := byPath[n.path]
		if f == nil || !os.SameFile(f.info, n.info) { // new, or renamed
			i := slices.IndexFunc(t.files, func(f *followed) bool { return os.SameFile(f.info, n.info) })
			if i < 0 {
				f = &followed{path: n.path, pattern: n.pattern, info: n.info, named: true, alive: t.now()}
				if fromEnd {
					f.offset = n.info.Size()
				}
				t.files = append(t.files, f)
				continue
			}
			f = t.files[i]
		}
		if !f.named { // two names of one file are one file
			f.path, f.pattern, f.info, f.named, f.alive = n.path, n.pattern, n.info, true, t.now()
			f.back, f.gone = f.gone || f.back, false
		}
	}
}

// leave closes a file that lost its name and has been silent for a while. A last
// line without an end is a line then. How far it was read stays known: the name
// may come back with its disk or its rights.
func (t *tail) leave(f *followed) {
	if f.gone || f.named || f.offset < f.size || t.now().Sub(f.alive) < linger {
		return
	}
	if len(f.line) > 0 && !f.skip {
		t.hand(f, f.line)
	}
	f.line, f.skip = nil, false
	f.close()
	f.gone = true
}

// forget drops the oldest of the files that are gone when there are too many.
func (t *tail) forget() {
	over := len(t.files) - 2*maxLogFiles
	t.files = slices.DeleteFunc(t.files, func(f *followed) bool {
		if over <= 0 || !f.gone {
			return false
		}
		over--
		return true
	})
}

// named counts the files that are followed under a name.
func (t *tail) named() int {
	n := 0
	for _, f := range t.files {
		if f.named {
			n++
		}
	}
	return n
}

// close closes every file.
func (t *tail) close() {
	for _, f := range t.files {
		f.close()
	}
}

// fileError gives an error about a log file its class.
func (t *tail) fileError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &collector.Failure{Class: collector.Permission, Err: fmt.Errorf("%w; let the exporter's user read the %s", err, t.what)}
	}
	return fmt.Errorf("read the %s: %w", t.what, err)
}
