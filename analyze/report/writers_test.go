package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGoldens compares every format with its committed picture.
func TestGoldens(t *testing.T) {
	for _, w := range Writers {
		t.Run(w.Format, func(t *testing.T) {
			var got bytes.Buffer
			if err := w.Write(&got, sample(), Options{}); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, w.File, got.Bytes())
		})
	}
}

// compareGolden holds text to its committed copy in testdata.
func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); read the diff, then run go test -update:\n%s", path, diff)
	}
}
