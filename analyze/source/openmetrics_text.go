package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

const (
	// dumpStretch is how much text is parsed at a time. The parser wants a whole
	// text in memory, and a dump may be larger than that.
	dumpStretch = 256 << 10
	// longestDumpLine bounds what a file without line ends can use up.
	longestDumpLine = 1 << 20
	// maxHeldSamples bounds the memory of all files together: 16 bytes each.
	maxHeldSamples = 50_000_000
)

// dumpReader adds the samples of one file of OpenMetrics text to those held.
type dumpReader struct {
	name    string
	held    memory
	seen    map[string]*heldSeries // by the text of a series, which most lines share with the one before
	symbols *labels.SymbolTable
	room    int // samples that may still be held
	count   int
	line    int // the last one parsed
}

// add parses one file as it is read and returns how many samples it holds, at
// most room. Every entry of the format is one line, so a text may be cut behind
// any line, and the number of entries is the line of an error.
func (m memory) add(ctx context.Context, name string, in io.Reader, room int) (int, error) {
	d := dumpReader{name: name, held: m, seen: map[string]*heldSeries{}, symbols: labels.NewSymbolTable(), room: room}
	lines := bufio.NewReaderSize(in, longestDumpLine)
	var text []byte
	for n := 0; ; {
		line, err := lines.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full && !errors.Is(err, io.EOF) {
			return d.count, err
		}
		end := string(line) == "# EOF" || string(line) == "# EOF\n"
		if err == nil && !end {
			text = append(text, line...)
			if n++; len(text) < dumpStretch {
				continue
			}
		}
		if ctx.Err() != nil {
			return d.count, fmt.Errorf("read %s: %w", name, context.Cause(ctx))
		}
		if err := d.parse(text, n); err != nil {
			return d.count, err
		}
		text, n = text[:0], 0
		switch {
		case end:
			return d.count, d.nothingMore(lines)
		case full:
			return d.count, d.bad(1, "the line is longer than 1 MiB")
		case err != nil:
			return d.count, d.bad(1, "data does not end with # EOF")
		}
	}
}

// parse reads so many whole lines.
func (d *dumpReader) parse(text []byte, lines int) error {
	p := textparse.NewOpenMetricsParser(append(text, "# EOF\n"...), d.symbols)
	for n := 1; ; n++ {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			if n != lines+1 {
				return d.bad(1, "here or below, a name in quotes goes over the end of its line")
			}
			d.line += lines
			return nil
		}
		if err != nil {
			return d.bad(n, err.Error())
		}
		if entry == textparse.EntrySeries {
			if err := d.sample(p, d.line+n); err != nil {
				return err
			}
		}
	}
}

// sample adds the sample at which the parser stands.
func (d *dumpReader) sample(p textparse.Parser, line int) error {
	text, at, v := p.Series()
	if at == nil {
		return &SpecError{fmt.Sprintf("%s:%d: the sample has no timestamp: a file without times is one moment, not a series", d.name, line)}
	}
	if d.count == d.room {
		return &SpecError{fmt.Sprintf("%s:%d: the files hold more than %d samples: dump less, with --match, --min-time and --max-time of promtool tsdb dump-openmetrics", d.name, line, maxHeldSamples)}
	}
	s := d.seen[string(text)]
	if s == nil {
		var l labels.Labels
		p.Labels(&l)
		key := l.String()
		if d.held[key] == nil {
			d.held[key] = &heldSeries{labels: l.Copy(), file: d.name}
		}
		s = d.held[key]
		d.seen[string(text)] = s
	}
	s.samples = append(s.samples, sample{*at, v})
	d.count++
	return nil
}

// nothingMore reads what follows the end of the text, which has to be nothing,
// and with it the checksum of compressed data.
func (d *dumpReader) nothingMore(rest *bufio.Reader) error {
	_, err := rest.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return d.bad(2, "unexpected data after # EOF")
}

// bad is the error of the n-th line from here.
func (d *dumpReader) bad(n int, why string) error {
	return &SpecError{fmt.Sprintf("%s:%d: this is not OpenMetrics text: %s (promtool tsdb dump-openmetrics writes it)", d.name, d.line+n, why)}
}
