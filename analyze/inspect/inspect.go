// Package inspect takes the first look at JMeter result files: which labels
// they hold, how many results and errors, when, how fast, where nothing
// happened, and which windows and which warm-up an experiment file could
// declare. It also prints the figures that two other tools give for the same
// rows, by those tools' definitions, so that a reader can see where ours differ.
//
// It refuses to judge: one file says nothing about persistence.
//
//	surveys, err := source.ReadSurveys(ctx, source.Spec{}, []string{"run-1.jtl"})
//	err = inspect.Text(os.Stdout, []inspect.File{{Name: "run-1.jtl", Survey: surveys[0]}})
package inspect

import (
	"cmp"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// File is what one result file holds.
type File struct {
	Name string
	source.Survey
}

// fullest are the labels of the file, that with the most rows first.
func (f File) fullest() []source.Label {
	return slices.SortedFunc(slices.Values(f.Labels), func(a, b source.Label) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Name, b.Name))
	})
}

// others counts the rows of labels beyond those of the survey.
func (f File) others() uint64 {
	n := f.Rows - f.BadRows
	for _, l := range f.Labels {
		n -= l.Rows
	}
	return n
}
