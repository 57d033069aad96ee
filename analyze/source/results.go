package source

import (
	"context"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// FileRows says how many rows a file has and which could not be read.
type FileRows struct {
	Rows, Bad uint64
	BadLines  []string // the first few as file:line: reason
}

// ScanResults reads result files one after the other and hands every good row,
// with the number of its file, to handle in the order of the file: for figures
// that depend on this order. Everything else is quicker had from [ReadSurveys],
// whose arguments and errors these are.
func ScanResults(ctx context.Context, spec Spec, names []string, handle func(file int, r jtl.Row)) ([]FileRows, error) {
	spec = spec.wholeFiles(names)
	out := make([]FileRows, 0, len(names))
	for i, name := range names {
		found, err := jtl.Scan(ctx, name, spec.path(name), spec.bytesRead(), 0, func(int) []func(jtl.Row) {
			return []func(jtl.Row){func(r jtl.Row) { handle(i, r) }}
		})
		if err != nil {
			return nil, err
		}
		out = append(out, FileRows{Rows: found.Rows, Bad: found.Bad, BadLines: found.BadLines})
	}
	return out, nil
}
