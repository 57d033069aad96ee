package source

import (
	"context"
	"strconv"
)

// Result is one row of a result file with what summaries of whole files need.
// Label is valid only during the call that gets it.
type Result struct {
	Start, Elapsed   int64 // milliseconds, Start since the epoch
	Label            []byte
	Success          bool
	Bytes, SentBytes int64 // 0 where the file has no such column or no number in it
}

// FileRows says how many rows a file has and which could not be read.
type FileRows struct {
	Rows, Bad uint64
	BadLines  []string // the first few as file:line: reason
}

// ScanResults reads result files one after the other and hands every good row,
// with the number of its file, to handle in the order of the file: for figures
// that depend on this order. Everything else is quicker had from [ReadSurveys],
// whose arguments and errors these are.
func ScanResults(ctx context.Context, spec Spec, names []string, handle func(file int, r Result)) ([]FileRows, error) {
	spec = spec.wholeFiles(names)
	out := make([]FileRows, 0, len(names))
	for i, name := range names {
		found, err := scanJTL(ctx, name, spec.path(name), spec.bytesRead(), 0, func(int) []func(jtlRow) {
			return []func(jtlRow){func(r jtlRow) {
				handle(i, Result{Start: r.start, Elapsed: r.elapsed, Label: r.label, Success: r.success, Bytes: r.bytes, SentBytes: r.sentBytes})
			}}
		})
		if err != nil {
			return nil, err
		}
		out = append(out, FileRows{Rows: found.rows, Bad: found.bad, BadLines: found.badLines})
	}
	return out, nil
}

// amount reads a column that a row need not have. A row without a sound number
// there is a result all the same.
func amount(fields [][]byte, position int) int64 {
	if position == 0 {
		return 0
	}
	n, err := strconv.ParseInt(string(fields[position-1]), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
