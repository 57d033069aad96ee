package source

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

// zipped makes an archive, its files in the order of their names.
func zipped(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// cutLine is where a line in the middle of the text begins.
func cutLine(text string) int {
	return len(text)/2 + strings.IndexByte(text[len(text)/2:], '\n') + 1
}

// TestArchives: what is not one run in a zip archive is refused, and so is what
// cannot be read of it.
func TestArchives(t *testing.T) {
	row := header + "1717200000000,5,token,200,OK,t,text,true,,1,1,1,1,,1,0,0\n"
	locked := []byte(zipped(t, map[string]string{"a.jtl": row}))
	central := bytes.Index(locked, []byte("PK\x01\x02"))
	locked[central+8] |= 1
	for name, c := range map[string]struct{ text, want string }{
		"no run":     {zipped(t, map[string]string{"a.csv": row}), "read a.jtl: the zip archive holds no file ending in .jtl"},
		"empty":      {zipped(t, nil), "holds no file ending in .jtl"},
		"two runs":   {zipped(t, map[string]string{"a.jtl": row, "b/results.jtl": row}), "several result files (a.jtl, b/results.jtl)"},
		"same names": {zipped(t, map[string]string{"a/results.jtl": row, "b/results.jtl": row}), "several result files"},
		"password":   {string(locked), "a.jtl in the zip archive needs a password"},
		"cut off":    {zipped(t, map[string]string{"a.jtl": row})[:90], "its compressed data is cut off or damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"a.jtl": c.text})
			_, err := ReadSurveys(t.Context(), Spec{Base: dir}, []string{"a.jtl"})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	dir := writeFiles(t, map[string]string{"a.jtl": zipped(t, map[string]string{"results-warmup.jtl": row, "results-measurement.jtl": row})})
	s, err := ReadSurveys(t.Context(), Spec{Base: dir}, []string{"a.jtl"})
	if err != nil || s[0].Rows != 2 {
		t.Errorf("both parts count: %v, %v", s, err)
	}
}

// TestForms reads the same run in every form that a result file comes in: all
// give the same window, and the hash is that of the file as it lies there.
func TestForms(t *testing.T) {
	var plain strings.Builder
	plain.WriteString(header)
	for i := range 12000 { // more than one block
		fmt.Fprintf(&plain, "%d,%d,token,200,OK,t,text,%t,,1,1,1,1,https://apim:9443/oauth2/token,1,0,0\n", 1717200000000+i/3, 5+i%40, i%50 > 0)
	}
	text := plain.String()
	zoned := strings.Join(mapLines(text, func(line string) string {
		at, rest, _ := strings.Cut(line, ",")
		if len(at) != 13 {
			return line
		}
		return "2024-06-01T02:00:0" + at[9:10] + "." + at[10:] + "+02:00," + rest
	}), "\n")
	var want *Requests
	for _, c := range []struct{ name, text string }{
		{"plain", text},
		{"gzip", gzipped(t, text)},
		{"gzip in two members", gzipped(t, text[:len(text)/2]) + gzipped(t, text[len(text)/2:])},
		{"zstd", zstandard(t, text)},
		{"zip", zipped(t, map[string]string{"a.jtl": text, "jmeter.log": "no rows"})},
		{"zip of a run and its parts", zipped(t, map[string]string{"results.jtl": text, "results-warmup.jtl": text[:len(text)/2], "results-measurement.jtl": text})},
		{"zip of the parts of a run", zipped(t, map[string]string{"results-measurement.jtl": header + text[cutLine(text):], "results-warmup.jtl": text[:cutLine(text)-1]})},
		{"no header", strings.TrimPrefix(text, header)},
		{"byte order mark", "\ufeff" + text},
		{"carriage returns", strings.ReplaceAll(text, "\n", "\r\n")},
		{"tabs", strings.ReplaceAll(text, ",", "\t")},
		{"semicolons", strings.ReplaceAll(text, ",", ";")},
		{"dates with a zone", zoned},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"a.jtl": c.text})
			w := window("a.jtl")
			w.Start, w.End = time.Time{}, time.Time{}
			d, err := Read(t.Context(), Spec{Windows: []Window{w}, Base: dir, Warmup: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			got := d.Runs[0].Requests
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" || got.Counted != 12000 || got.BadRows != 0 {
				t.Errorf("%d rows, %d bad (-plain +%s)\n%s", got.Counted, got.BadRows, c.name, diff)
			}
			sum := sha256.Sum256([]byte(c.text))
			if d.Inputs[0].SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("hash %s, want %x", d.Inputs[0].SHA256, sum)
			}
		})
	}
}

func mapLines(text string, f func(string) string) []string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = f(line)
	}
	return lines
}

