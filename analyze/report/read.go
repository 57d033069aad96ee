package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ReadJSON reads a report that JSON wrote, of this schema version and no other.
// Its errors say what is wrong with the document, in words for the person who
// named the file; errors of the reader itself are passed on as they are.
func ReadJSON(in io.Reader) (Report, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return Report{}, err
	}
	if err := checkVersion(text); err != nil {
		return Report{}, err
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return Report{}, documentError(err)
	}
	return r, r.check()
}

// DocumentError says why a document is not a report that can be used.
type DocumentError struct{ Text string }

// Error is the text as it is.
func (e *DocumentError) Error() string { return e.Text }

func unusable(format string, args ...any) error {
	return &DocumentError{fmt.Sprintf(format, args...)}
}

// notReport is the hint for whoever named another file.
const notReport = "it is not a report: write one with analyze compare --format json"

// checkVersion looks at the version alone, since other versions may have other
// fields.
func checkVersion(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return unusable("the file is empty: write a report with analyze compare --format json")
	}
	var head struct {
		SchemaVersion *int `json:"schema_version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return documentError(err)
	}
	switch {
	case head.SchemaVersion == nil:
		return unusable("the file has no schema_version, so %s", notReport)
	case *head.SchemaVersion != SchemaVersion:
		return unusable("schema_version is %d, this program reads %d: use the release that wrote the file, or write it again", *head.SchemaVersion, SchemaVersion)
	}
	return nil
}

// documentError words an error of the decoder without Go's types.
func documentError(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return unusable("the file holds a JSON %s, so %s", e.Value, notReport)
		}
		return unusable("%s is a JSON %s where the report has something else (byte %d)", e.Field, e.Value, e.Offset)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return unusable("the file is not JSON (byte %d: %v), so %s", e.Offset, e, notReport)
	}
	return unusable("the file is not JSON (%v), so %s", err, notReport)
}

// check refuses a report in which a number could be taken for another.
func (r Report) check() error {
	seen := map[[2]string]bool{}
	for i, c := range r.Comparisons {
		key := [2]string{c.Grant, c.Metric}
		switch {
		case c.Grant == "" || c.Metric == "":
			return unusable("comparisons[%d] has no grant or no metric", i)
		case seen[key]:
			return unusable("comparisons[%d] repeats %s of %s", i, c.Metric, c.Grant)
		}
		seen[key] = true
	}
	return nil
}
