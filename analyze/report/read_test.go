package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// A report that was written is read as it was.
func TestReadJSONReadsWhatJSONWrites(t *testing.T) {
	var first, second bytes.Buffer
	if err := JSON(&first, sample(), Options{}); err != nil {
		t.Fatal(err)
	}
	r, err := ReadJSON(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := JSON(&second, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Errorf("reading changed the report (-before +after):\n%s", diff)
	}
}

func TestReadJSONNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"", "empty"},
		"spaces":          {" \n", "empty"},
		"a list":          {"[1]", "holds a JSON array, so it is not a report"},
		"HTML":            {"<!doctype html>", "not JSON (byte 1:"},
		"cut off":         {`{"schema_version": 1, "grants": [`, "not JSON"},
		"two documents":   {`{"schema_version": 1}{}`, "not JSON"},
		"another JSON":    {`{"title": "x"}`, "no schema_version"},
		"a later version": {`{"schema_version": 2, "comparisons": 7}`, "schema_version is 2, this program reads 1"},
		"version 0":       {`{"schema_version": 0}`, "schema_version is 0"},
		"a version name":  {`{"schema_version": "1"}`, "schema_version is a JSON string"},
		"a wrong type":    {`{"schema_version": 1, "comparisons": [{"grant": "a", "on": {"runs": [{"value": "fast"}]}}]}`, "comparisons.on.runs.value is a JSON string"},
		"no metric":       {`{"schema_version": 1, "comparisons": [{"grant": "a"}]}`, "comparisons[0] has no grant or no metric"},
		"a metric twice":  {`{"schema_version": 1, "comparisons": [{"grant": "a", "metric": "m"}, {"grant": "a", "metric": "m"}]}`, "comparisons[1] repeats m of a"},
		"beyond float64":  {`{"schema_version": 1, "comparisons": [{"grant": "a", "metric": "m", "on": {"estimate": 1e999}}]}`, "comparisons.on.estimate is a JSON number 1e999"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadJSON(strings.NewReader(c.text))
			if _, ok := errors.AsType[*DocumentError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want a DocumentError with %q", err, c.want)
			}
		})
	}
	broken := errors.New("disk on fire")
	if _, err := ReadJSON(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("%v, want the reader's own error", err)
	}
}
