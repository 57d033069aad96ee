package source

import (
	"io"
	"os"
	"sync"
)

// windowWork is what reading one window of a time-series source counts as.
const windowWork = 1 << 20

// work counts what has been read of what there is to read.
type work struct {
	mu          sync.Mutex
	done, total int64
	tell        func(done, total int64)
}

// begin sums up what there is to read.
func (s *Spec) begin() {
	if s.Progress == nil {
		return
	}
	s.work = &work{tell: s.Progress}
	for _, w := range s.Windows {
		s.work.total += s.bytes(w)
		if s.Kind != "" {
			s.work.total += windowWork
		}
	}
	s.advance(0)
}

// advance tells that n more units of work are done. Readers that work side by
// side may call it. Work that was not foreseen does not go past the total.
func (s Spec) advance(n int64) {
	if s.work == nil {
		return
	}
	s.work.mu.Lock()
	defer s.work.mu.Unlock()
	s.work.done = min(s.work.done+n, s.work.total)
	s.work.tell(s.work.done, s.work.total)
}

// bytesRead takes the bytes of a result file as progress; nil when nobody asks.
func (s Spec) bytesRead() io.Writer {
	if s.work == nil {
		return nil
	}
	return byteCounter{s}
}

type byteCounter struct{ spec Spec }

// Write counts what was read. It keeps nothing and never fails.
func (b byteCounter) Write(p []byte) (int, error) {
	b.spec.advance(int64(len(p)))
	return len(p), nil
}

// bytes is the size of a window's result files. One that cannot be looked at
// counts as nothing: reading it will say why.
func (s Spec) bytes(w Window) int64 {
	n := int64(0)
	for _, name := range w.JTL {
		if info, err := os.Stat(s.path(name)); err == nil {
			n += info.Size()
		}
	}
	return n
}
