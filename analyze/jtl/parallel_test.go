package jtl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// header is the first line that JMeter writes.
const header = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"

// writeFile makes a result file and returns its path.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.jtl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// seenRow is a row that outlives the call that hands it over.
type seenRow struct {
	Start, Elapsed int64
	Label          string
	Success, Local bool
}

// outcome is what a way of reading finds in a text, rows sorted.
type outcome struct {
	Rows     []seenRow
	Count    uint64
	Bad      uint64
	Locals   uint64
	Worst    []string
	Date     string
	Local    string
	Error    string
	parallel bool // it was read in parallel to its end
}

func (o *outcome) set(p stretch, rows []seenRow, err error) {
	slices.SortFunc(rows, func(a, b seenRow) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Elapsed, b.Elapsed), strings.Compare(a.Label, b.Label), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	if err != nil {
		o.Error = err.Error()
		return
	}
	if p.date != nil { // what follows is not read on every way
		o.Date = p.date.quote("x")
		return
	}
	o.Rows, o.Count, o.Bad, o.Locals = rows, p.rows, p.bad, p.locals
	for _, b := range p.worst {
		o.Worst = append(o.Worst, b.quote("x"))
	}
	if p.local != nil {
		o.Local = p.local.quote("x")
	}
}

func remember(rows *[]seenRow) func(Row) {
	return func(r Row) {
		*rows = append(*rows, seenRow{r.Start, r.Elapsed, string(r.Label), r.Success, r.Local})
	}
}

// readSerially is the truth: one row after the other through records.
func readSerially(t *testing.T, text string) outcome {
	t.Helper()
	var o outcome
	cols, err := sniff("x", []byte(text))
	if err != nil {
		o.set(stretch{}, nil, err)
		return o
	}
	var rows []seenRow
	s := newScan("x", cols)
	s.handle = remember(&rows)
	err = s.serial(t.Context(), strings.NewReader(text))
	o.set(s.stretch, rows, err)
	return o
}

// readBlocks reads the text with so many workers, in blocks of so many bytes.
func readBlocks(t *testing.T, text string, workers, size int) outcome {
	t.Helper()
	var o outcome
	cols, err := sniff("x", []byte(text))
	if err != nil || cols.count == 0 {
		return readSerially(t, text)
	}
	lists := make([][]seenRow, workers)
	var handles []func(Row)
	for i := range lists {
		handles = append(handles, remember(&lists[i]))
	}
	p, err := parallel(t.Context(), newScan("x", cols), strings.NewReader(text), make([]byte, size), 0, handles)
	if errors.Is(err, errSerial) { // as Scan does
		return readSerially(t, text)
	}
	o.parallel = true
	o.set(p, slices.Concat(lists...), err)
	return o
}

// sameOutcome compares want with reading in blocks of so many bytes, and says
// whether that was done in parallel.
func sameOutcome(t *testing.T, text string, want outcome, size int) (parallel bool) {
	t.Helper()
	for _, workers := range []int{1, 2, 5} {
		got := readBlocks(t, text, workers, size)
		parallel = parallel || got.parallel
		if diff := gocmp.Diff(want, got, gocmp.FilterPath(func(p gocmp.Path) bool { return p.Last().String() == ".parallel" }, gocmp.Ignore())); diff != "" {
			t.Fatalf("%d workers, blocks of %d bytes (-serial +parallel)\n%s\n%q", workers, size, diff, text)
		}
	}
	return parallel
}

// FuzzJTL reads any text serially and in parallel: rows, damaged rows and their
// line numbers are the same whatever the number of workers and where the text
// is cut.
func FuzzJTL(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(messyFile(seed, 12), uint16(300))
	}
	f.Add(header+strings.Repeat("1717200000500,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n", 9), uint16(128))
	f.Add("label,success,elapsed,timeStamp\na,true,3,1717200000500\n\"b\nc\",true,4,1717200000600\na,false,5,1717200000700\n", uint16(60))
	f.Fuzz(func(t *testing.T, text string, size uint16) {
		sameOutcome(t, text, readSerially(t, text), max(16, int(size)))
	})
}

