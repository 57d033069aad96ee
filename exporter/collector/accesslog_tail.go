package collector

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
)

const (
	// linger is how long a file that lost its name is read on after it last grew
	// or had one: its writer may hold it open longer than the name.
	linger = 10 * time.Second
	// keepOpen is how long after its last change a file stays open. An open file
	// survives a rename between two looks; a year of dated logs must not fill the
	// table of open files.
	keepOpen = 48 * time.Hour
)

// compressed are the endings of what rotation makes of a log whose lines have
// been read.
var compressed = []string{".gz", ".zst", ".bz2", ".xz", ".zip"}

// tail follows files by path and glob: through renames, through truncation and
// into files that appear later. It has one goroutine at a time.
type tail struct {
	patterns []string
	line     func(line []byte) // a complete line without its end; nil for one that is too long to keep
	now      func() time.Time

	files       []*followed
	scanned     bool // the first look is over: what appears now is read from its beginning
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
	t.files = slices.DeleteFunc(t.files, t.leave)
	if ctx.Err() != nil && behind > 0 {
		errs = append(errs, &Failure{Timeout, fmt.Errorf("%d bytes of the access log are still unread: %w", behind, ctx.Err())})
	}
	return errors.Join(errs...)
}

// look finds the files, new ones included, and tells a renamed file from a new
// one of the same name.
func (t *tail) look() error {
	for _, f := range t.files {
		f.named = false
		f.size = f.offset
	}
	var errs []error
	for _, path := range t.paths() {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone since the glob saw it
		case err != nil:
			errs = append(errs, logError(err))
		case info.Mode().IsRegular():
			t.place(path, info)
		}
	}
	t.scanned = true
	for _, f := range t.files {
		if err := f.measure(t.now()); err != nil {
			errs = append(errs, logError(err))
		}
	}
	if t.named() == 0 {
		errs = append(errs, fmt.Errorf("--collector.endpoint.access-log: no file matches %s", strings.Join(t.patterns, ", ")))
	}
	return errors.Join(errs...)
}

// paths expands the patterns. A path that is no pattern stands for itself.
func (t *tail) paths() []string {
	var paths []string
	for _, pattern := range t.patterns {
		matches, _ := filepath.Glob(pattern) // its only error is a bad pattern, refused at the start
		paths = append(paths, matches...)
	}
	slices.Sort(paths)
	return slices.DeleteFunc(slices.Compact(paths), func(path string) bool {
		return slices.Contains(compressed, filepath.Ext(path))
	})
}

// place makes info's file followed under path.
func (t *tail) place(path string, info fs.FileInfo) {
	for _, f := range t.files {
		if os.SameFile(f.info, info) {
			if !f.named { // two names of one file are one file
				f.path, f.info, f.named, f.alive = path, info, true, t.now()
				f.size = info.Size()
			}
			return
		}
	}
	f := &followed{path: path, info: info, named: true, alive: t.now(), size: info.Size()}
	if !t.scanned {
		f.offset = f.size
	}
	t.files = append(t.files, f)
}

// leave closes a file that lost its name and has been silent for a while. A last
// line without an end is a line then.
func (t *tail) leave(f *followed) bool {
	if f.named || f.offset < f.size || t.now().Sub(f.alive) < linger {
		return false
	}
	if len(f.line) > 0 && !f.skip {
		t.hand(f.line)
	}
	f.close()
	return true
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

// logError gives an error about a log file its class.
func logError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &Failure{Permission, fmt.Errorf("%w; let the exporter's user read the access log", err)}
	}
	return fmt.Errorf("read the access log: %w", err)
}
