package projection_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/tokenpersistence/toolkit/analyze/projection"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// FuzzReportJSON reads files that claim to be reports. What is accepted can be
// written and read again unchanged, and projected without a panic or a number
// that JSON cannot hold.
func FuzzReportJSON(f *testing.F) {
	golden, err := os.ReadFile(filepath.Join("..", "study", "testdata", "report.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	var small bytes.Buffer
	r := experiment(f, 3, noise{common: 0.01, own: 0.02}, 1)
	if err := report.JSON(&small, r, report.Options{}); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Add([]byte(`{"schema_version": 1, "comparisons": [{"grant": "a", "metric": "throughput", "on": {"runs": [{"value": 1e308}]}}]}`))
	f.Add([]byte(`{"schema_version": 2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := report.ReadJSON(bytes.NewReader(text))
		if err != nil {
			if !utf8.ValidString(err.Error()) && utf8.Valid(text) {
				t.Errorf("the error is not text: %q", err)
			}
			return
		}
		var first, second bytes.Buffer
		if err := report.JSON(&first, r, report.Options{}); err != nil {
			t.Fatal(err)
		}
		again, err := report.ReadJSON(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := report.JSON(&second, again, report.Options{}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Error("reading twice gives two reports")
		}
		// Time grows with users and vCPUs; the shape of the numbers does not.
		e := &r.Environment
		e.Users, e.APIManager.VCPUs, e.Database.VCPUs = min(e.Users, 20), min(e.APIManager.VCPUs, 4), min(e.Database.VCPUs, 4)
		checkProjection(t, r)
	})
}

func checkProjection(t *testing.T, r report.Report) {
	t.Helper()
	if len(r.Grants) > 5 {
		r.Grants = r.Grants[:5]
	}
	p, err := projection.Run(r, projection.Options{APIManagerVCPUs: 6, Draws: 20})
	if err != nil {
		return
	}
	var out bytes.Buffer
	if err := p.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteText(&out, report.Options{}); err != nil {
		t.Fatal(err)
	}
}
