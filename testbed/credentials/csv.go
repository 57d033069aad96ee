package credentials

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// columns are the names a CSV file has in its first line, in any order; the
// plans in testbed/jmeter read the same file by the same names.
var columns = [...]string{"consumer_key", "consumer_secret", "username", "password"}

// parseCSV reads a table with a header. Each row has an application and, for
// the grants that need one, a user; both may stand in several rows.
func parseCSV(text []byte) (Set, error) {
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return Set{}, errors.New("the file is empty")
	}
	if err != nil {
		return Set{}, csvError(err)
	}
	at, err := places(header)
	if err != nil {
		return Set{}, err
	}
	b := newBuilder()
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return b.done()
		}
		if err != nil {
			return Set{}, csvError(err)
		}
		line, _ := rows.FieldPos(0)
		if err := b.application(line, row[at[0]], row[at[1]]); err != nil {
			return Set{}, err
		}
		if len(header) == 2 || row[at[2]] == "" && row[at[3]] == "" {
			continue
		}
		if err := b.user(line, row[at[2]], row[at[3]]); err != nil {
			return Set{}, err
		}
	}
}

// places finds the columns in the header. A header that is none may be a row
// of credentials: it is quoted only as far as it resembles a name.
func places(header []string) (at [len(columns)]int, err error) {
	const wanted = "the first line has to be consumer_key,consumer_secret,username,password (the last two may be left out together)"
	for _, name := range header {
		name = strings.TrimSpace(name)
		if slices.Contains(columns[:], name) {
			continue
		}
		if best, ok := nearest.Name(strings.ToLower(name), columns[:]); ok {
			return at, atLine(1, "unknown column, did you mean %s? %s", best, wanted)
		}
		return at, atLine(1, "%s", wanted)
	}
	for i, name := range columns {
		at[i] = slices.IndexFunc(header, func(s string) bool { return strings.TrimSpace(s) == name })
	}
	for i, name := range columns {
		if at[i] < 0 && (i < 2 || len(header) > 2) {
			return at, atLine(1, "there is no column %s; %s", name, wanted)
		}
	}
	if len(header) > len(columns) {
		return at, atLine(1, "a column stands there twice; %s", wanted)
	}
	return at, nil
}

// csvError keeps the line and drops the text, which is the library's.
func csvError(err error) error {
	e, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return err
	case errors.Is(e.Err, csv.ErrFieldCount):
		return atLine(e.Line, "the row has another number of columns than the header")
	default:
		return atLine(e.StartLine, "the quotes do not match: a field with a quote or a comma is written \"like \"\"this\"\"\"")
	}
}