// TestParallelEqualsSerial does the same with texts made of everything that is
// found in result files, and sees to it that most are read in parallel.
func TestParallelEqualsSerial(t *testing.T) {
	parallel, all := 0, 0
	for seed := range uint64(100) {
		text := messyFile(seed, 60)
		want := readSerially(t, text)
		for _, size := range []int{150, 400, 1500, 1 << 16} {
			all++
			if sameOutcome(t, text, want, size) {
				parallel++
			}
		}
	}
	if parallel < all/3 {
		t.Errorf("only %d of %d texts were read in parallel", parallel, all)
	}
}

// messyFile makes a result file of sound and damaged rows.
func messyFile(seed uint64, rows int) string {
	rng := rand.New(rand.NewPCG(seed, 4))
	var b strings.Builder
	eol := []string{"\n", "\n", "\r\n"}[rng.IntN(3)]
	if rng.IntN(4) > 0 {
		b.WriteString(strings.Replace(header, "\n", eol, 1))
	}
	changes := seed%7 == 0
	for range rows {
		at, elapsed := 1717200000000+rng.IntN(9000), rng.IntN(1500)
		sound := fmt.Sprintf("%d,%d,%s,200,OK,t 1-%d,text,%t,,1,1,1,1,u,1,0,0", at, elapsed, []string{"token", "api", "a b"}[rng.IntN(3)], rng.IntN(9), rng.IntN(9) > 0)
		row := sound
		switch rng.IntN(40) {
		case 0:
			row = strings.Replace(sound, ",OK,", ",\"a, \"\"b\"\",\nc"+eol+"d\",", 1)
		case 1:
			row = strings.Replace(sound, ",OK,", ",\"never closed,", 1)
		case 2:
			row = strings.Replace(sound, ",OK,", ",\"x\n1717200000001,5,inside\",", 1)
		case 3:
			row = strings.TrimSuffix(header, "\n")
		case 4:
			row = ""
		case 5:
			row = sound[:rng.IntN(len(sound))]
		case 6:
			row = strings.Replace(sound, "17", "x", 1)
		case 7:
			row = strings.Replace(sound, "token", `"to""ken"`, 1)
		case 8:
			row = strings.Replace(sound, ",u,", `,u"v,`, 1)
		case 9:
			row = fmt.Sprintf("2026-07-01T10:00:%02d.5Z%s", rng.IntN(60), sound[strings.IndexByte(sound, ','):])
		case 10:
			row = fmt.Sprintf("2026/07/01 10:00:%02d%s", rng.IntN(60), sound[strings.IndexByte(sound, ','):])
		case 11:
			row = strings.Replace(sound, "true", "TRUE", 1)
		case 12:
			row = strings.Replace(sound, ",-1,", ",", 1) + ",-1"
		case 13:
			row = "\n\"\n" + sound
		case 14:
			if changes {
				row = "elapsed,timeStamp,label,success"
			}
		}
		b.WriteString(row + eol)
	}
	if rng.IntN(3) == 0 {
		b.WriteString("1717200000500,300,tok")
	}
	return b.String()
}

// TestLongFiles reads files of several blocks through the front door, where the
// ways in parallel and one after the other have to meet again.
func TestLongFiles(t *testing.T) {
	sound := strings.Repeat("1717200000500,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n", 20000)
	for _, c := range []struct{ name, text string }{
		{"sound", header + sound},
		{"no header", sound},
		{"damaged in the last block", header + sound + "17x,3\n"},
		{"columns change", header + sound + "elapsed,timeStamp,label,success\n" + strings.Repeat("7,1717200000500,token,false\n", 9) + "x,y\n"},
		{"nowhere to cut", "label,success,elapsed,timeStamp\n" + strings.Repeat("\"to,ken\",true,3,1717200000500\n", 40000)},
		{"one quote", header + "1717200000500,300,token,\"" + strings.Repeat("x\n", 400000) + sound},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, c.text)
			read := func(workers int) (File, int) {
				var mu sync.Mutex
				rows := 0
				f, err := Scan(t.Context(), "a.jtl", path, nil, workers, func(n int) []func(Row) {
					rows = 0
					return slices.Repeat([]func(Row){func(Row) {
						mu.Lock()
						defer mu.Unlock()
						rows++
					}}, n)
				})
				if err != nil {
					t.Fatal(err)
				}
				return f, rows
			}
			want, wantRows := read(0)
			for _, workers := range []int{1, 3} {
				got, rows := read(workers)
				if diff := gocmp.Diff(want, got); diff != "" || rows != wantRows {
					t.Errorf("%d workers: %d rows, want %d (-serial +parallel)\n%s", workers, rows, wantRows, diff)
				}
			}
			if uint64(wantRows)+want.Bad != want.Rows || wantRows == 0 {
				t.Errorf("%d sound and %d damaged of %d rows", wantRows, want.Bad, want.Rows)
			}
		})
	}
}

