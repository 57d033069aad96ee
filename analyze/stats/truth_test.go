package stats_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// number reads a JSON number, or R's "Inf" in quotes.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		s, err := strconv.Unquote(string(b))
		if err != nil {
			return err
		}
		v, err := strconv.ParseFloat(s, 64)
		*n = number(v)
		return err
	}
	return json.Unmarshal(b, (*float64)(n))
}

// truth reads one file of reference answers; each names its source and tolerance.
func truth(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func series(t *testing.T) map[string][]float64 {
	t.Helper()
	var file struct{ Data map[string][]float64 }
	truth(t, "series", &file)
	return file.Data
}

// near fails unless got equals want within a relative tolerance. A want of 0
// stands for a value below the smallest that R prints.
func near(t *testing.T, what string, got float64, want number, rel float64) {
	t.Helper()
	if w := float64(want); !(math.Abs(got-w) <= max(rel*math.Abs(w), 1e-300)) {
		t.Errorf("%s = %.17g, want %.17g (relative difference %.2g)", what, got, w, math.Abs(got/w-1))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
