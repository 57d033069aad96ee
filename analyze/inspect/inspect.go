// Package inspect takes the first look at JMeter result files: which labels
// they hold, how many results and errors, when, how fast, where nothing
// happened, and which windows an experiment file could declare. It also prints
// the figures that two other tools give for the same rows, by those tools'
// definitions, so that a reader can see where ours differ.
//
// It refuses to judge: one file says nothing about persistence.
//
//	f := inspect.NewFile("run-1.jtl", 2*time.Minute)
//	err := source.ScanResults(ctx, f.Name, path, f.Add)
//	err = inspect.Text(os.Stdout, []*inspect.File{f})
package inspect

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

const (
	// maxLabels bounds what a file with a label per request can use up.
	maxLabels = 1000
	// maxSeconds bounds the seconds with results that a label may have, more
	// than eleven days: a damaged file may hold any time.
	maxSeconds = 1_000_000
)

// File accumulates one result file, row by row in the order of the file.
type File struct {
	Name   string
	Rows   source.FileRows // set when the file has been read
	warmup int64           // milliseconds that WSO2's splitter calls the warm-up
	first  int64           // earliest start seen so far, 0 before the first row
	labels map[string]*Label
	// Unlabelled counts rows beyond maxLabels labels, which are in no label.
	Unlabelled uint64
}

// NewFile returns an empty file. Warmup splits only the summary in WSO2's form.
func NewFile(name string, warmup time.Duration) *File {
	return &File{Name: name, warmup: warmup.Milliseconds(), labels: map[string]*Label{}}
}

// Add counts one result.
func (f *File) Add(r source.Result) {
	if f.first == 0 || r.Start < f.first {
		f.first = r.Start
	}
	l, ok := f.labels[string(r.Label)]
	if !ok {
		if len(f.labels) == maxLabels {
			f.Unlabelled++
			return
		}
		l = &Label{Name: string(r.Label), seconds: map[int64]source.Second{}}
		f.labels[l.Name] = l
	}
	l.add(r)
	// As the splitter does it: against the earliest start so far, not of the
	// whole file, and of all labels.
	if r.Start-f.first <= f.warmup {
		l.warmup.add(r)
	} else {
		l.measured.add(r)
	}
}

// Labels returns what each label holds, the fullest first.
func (f *File) Labels() []*Label {
	return slices.SortedFunc(maps.Values(f.labels), func(a, b *Label) int {
		return cmp.Or(cmp.Compare(b.all.samples, a.all.samples), cmp.Compare(a.Name, b.Name))
	})
}

// Label is what one label of a file holds.
type Label struct {
	Name    string
	all     part
	good    []uint64 // successes by elapsed ms
	seconds map[int64]source.Second
	// Stray counts rows that ended outside the seconds that are kept.
	Stray uint64
	// The two parts into which WSO2's splitter divides a file.
	warmup, measured part
	recent           window
}

func (l *Label) add(r source.Result) {
	l.all.add(r)
	l.recent.add(r.Elapsed)
	if r.Success {
		l.good = count(l.good, r.Elapsed)
	}
	second := (r.Start + r.Elapsed) / 1000
	s, ok := l.seconds[second]
	if !ok && len(l.seconds) == maxSeconds {
		l.Stray++
		return
	}
	if r.Success {
		s.Successes++
	} else {
		s.Errors++
	}
	l.seconds[second] = s
}

// part sums some of a label's results.
type part struct {
	samples, errors    uint64
	start, end         int64 // earliest start and latest end, ms since the epoch
	bytes, sentBytes   uint64
	elapsed            []uint64 // results by elapsed ms, failed ones too
	satisfied, patient uint64   // successes within apdexSatisfied, and beyond it within apdexTolerated
}

func (p *part) add(r source.Result) {
	if p.samples == 0 || r.Start < p.start {
		p.start = r.Start
	}
	p.end = max(p.end, r.Start+r.Elapsed)
	p.samples++
	p.bytes += uint64(r.Bytes)
	p.sentBytes += uint64(r.SentBytes)
	p.elapsed = count(p.elapsed, r.Elapsed)
	switch {
	case !r.Success:
		p.errors++
	case r.Elapsed <= apdexSatisfied:
		p.satisfied++
	case r.Elapsed <= apdexTolerated:
		p.patient++
	}
}

// length is the time from the first start to the last end, in seconds.
func (p *part) length() float64 { return float64(p.end-p.start) / 1000 }

// extremes are the shortest and the longest time in ms; p has results.
func (p *part) extremes() (least, most int) {
	least = slices.IndexFunc(p.elapsed, func(n uint64) bool { return n > 0 })
	most = len(p.elapsed) - 1 // the last bin was made by a result
	return least, most
}

func count(bins []uint64, i int64) []uint64 {
	if grow := int(i) + 1 - len(bins); grow > 0 {
		bins = append(bins, make([]uint64, grow)...)
	}
	bins[i]++
	return bins
}