// TestShortWay sees to it that rows as JMeter writes them take the short way,
// and that it allocates nothing.
func TestShortWay(t *testing.T) {
	line := "1717200000500,300,token,200,OK,t 1-1,text,true,,1,-1,1,1,https://apim:9443/oauth2/token,1,0,0"
	for _, c := range []struct{ name, head, line string }{
		{"default order", header, line},
		{"carriage return", header, line + "\r"},
		{"success last", "label,timeStamp,elapsed,success\n", "token,1717200000500,300,true"},
		{"success last, carriage return", "label,timeStamp,elapsed,success\n", "token,1717200000500,300,true\r"},
		{"time last", "success,label,x,elapsed,y,z,timeStamp\n", "true,token,,300,,,1717200000500"},
		{"tab", "timeStamp\telapsed\tlabel\tsuccess\n", "1717200000500\t300\ttoken\ttrue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cols, err := sniff("x", []byte(c.head))
			if err != nil {
				t.Fatal(err)
			}
			text := []byte(strings.Repeat(c.line+"\n", 3))
			p := planFor(cols)
			row, ok := p.read(text, 0, len(c.line))
			if !ok || row.Start != 1717200000500 || row.Elapsed != 300 || string(row.Label) != "token" || !row.Success {
				t.Fatalf("%+v %t", row, ok)
			}
			s, count := newScan("x", cols), 0
			s.fixed, s.handle = true, func(Row) { count++ }
			if n := testing.AllocsPerRun(5, func() {
				if err := s.block(text[:len(text)-len(c.line)-1]); err != nil {
					t.Fatal(err)
				}
			}); n > 0 || count == 0 {
				t.Errorf("%g allocations for %d rows", n, count)
			}
		})
	}
}

// BenchmarkBlock is what one core does with rows as JMeter writes them.
func BenchmarkBlock(b *testing.B) {
	var text []byte
	for i := range 3700 {
		text = fmt.Appendf(text, "%d,%d,GetToken_%s_Grant,200,OK,Thread Group 1-%d,text,%t,,1436,410,100,100,https://apim.example.com:9443/oauth2/token,%d,0,0\n",
			1717200000000+i, 80+i%300, []string{"Client_Credentials", "Password", "Refresh_Token"}[i%3], i%100, i%50 > 0, 80+i%300)
	}
	cols, err := sniff("x", text)
	if err != nil {
		b.Fatal(err)
	}
	s := newScan("x", cols)
	rows, good := 0, 0
	s.fixed, s.handle = true, func(r Row) {
		rows++
		if r.Success {
			good++
		}
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := s.block(text); err != nil {
			b.Fatal(err)
		}
	}
	if rows == 0 || good == rows {
		b.Fatalf("%d of %d rows are successes", good, rows)
	}
}

// TestInterrupted ends at once when asked to, whichever way it reads.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	path := writeFile(t, header+strings.Repeat("1717200000500,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n", 90000))
	for _, workers := range []int{0, 2} {
		_, err := Scan(ctx, "a.jtl", path, nil, workers, func(n int) []func(Row) {
			return slices.Repeat([]func(Row){func(Row) {}}, n)
		})
		if err == nil || !strings.Contains(err.Error(), "read a.jtl: enough") {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
}
