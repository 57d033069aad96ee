package jtl

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecords lists what can stand in a result file, and what becomes of it.
func TestRecords(t *testing.T) {
	type row struct {
		Line   int
		Fields []string
		Err    string
	}
	for _, c := range []struct {
		name, in string
		want     []row
	}{
		{"plain", "a,b\nc,d\n", []row{{1, []string{"a", "b"}, ""}, {2, []string{"c", "d"}, ""}}},
		{"CRLF", "a,b\r\nc,\r\n", []row{{1, []string{"a", "b"}, ""}, {2, []string{"c", ""}, ""}}},
		{"no newline at the end", "a,b", []row{{1, []string{"a", "b"}, ""}}},
		{"empty fields", ",,\n", []row{{1, []string{"", "", ""}, ""}}},
		{"quoted comma", `a,"b,c",d` + "\n", []row{{1, []string{"a", "b,c", "d"}, ""}}},
		{"doubled quote", `a,"b ""c"" d",e` + "\n", []row{{1, []string{"a", `b "c" d`, "e"}, ""}}},
		{"only quotes", `"","""",x` + "\n", []row{{1, []string{"", `"`, "x"}, ""}}},
		{"quoted newline", "a,\"b\nc\r\nd\",e\nf,g\n", []row{{1, []string{"a", "b\nc\r\nd", "e"}, ""}, {4, []string{"f", "g"}, ""}}},
		{"quote inside a field", `a,b"c,d` + "\n", []row{{1, []string{"a", `b"c`, "d"}, ""}}},
		{"quote never closed", "a,\"b\n1717200000125,7,x\nc,d\n", []row{{1, nil, errOpenQuote.Error()}, {2, []string{"1717200000125", "7", "x"}, ""}, {3, []string{"c", "d"}, ""}}},
		{"quote open at the end", "a,b\nc,\"d\n", []row{{1, []string{"a", "b"}, ""}, {2, nil, errOpenQuote.Error()}}},
		{"too long", strings.Repeat("x", maxRecord+1) + "\na,b\n", []row{{1, nil, errLongRecord.Error()}, {2, []string{"a", "b"}, ""}}},
		{"longer than the buffer", strings.Repeat("x", 3*readBuffer) + "\na,b\n", []row{{1, nil, errLongRecord.Error()}, {2, []string{"a", "b"}, ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecords(strings.NewReader(c.in))
			var got []row
			for {
				fields, line, _, err := r.next()
				if errors.Is(err, io.EOF) {
					break
				}
				g := row{Line: line}
				if err != nil {
					g.Err = err.Error()
				}
				for _, f := range fields {
					g.Fields = append(g.Fields, string(f))
				}
				got = append(got, g)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// FuzzRecords checks that any input ends, that every line is accounted for in
// rising order, and that no good row after a newline outside quotes is lost.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{"a,b\n", "a,\"b\n", "\"\"\n\"", "1717200000125,7,\"x\n1717200000126,8,y\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		sameFields(t, in)
		r := newRecords(strings.NewReader(in))
		last, rows := 0, 0
		for {
			_, line, _, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if line <= last {
				t.Fatalf("row at line %d after line %d", line, last)
			}
			last = line
			rows++
		}
		lines := strings.Count(in, "\n")
		if in != "" && !strings.HasSuffix(in, "\n") {
			lines++
		}
		if rows > lines || (lines > 0 && rows == 0) {
			t.Fatalf("%d rows from %d lines", rows, lines)
		}
		if !strings.Contains(in, `"`) && rows != lines {
			t.Fatalf("%d rows from %d lines without quotes", rows, lines)
		}
	})
}

// sameFields compares how a row is split with doing it one byte at a time.
func sameFields(t *testing.T, in string) {
	t.Helper()
	state, fields, field := atFieldStart, []string{}, []byte{}
	for _, c := range []byte(in) {
		next := step(state, c, ',')
		switch {
		case next == atFieldStart:
			fields, field = append(fields, string(field)), nil
		case next == inQuotes && state == afterQuote: // the second of a doubled quote
			field = append(field, c)
		case next == afterQuote, next == inQuotes && state == atFieldStart: // the quotes themselves
		default:
			field = append(field, c)
		}
		state = next
	}
	fields = append(fields, string(field))
	if got := scanQuotes(atFieldStart, []byte(in), ','); got != state {
		t.Errorf("%q ends in state %d, want %d", in, got, state)
	}
	r := newRecords(strings.NewReader(""))
	var got []string
	for _, f := range r.splitQuoted([]byte(in)) {
		got = append(got, string(f))
	}
	if diff := cmp.Diff(fields, got); diff != "" {
		t.Errorf("%q (-want +got)\n%s", in, diff)
	}
}
