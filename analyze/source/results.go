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

// ScanResults reads a JMeter result file, plain or compressed, and hands every
// good row to handle in the order of the file. Errors are those of [Read].
func ScanResults(ctx context.Context, name, path string, handle func(Result)) (FileRows, error) {
	file, err := scanJTL(ctx, name, path, nil, 0, func(int) []func(jtlRow) {
		return []func(jtlRow){func(r jtlRow) {
			handle(Result{Start: r.start, Elapsed: r.elapsed, Label: r.label, Success: r.success, Bytes: r.bytes, SentBytes: r.sentBytes})
		}}
	})
	return FileRows{Rows: file.rows, Bad: file.bad, BadLines: file.badLines}, err
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
