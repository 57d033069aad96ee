package inspect

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// maxLabels bounds what a file with a label per request can use up.
const maxLabels = 1000

// Replay accumulates one result file as other tools read it: row by row in the
// order of the file, which some of their figures depend on.
//
//	r := inspect.NewReplay("run-1.jtl", 2*time.Minute)
//	_, err := source.ScanResults(ctx, source.Spec{}, []string{r.Name}, func(_ int, row jtl.Row) { r.Add(row) })
//	err = inspect.WSO2Summary(os.Stdout, []*inspect.Replay{r})
type Replay struct {
	Name   string
	warmup int64 // milliseconds that WSO2's splitter calls the warm-up
	first  int64 // earliest start seen so far, 0 before the first row
	labels map[string]*replayed
	// Unlabelled counts rows beyond maxLabels labels, which are in no label.
	Unlabelled uint64
}

// NewReplay returns an empty file. Warmup splits only the summary in WSO2's form.
func NewReplay(name string, warmup time.Duration) *Replay {
	return &Replay{Name: name, warmup: warmup.Milliseconds(), labels: map[string]*replayed{}}
}

// Add counts one result.
func (f *Replay) Add(r jtl.Row) {
	if f.first == 0 || r.Start < f.first {
		f.first = r.Start
	}
	l, ok := f.labels[string(r.Label)]
	if !ok {
		if len(f.labels) == maxLabels {
			f.Unlabelled++
			return
		}
		l = &replayed{name: string(r.Label)}
		f.labels[l.name] = l
	}
	l.all.add(r)
	l.recent.add(r.Elapsed)
	// As the splitter does it: against the earliest start so far, not of the
	// whole file, and of all labels.
	if r.Start-f.first <= f.warmup {
		l.warmup.add(r)
	} else {
		l.measured.add(r)
	}
}

// fullest are the labels, that with the most rows first.
func (f *Replay) fullest() []*replayed {
	return slices.SortedFunc(maps.Values(f.labels), func(a, b *replayed) int {
		return cmp.Or(cmp.Compare(b.all.samples, a.all.samples), cmp.Compare(a.name, b.name))
	})
}

// replayed is what one label of a file holds for other tools.
type replayed struct {
	name string
	all  part
	// The two parts into which WSO2's splitter divides a file.
	warmup, measured part
	recent           window
}

// part sums some of a label's results.
type part struct {
	samples, errors    uint64
	start, end         int64 // earliest start and latest end, ms since the epoch
	bytes, sentBytes   uint64
	elapsed            []uint64 // results by elapsed ms, failed ones too
	satisfied, patient uint64   // successes within apdexSatisfied, and beyond it within apdexTolerated
}

func (p *part) add(r jtl.Row) {
	if p.samples == 0 || r.Start < p.start {
		p.start = r.Start
	}
	p.end = max(p.end, r.Start+r.Elapsed)
	p.samples++
	p.bytes += uint64(r.Bytes)
	p.sentBytes += uint64(r.SentBytes)
	if grow := int(r.Elapsed) + 1 - len(p.elapsed); grow > 0 {
		p.elapsed = append(p.elapsed, make([]uint64, grow)...)
	}
	p.elapsed[r.Elapsed]++
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
