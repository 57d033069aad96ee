package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// maxElapsedMS bounds the histogram: a token request that took more than an
// hour is a damaged row, not a measurement.
const maxElapsedMS = 3600 * 1000

// jtlRow is one result. The label is valid only during the call that gets it.
type jtlRow struct {
	start, elapsed int64 // milliseconds
	label          []byte
	success        bool
}

func (r jtlRow) end() int64 { return r.start + r.elapsed }

// jtlFile says what reading one result file showed.
type jtlFile struct {
	sha256   string
	rows     uint64
	bad      uint64
	badLines []string
}

// maxBadLines is how many damaged rows are quoted; all are counted.
const maxBadLines = 5

func (f *jtlFile) damaged(name string, line int, why string) {
	f.bad++
	if len(f.badLines) < maxBadLines {
		f.badLines = append(f.badLines, fmt.Sprintf("%s:%d: %s", name, line, why))
	}
}

// scanJTL reads one JMeter CSV result file and hands every good row to handle.
// Damaged rows are counted with their line numbers. Times that are not epoch
// milliseconds, and results saved as XML, are errors that say what to set.
func scanJTL(ctx context.Context, name, path string, handle func(jtlRow)) (jtlFile, error) {
	in, err := os.Open(path)
	if err != nil {
		return jtlFile{}, fmt.Errorf("read the result file: %w", err)
	}
	defer in.Close() //nolint:errcheck // read only: nothing to lose
	sum := sha256.New()
	rows := newRecords(io.TeeReader(in, sum))
	file := jtlFile{}
	var cols columns
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return file, fmt.Errorf("read %s: %w", name, context.Cause(ctx))
		}
		fields, line, last, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errOpenQuote) || errors.Is(err, errLongRecord) {
			file.rows++
			file.damaged(name, line, err.Error())
			continue
		}
		if err != nil {
			return file, fmt.Errorf("read %s: %w", name, err)
		}
		if cols.count == 0 {
			fields[0] = bytes.TrimPrefix(fields[0], []byte("\ufeff"))
			if cols, err = firstRow(name, fields); err != nil {
				return file, err
			}
		}
		if isHeader(fields) { // files that were joined repeat it
			if cols, err = headerColumns(name, line, fields); err != nil {
				return file, err
			}
			continue
		}
		if len(fields) == 1 && len(fields[0]) == 0 {
			continue
		}
		file.rows++
		row, why := cols.row(fields, last)
		if why != "" {
			if file.bad+1 == file.rows && isDate(fields, cols) {
				return file, dateError(name, line, string(fields[cols.time]))
			}
			file.damaged(name, line, why)
			continue
		}
		handle(row)
	}
	file.sha256 = hex.EncodeToString(sum.Sum(nil))
	return file, nil
}

// columns are the positions of the fields we need, and how many a row has.
type columns struct{ time, elapsed, label, success, count int }

// firstRow decides from the first row which columns a file has: those its
// header names, else JMeter's default order.
func firstRow(name string, fields [][]byte) (columns, error) {
	if isHeader(fields) {
		return headerColumns(name, 1, fields)
	}
	if bytes.HasPrefix(bytes.TrimSpace(fields[0]), []byte("<")) {
		return columns{}, fmt.Errorf("%s:1: this is an XML result file: let JMeter write CSV (-Jjmeter.save.saveservice.output_format=csv)", name)
	}
	// JMeter's default order: timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,…
	cols := columns{time: 0, elapsed: 1, label: 2, success: 7, count: len(fields)}
	if len(fields) <= cols.success {
		return columns{}, fmt.Errorf("%s:1: no header and only %d columns, JMeter's default has 17: set -Jjmeter.save.saveservice.print_field_names=true", name, len(fields))
	}
	return cols, nil
}

func isHeader(fields [][]byte) bool {
	for _, f := range fields {
		if string(f) == "timeStamp" {
			return true
		}
	}
	return false
}

func headerColumns(name string, line int, fields [][]byte) (columns, error) {
	at := map[string]int{}
	for i, f := range fields {
		at[string(f)] = i
	}
	cols := columns{count: len(fields)}
	for _, want := range []struct {
		column, property string
		to               *int
	}{
		{"timeStamp", "timestamp_format=ms", &cols.time},
		{"elapsed", "time=true", &cols.elapsed},
		{"label", "label=true", &cols.label},
		{"success", "successful=true", &cols.success},
	} {
		i, ok := at[want.column]
		if !ok {
			return columns{}, fmt.Errorf("%s:%d: no column %s: set -Jjmeter.save.saveservice.%s", name, line, want.column, want.property)
		}
		*want.to = i
	}
	return cols, nil
}

// row reads the fields of a data row; why says what is wrong with a damaged one.
func (c columns) row(fields [][]byte, last bool) (row jtlRow, why string) {
	if len(fields) != c.count {
		if last && len(fields) < c.count {
			return row, "the last row is cut off"
		}
		return row, fmt.Sprintf("%d columns where the file has %d", len(fields), c.count)
	}
	var err error
	if row.start, err = strconv.ParseInt(string(fields[c.time]), 10, 64); err != nil || row.start <= 0 {
		return row, fmt.Sprintf("timeStamp %q is not a number of milliseconds", clip(fields[c.time]))
	}
	if row.elapsed, err = strconv.ParseInt(string(fields[c.elapsed]), 10, 64); err != nil || row.elapsed < 0 {
		return row, fmt.Sprintf("elapsed %q is not a number of milliseconds", clip(fields[c.elapsed]))
	}
	if row.elapsed > maxElapsedMS {
		return row, fmt.Sprintf("elapsed %d ms is over an hour", row.elapsed)
	}
	switch string(fields[c.success]) {
	case "true", "TRUE", "True":
		row.success = true
	case "false", "FALSE", "False":
	default:
		return row, fmt.Sprintf("success is %q, not true or false", clip(fields[c.success]))
	}
	row.label = fields[c.label]
	return row, ""
}

// isDate recognises a timeStamp that JMeter wrote as a date.
func isDate(fields [][]byte, c columns) bool {
	return c.time < len(fields) && len(fields[c.time]) >= 8 && digits(fields[c.time]) < len(fields[c.time]) &&
		digits(fields[c.time]) > 0 && bytes.ContainsAny(fields[c.time], "-/:.")
}

func dateError(name string, line int, value string) error {
	return fmt.Errorf("%s:%d: timeStamp %q is a date, not epoch milliseconds: set -Jjmeter.save.saveservice.timestamp_format=ms and measure again", name, line, value)
}

// clip shortens text for a message, so that a damaged file cannot flood it.
func clip(text []byte) string {
	const most = 40
	if len(text) <= most {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:most]), "") + "…"
}
