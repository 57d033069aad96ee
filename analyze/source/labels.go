package source

import (
	"maps"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// maxLabels is how many labels a table keeps: a file may have one per request.
// The first in order of the alphabet are kept, not the first seen, so that any
// number of workers keeps the same.
const maxLabels = 200

// table counts the rows of result files by label. One worker fills it.
type table struct {
	frame  frame
	want   string // the label whose rows are binned; "" bins those of every label
	labels map[string]*entry
	recent [64]*entry // by a cheap hash: nearly every row has a label met before
	more   bool       // there are labels that are not kept
	limit  string     // the last label kept, once more is set
	room   budget
}

type entry struct {
	name string
	rows uint64
	bins *bins // nil where another label is wanted
}

func newTable(f frame, want string) *table {
	return &table{frame: f, want: want, labels: map[string]*entry{}}
}

// tables makes one table for each worker, and their handles.
func newTables(n int, f frame, want string) (tables []*table, handles []func(jtl.Row)) {
	for range n {
		t := newTable(f, want)
		tables = append(tables, t)
		handles = append(handles, t.add)
	}
	return tables, handles
}

func (t *table) add(r jtl.Row) {
	e := t.find(r.Label)
	if e == nil {
		return
	}
	e.rows++
	if e.bins != nil {
		e.bins.add(r, &t.frame, &t.room)
	}
}

// find returns the entry of a label, nil when it is one too many.
func (t *table) find(label []byte) *entry {
	slot := uint(len(label))
	if len(label) > 0 {
		slot += uint(label[0])*5 + uint(label[len(label)/2])*3 + uint(label[len(label)-1])*7
	}
	slot %= uint(len(t.recent))
	if e := t.recent[slot]; e != nil && e.name == string(label) {
		return e
	}
	e := t.labels[string(label)]
	if e == nil {
		if e = t.open(string(label)); e == nil {
			return nil
		}
	}
	t.recent[slot] = e
	return e
}

func (t *table) open(label string) *entry {
	if t.more && label > t.limit && label != t.want {
		return nil
	}
	if len(t.labels) >= 2*maxLabels {
		if t.trim(); label > t.limit && label != t.want {
			return nil
		}
	}
	e := &entry{name: label}
	if t.want == "" || label == t.want {
		e.bins = &bins{}
	}
	t.labels[label] = e
	return e
}

// trim keeps the first maxLabels labels, and the wanted one. A label among the
// first of all is among the first of any part, so its counts are complete.
func (t *table) trim() {
	if len(t.labels) <= maxLabels {
		return
	}
	names := slices.Sorted(maps.Keys(t.labels))
	t.limit, t.more = names[maxLabels-1], true
	for _, name := range names[maxLabels:] {
		if name == t.want {
			continue
		}
		if b := t.labels[name].bins; b != nil {
			t.room.pages -= len(b.seconds.pages)
		}
		delete(t.labels, name)
	}
	clear(t.recent[:])
}

// merge adds what another worker, or the reading of another file, counted.
func (t *table) merge(o *table) {
	t.room.lost = t.room.lost || o.room.lost
	if o.more && (!t.more || o.limit < t.limit) {
		t.more, t.limit = true, o.limit
	}
	for _, name := range slices.Sorted(maps.Keys(o.labels)) {
		e := t.find([]byte(name))
		if e == nil {
			continue
		}
		e.rows += o.labels[name].rows
		if e.bins != nil && o.labels[name].bins != nil {
			e.bins.merge(o.labels[name].bins, &t.room)
		}
	}
	t.trim()
}

// counted returns what was counted of the wanted label: of the only one, where
// none was named.
func (t *table) counted() *bins {
	for _, e := range t.labels {
		if e.bins != nil && (t.want != "" || len(t.labels) == 1) {
			return e.bins
		}
	}
	return &bins{}
}
