package source

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/jtl"
)

// TestProgress rises from nothing to all, in steps of windows at least.
func TestProgress(t *testing.T) {
	dir := t.TempDir()
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	rows := "timeStamp,elapsed,label,success\n1782900001000,5,token,true\n1782900002000,5,token,true\n"
	var windows []Window
	for _, name := range []string{"a.jtl", "b.jtl"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(rows), 0o600); err != nil {
			t.Fatal(err)
		}
		windows = append(windows, Window{Grant: "password", Mode: On, Start: start, End: start.Add(time.Minute), JTL: []string{name}})
	}
	var got [][2]int64
	spec := Spec{Windows: windows, Base: dir, Progress: func(done, total int64) { got = append(got, [2]int64{done, total}) }}
	if _, err := Read(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	total := int64(2 * len(rows))
	if len(got) < 3 || got[0] != [2]int64{0, total} || got[len(got)-1] != [2]int64{total, total} {
		t.Fatalf("progress %v, want from 0 to %d", got, total)
	}
	for i := 1; i < len(got); i++ {
		if got[i][0] < got[i-1][0] || got[i][1] != total {
			t.Errorf("step %d: %v after %v", i, got[i], got[i-1])
		}
	}
}

// TestSurveyProgress counts the bytes of all files, on either way of reading.
func TestSurveyProgress(t *testing.T) {
	text := header + "1782900000000,10,token,200,OK,x,text,true,,1,1,1,1,,1,0,0\n"
	base := writeFiles(t, map[string]string{"a.jtl": text, "b.jtl": text})
	for name, read := range map[string]func(Spec) error{
		"surveys": func(s Spec) error { _, err := ReadSurveys(t.Context(), s, []string{"a.jtl", "b.jtl"}); return err },
		"results": func(s Spec) error {
			_, err := ScanResults(t.Context(), s, []string{"a.jtl", "b.jtl"}, func(int, jtl.Row) {})
			return err
		},
	} {
		var done, total int64
		if err := read(Spec{Base: base, Progress: func(d, n int64) { done, total = d, n }}); err != nil {
			t.Fatal(err)
		}
		if want := int64(2 * len(text)); done != want || total != want {
			t.Errorf("%s: %d of %d bytes, want %d", name, done, total, want)
		}
	}
}
