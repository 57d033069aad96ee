package source

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// TestTables counts random rows with one table and with several that are merged
// in any order, and by hand: labels, seconds and histograms are the same.
func TestTables(t *testing.T) {
	const names = 3 * maxLabels
	f := frame{start: 1717200000000, end: 1717200600000, measured: 1717200060000}
	for _, want := range []string{"", "label 0590"} {
		rng := rand.New(rand.NewPCG(1, 4))
		one := newTable(f, want)
		several := []*table{newTable(f, want), newTable(f, want), newTable(f, want)}
		rows, longest := map[string]uint64{}, map[string]int64{}
		for range 30000 {
			r := jtl.Row{
				Start: 1717199990000 + rng.Int64N(620000), Elapsed: rng.Int64N(1000) * rng.Int64N(5),
				Label: fmt.Appendf(nil, "label %04d", rng.IntN(names)), Success: rng.IntN(9) > 0,
			}
			rows[string(r.Label)]++
			if end := r.End(); r.Success && end >= f.measured && end < f.end {
				longest[string(r.Label)] = max(longest[string(r.Label)], r.Elapsed)
			}
			one.add(r)
			several[rng.IntN(3)].add(r)
		}
		total, other := newTable(f, want), newTable(f, want)
		other.merge(one)
		for _, i := range rng.Perm(3) {
			total.merge(several[i])
		}
		for _, table := range []*table{total, other} {
			kept := maxLabels
			if want != "" {
				kept++
			}
			if len(table.labels) != kept || !table.more {
				t.Fatalf("%d labels kept, more %t", len(table.labels), table.more)
			}
			for name, e := range table.labels {
				if e.rows != rows[name] || name != want && name >= fmt.Sprintf("label %04d", maxLabels) {
					t.Errorf("%s: %d rows, want %d", name, e.rows, rows[name])
				}
				if (e.bins != nil) != (want == "" || want == name) {
					t.Errorf("%s: bins %t", name, e.bins != nil)
				}
				if e.bins != nil && int64(len(e.bins.elapsed.dense())) != longest[name]+1 {
					t.Errorf("%s: the histogram ends at %d, want %d", name, len(e.bins.elapsed.dense())-1, longest[name])
				}
			}
		}
		want, got := summary(other), summary(total)
		for name := range want { // not cmp.Diff, which takes a minute
			if !reflect.DeepEqual(want[name], got[name]) {
				t.Errorf("%s: one table has %v, several %v", name, want[name], got[name])
			}
		}
	}
}

// summary spells out a table.
func summary(t *table) map[string]any {
	out := map[string]any{}
	for name, e := range t.labels {
		if b := e.bins; b != nil {
			out[name] = []any{e.rows, b.count, b.errors, b.outside, b.strangers, b.first, b.last, b.seconds.from(0, 600), b.elapsed.dense()}
		} else {
			out[name] = e.rows
		}
	}
	return out
}

// TestScattered reports rows that a damaged clock strews over years, and keeps
// the memory for them bounded.
func TestScattered(t *testing.T) {
	table := newTable(frame{end: 1 << 62}, "")
	for i := range int64(3 * maxPages) {
		table.add(jtl.Row{Start: 1 + i*pageSeconds*1000, Elapsed: 1, Label: []byte("a"), Success: true})
	}
	if !table.room.lost || table.room.pages != maxPages {
		t.Errorf("lost %t, %d pages", table.room.lost, table.room.pages)
	}
}

// TestSurvey compares the labels of the sample file with reading it label by
// label, for any number of workers.
func TestSurvey(t *testing.T) {
	var first Survey
	for _, workers := range []int{0, 1, 3} {
		all, err := ReadSurveys(t.Context(), Spec{Base: "testdata", Workers: workers}, []string{"sample.jtl"})
		if err != nil {
			t.Fatal(err)
		}
		s := all[0]
		if len(s.Labels) != 3 || s.Rows != 1778 || s.BadRows != 0 {
			t.Fatalf("%d labels, %d rows, %d bad", len(s.Labels), s.Rows, s.BadRows)
		}
		if first.Rows == 0 {
			first = s
		}
		if diff := cmp.Diff(first, s); diff != "" {
			t.Errorf("%d workers\n%s", workers, diff)
		}
	}
	for _, l := range first.Labels {
		w := Window{Grant: "g", Start: l.Start, End: l.Start.Add(time.Duration(len(l.Seconds)) * time.Second), JTL: []string{"sample.jtl"}}
		d, err := Read(t.Context(), Spec{Windows: []Window{w}, Labels: map[string]string{"g": l.Name}, Base: "testdata"})
		if err != nil {
			t.Fatal(err)
		}
		r := d.Runs[0].Requests
		got := Label{Name: l.Name, Rows: r.Counted, First: r.First, Last: r.Last, Start: w.Start, Seconds: r.Seconds, ElapsedMS: r.ElapsedMS}
		for _, s := range r.Seconds {
			got.Errors += s.Errors
		}
		if diff := cmp.Diff(l, got); diff != "" || l.Errors == 0 {
			t.Errorf("%s (-survey +window)\n%s", l.Name, diff)
		}
	}
}
