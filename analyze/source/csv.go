package source

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// csvColumns are those a file of series has, in any order.
var csvColumns = []string{"time", "series", "value"}

// scanCSV adds the rows of a file to what was found in others. The first row
// names the columns. Whoever writes such a file writes it for us, so anything
// that is wrong in it is an error with its line.
func scanCSV(name, path string, found map[string][]fileSample) (Input, error) {
	file, err := os.Open(path)
	if err != nil {
		return Input{}, fmt.Errorf("read the file of series: %w", err)
	}
	defer file.Close() //nolint:errcheck // read only: nothing to lose
	sum := sha256.New()
	input, err := parseCSV(name, io.TeeReader(file, sum), found)
	if err != nil {
		return Input{}, err
	}
	input.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return input, nil
}

// parseCSV is scanCSV without the file.
func parseCSV(name string, in io.Reader, found map[string][]fileSample) (Input, error) {
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return Input{}, &SpecError{name + ": the file is empty: its first row has to be time,series,value"}
	}
	if err != nil {
		return Input{}, csvError(name, err)
	}
	column, err := csvHeader(name, header)
	if err != nil {
		return Input{}, err
	}
	input := Input{Kind: "csv", Name: name}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Input{}, csvError(name, err)
		}
		line, _ := rows.FieldPos(0)
		series, s, err := csvRow(row[column["time"]], row[column["series"]], row[column["value"]])
		if err != nil {
			return Input{}, &SpecError{fmt.Sprintf("%s:%d: %v", name, line, err)}
		}
		found[series] = append(found[series], fileSample{s, name, line})
		first, last = min(first, s.t), max(last, s.t)
		input.Count++
	}
	if input.Count > 0 {
		input.Range = rangeText(ms(first), ms(last))
	}
	return input, nil
}

// csvError keeps the line of a row that is not CSV; what the file cannot give is
// an error of the machine.
func csvError(name string, err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return &SpecError{fmt.Sprintf("%s:%d: %v", name, e.Line, e.Err)}
	}
	return fmt.Errorf("read %s: %w", name, err)
}

func csvHeader(name string, header []string) (map[string]int, error) {
	column := map[string]int{}
	for i, field := range header {
		field = strings.TrimSpace(strings.TrimPrefix(field, "\ufeff"))
		if !slices.Contains(csvColumns, field) {
			return nil, &SpecError{fmt.Sprintf("%s:1: column %q is unknown: %s; the first row has to be time,series,value", name, field, nearest.Hint(field, csvColumns))}
		}
		if _, twice := column[field]; twice {
			return nil, &SpecError{fmt.Sprintf("%s:1: column %s stands twice", name, field)}
		}
		column[field] = i
	}
	for _, c := range csvColumns {
		if _, ok := column[c]; !ok {
			return nil, &SpecError{fmt.Sprintf("%s:1: no column %s: the first row has to be time,series,value", name, c)}
		}
	}
	return column, nil
}

// csvRow reads one row.
func csvRow(at, series, value string) (string, sample, error) {
	if !slices.Contains(seriesNames, series) {
		return "", sample{}, fmt.Errorf("series %q is unknown: %s", series, nearest.Hint(series, seriesNames))
	}
	t, err := csvTime(at)
	if err != nil {
		return "", sample{}, err
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || !finite(v) {
		return "", sample{}, fmt.Errorf("value %q is not a number", value)
	}
	if v < 0 {
		return "", sample{}, fmt.Errorf("value %s is negative: no series can be", value)
	}
	if text := wrongUnit(series, Series{Points: []Point{{ms(t), v}}}); text != "" {
		return "", sample{}, errors.New(text)
	}
	return series, sample{t, v}, nil
}

// leastMillis tells epoch milliseconds from seconds: as seconds it is the year
// 5138, as milliseconds March 1973.
const leastMillis = 100e9

// csvTime reads RFC 3339, or an epoch in seconds or milliseconds.
func csvTime(text string) (int64, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UnixMilli(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0 && v < 1e15) {
		return 0, fmt.Errorf("time %q is neither RFC 3339 (2026-07-01T10:00:00Z) nor an epoch in seconds or milliseconds", text)
	}
	if v < leastMillis {
		v *= 1000
	}
	return int64(math.Round(v)), nil
}
