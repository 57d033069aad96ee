package jtl

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"
)

// block is a stretch of whole rows, and its place in the file.
type block struct {
	number int
	text   []byte
}

// finding is what one block showed.
type finding struct {
	number int
	stretch
}

// parallel reads the rows that begin with buffer[:n] and go on in the input.
// One goroutine reads, hashes and cuts, one for each handle reads rows, one
// joins what they find in the order of the file, which gives damaged rows their
// line numbers. Blocks are cut before lines that begin a row whatever stands
// before them, so no worker has to know what another one saw.
func parallel(ctx context.Context, s scan, in io.Reader, buffer []byte, n int, handles []func(Row)) (stretch, error) {
	g, ctx := errgroup.WithContext(ctx)
	free := make(chan []byte, 2*len(handles)+2)
	for range cap(free) - 1 { // and the one that we were given
		free <- nil
	}
	blocks := make(chan block, len(handles))
	findings := make(chan finding, len(handles))
	g.Go(func() error {
		defer close(blocks)
		return s.cut(ctx, in, buffer, n, free, blocks)
	})
	var workers sync.WaitGroup
	for _, handle := range handles {
		workers.Add(1)
		g.Go(func() error {
			defer workers.Done()
			w := newScan(s.name, s.cols)
			w.fixed, w.handle = true, handle
			return w.work(ctx, blocks, free, findings)
		})
	}
	g.Go(func() error {
		workers.Wait()
		close(findings)
		return nil
	})
	var total stretch
	g.Go(func() error {
		total = join(findings)
		return nil
	})
	if err := g.Wait(); err != nil {
		return stretch{}, err
	}
	return total, nil
}

// cut fills buffers and sends what lies before the last place in each where a
// row must begin; the rest goes to the front of the next one.
func (s *scan) cut(ctx context.Context, in io.Reader, buffer []byte, n int, free chan []byte, blocks chan<- block) error {
	for number := 0; ; number++ {
		if ctx.Err() != nil {
			return interrupted(ctx, s.name)
		}
		m, err := fill(in, buffer[n:])
		n += m
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		at := n
		var next []byte
		if err == nil {
			if at = s.cols.lastRow(buffer[:n]); at <= 0 {
				return errSerial
			}
			select {
			case next = <-free:
			case <-ctx.Done():
				return interrupted(ctx, s.name)
			}
			if next == nil {
				next = make([]byte, len(buffer))
			}
		}
		rest := copy(next, buffer[at:n])
		select {
		case blocks <- block{number, buffer[:at]}:
		case <-ctx.Done():
			return interrupted(ctx, s.name)
		}
		if err != nil {
			return nil
		}
		buffer, n = next, rest
	}
}

// lastRow returns the last place at which a complete line begins a row, 0 or
// less when there is none but the first.
func (c columns) lastRow(text []byte) int {
	end := bytes.LastIndexByte(text, '\n')
	for end > 0 {
		at := bytes.LastIndexByte(text[:end], '\n') + 1
		// A longer line is no row, and may belong to a quote that is open.
		if end-at < maxRecord && c.begins(text[at:end]) {
			return at
		}
		end = at - 1
	}
	return 0
}

// work reads blocks until there are no more.
func (s *scan) work(ctx context.Context, blocks <-chan block, free chan<- []byte, findings chan<- finding) error {
	for b := range blocks {
		s.stretch = stretch{}
		if err := s.block(b.text); err != nil {
			return err
		}
		free <- b.text[:cap(b.text)]
		select {
		case findings <- finding{b.number, s.stretch}:
		case <-ctx.Done():
			return interrupted(ctx, s.name)
		}
	}
	return nil
}

// join puts the findings into the order of the file.
func join(findings <-chan finding) stretch {
	var total stretch
	early := map[int]stretch{} // those whose turn has not come
	turn := 0
	for f := range findings {
		early[f.number] = f.stretch
		for p, ok := early[turn]; ok; p, ok = early[turn] {
			total.follow(p)
			delete(early, turn)
			turn++
		}
	}
	return total
}