// TestCutCompression refuses compressed files that end too early: rows are
// missing, and nobody knows how many.
func TestCutCompression(t *testing.T) {
	text := header + strings.Repeat("1717200000500,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n", 50)
	for name, whole := range map[string]string{"gzip": gzipped(t, text), "zstd": zstandard(t, text)} {
		dir := writeFiles(t, map[string]string{"a.jtl": whole[:len(whole)-6]})
		_, err := Read(t.Context(), Spec{Windows: []Window{window("a.jtl")}, Base: dir})
		if err == nil || !strings.Contains(err.Error(), "read a.jtl: its compressed data is cut off or damaged") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPipe reads a declared window from a pipe, and refuses one that would have
// to be read twice.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/pipe", 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	wrote := make(chan error, 1)
	go func() {
		wrote <- os.WriteFile(dir+"/pipe", []byte(header+"1717200000500,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n"), 0o600)
	}()
	d, err := Read(t.Context(), Spec{Windows: []Window{window("pipe")}, Base: dir})
	if err := errors.Join(err, <-wrote); err != nil {
		t.Fatal(err)
	}
	if got := d.Runs[0].Requests.Seconds; got[0] != (Second{1, 0}) {
		t.Errorf("seconds %v", got)
	}
	w := window("pipe")
	w.Start, w.End = time.Time{}, time.Time{}
	if _, err := Read(t.Context(), Spec{Windows: []Window{w}, Base: dir}); err == nil || !strings.Contains(err.Error(), "pipe can be read only once") {
		t.Errorf("error %v", err)
	}
}

// TestLocalTimes takes dates without a zone where the file alone gives the
// window, and nowhere else.
func TestLocalTimes(t *testing.T) {
	local := header + "2026/07/01 10:00:00.000,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n2026/07/01 10:00:08.900,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n"
	dir := writeFiles(t, map[string]string{"a.jtl": local, "b.jtl": header + "1782900001000,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n",
		"us.jtl": header + "07/01/2026 10:00:00,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n"})
	derived := func(files ...string) Window { return Window{Grant: "password", Mode: On, JTL: files} }
	d, err := Read(t.Context(), Spec{Windows: []Window{derived("a.jtl")}, Base: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"local-time"}, problemIDs(d)); diff != "" || len(d.Runs[0].Requests.Seconds) != 9 {
		t.Errorf("%d seconds, problems\n%s", len(d.Runs[0].Requests.Seconds), diff)
	}
	declared := derived("a.jtl")
	declared.Start = time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	declared.End = declared.Start.Add(9 * time.Second)
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Windows: []Window{declared}}, "a.jtl:2: timeStamp \"2026/07/01 10:00:00.000\" is a date without a time zone"},
		{Spec{Windows: []Window{derived("a.jtl")}, Kind: "tsdb", TSDB: dir}, "is a date without a time zone"},
		{Spec{Windows: []Window{derived("b.jtl", "a.jtl")}}, "other rows of the run are in UTC"},
		{Spec{Windows: []Window{derived("us.jtl")}}, "us.jtl:2: timeStamp \"07/01/2026 10:00:00\" is a date that can be read in more than one way"},
	} {
		c.spec.Base = dir
		if _, err := Read(t.Context(), c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// TestDerivedWindow looks for the first and the last row far from the ends of
// the file, where the guess misses them.
func TestDerivedWindow(t *testing.T) {
	line := func(at int) string {
		return fmt.Sprintf("%d,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n", at)
	}
	many := strings.Repeat(line(1717200010000), 20000)
	dir := writeFiles(t, map[string]string{"a.jtl": header + many + line(1717200002100) + line(1717200019900) + many, "far.jtl": header + many + line(1000) + many})
	read := func(w Window) (*Requests, Window, error) {
		d, err := Read(t.Context(), Spec{Windows: []Window{w}, Base: dir, Warmup: 3 * time.Second})
		if err != nil {
			return nil, w, err
		}
		return d.Runs[0].Requests, d.Runs[0].Window, nil
	}
	got, w, err := read(Window{Grant: "password", Mode: On, JTL: []string{"a.jtl"}})
	if err != nil {
		t.Fatal(err)
	}
	if w.Start.UnixMilli() != 1717200002000 || w.End.UnixMilli() != 1717200020000 {
		t.Errorf("window %s to %s", w.Start, w.End)
	}
	want, _, err := read(w)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Outside != 1 || got.ElapsedMS[300] != 40000 {
		t.Errorf("%d outside (-declared +derived)\n%s", got.Outside, diff)
	}
	if _, _, err := read(Window{Grant: "password", Mode: On, JTL: []string{"far.jtl"}}); err == nil || !strings.Contains(err.Error(), "span more than 24 days") {
		t.Errorf("error %v", err)
	}
}
