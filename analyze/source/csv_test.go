package source

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCSV reads the three ways to write a time, columns in any order, rows that
// are not sorted, and two files.
func TestCSV(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"cpu.csv": "\ufefftime,series,value\n" +
			"2026-07-01T10:01:00Z,apim_cpu,0.5\n" +
			"2026-07-01T12:00:00+02:00,apim_cpu,0.25\n" +
			"1782900120,apim_cpu,0.75\n" +
			"1782900180000,apim_cpu,0.9\n",
		"io.csv": "value,time,series\n" +
			"0,1782899999.5,endpoint_requests\n100,1782900059.5,endpoint_requests\n40,1782900119.5,endpoint_requests\n80,1782900170,endpoint_requests\n",
	})
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	spec := Spec{Kind: "csv", Files: []string{"cpu.csv", "io.csv"}, Base: dir, Windows: []Window{
		{Grant: "password", Mode: On, Start: start.Add(-time.Second), End: start.Add(3 * time.Minute)},
		{Grant: "password", Mode: Off, Start: start.Add(time.Hour), End: start.Add(2 * time.Hour)},
	}}
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{.25, .5, .75}, valuesOf(d, APIManagerCPU)); diff != "" {
		t.Errorf("API Manager's CPU (-want +got)\n%s", diff)
	}
	if step := d.Runs[0].Series[APIManagerCPU].Step; step != time.Minute {
		t.Errorf("step %s, want 1m", step)
	}
	counted := d.Runs[0].Series[EndpointRequests]
	total := 0.0
	for _, in := range counted.Intervals {
		total += in.Increase
	}
	if total != 180 || counted.Resets != 1 {
		t.Errorf("%v requests and %d resets, want 180 and 1", total, counted.Resets)
	}
	if diff := cmp.Diff([]Input{
		{Kind: "csv", Name: "cpu.csv", Range: "2026-07-01T10:00:00.000Z/2026-07-01T10:03:00.000Z", Count: 4},
		{Kind: "csv", Name: "io.csv", Range: "2026-07-01T09:59:59.500Z/2026-07-01T10:02:50.000Z", Count: 4},
	}, unhashed(t, d.Inputs)); diff != "" {
		t.Errorf("inputs (-want +got)\n%s", diff)
	}
	if got := saysOf(d, APIManagerCPU); !strings.Contains(got, "no samples of apim_cpu in this window") {
		t.Errorf("the second window has no samples: %q", got)
	}
}

// unhashed checks that every input has a hash, and takes it away.
func unhashed(t *testing.T, in []Input) []Input {
	t.Helper()
	for i := range in {
		if len(in[i].SHA256) != 64 {
			t.Errorf("%s has the hash %q", in[i].Name, in[i].SHA256)
		}
		in[i].SHA256 = ""
	}
	return in
}

// TestBadCSV lists what is wrong with files: every error has file and line.
func TestBadCSV(t *testing.T) {
	const head = "time,series,value\n"
	const good = "1782900000,apim_cpu,0.5\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "a.csv: the file is empty"},
		{"no rows", head, "no rows below their header"},
		{"no header", good, `a.csv:1: column "1782900000" is unknown`},
		{"mistyped column", "time,serie,value\n", `a.csv:1: column "serie" is unknown: did you mean series?`},
		{"column missing", "time,value\n", "a.csv:1: no column series"},
		{"column twice", "time,series,value,time\n", "a.csv:1: column time stands twice"},
		{"unknown series", head + good + "1782900060,apm_cpu,0.5\n", `a.csv:3: series "apm_cpu" is unknown: did you mean apim_cpu?`},
		{"no time", head + "yesterday,apim_cpu,0.5\n", `a.csv:2: time "yesterday" is neither RFC 3339`},
		{"no zone", head + "2026-07-01 10:00:00,apim_cpu,0.5\n", "is neither RFC 3339"},
		{"no value", head + "1782900000,apim_cpu,\n", `a.csv:2: value "" is not a number`},
		{"NaN", head + "1782900000,apim_cpu,NaN\n", `value "NaN" is not a number`},
		{"negative", head + "1782900000,database_iops,-1\n", "is negative"},
		{"per cent", head + "1782900000,apim_cpu,50\n", "divide percentages by 100"},
		{"a field too few", head + good + "1782900060,apim_cpu\n", "a.csv:3: wrong number of fields"},
		{"an open quote", head + "1782900000,\"apim_cpu,0.5\n", "a.csv:"},
		{"twice", head + good + "1782900060,apim_cpu,0.5\n" + good, "a.csv:4: apim_cpu has a value for 2026-07-01T10:00:00Z already, at a.csv:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
			_, err := Read(t.Context(), Spec{
				Kind: "csv", Files: []string{"a.csv"}, Base: writeFiles(t, map[string]string{"a.csv": c.text}),
				Windows: []Window{{Grant: "password", Mode: On, Start: start, End: start.Add(time.Minute)}},
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// FuzzCSV checks that any file gives finite samples of known series, or an error
// that names it.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"time,series,value\n1782900000,apim_cpu,0.5\n", "value,time,series\n1,2026-07-01T10:00:00Z,endpoint_errors\n",
		"time,series,value\n1e11,database_iops,1e300\n", "\ufefftime,series,value\r\n\"1\",\"load_cpu\",\"0x1p-2\"\r\n", "\"", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := map[string][]fileSample{}
		input, err := parseCSV("a.csv", strings.NewReader(text), found)
		if err != nil {
			if !strings.Contains(err.Error(), "a.csv") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		n := 0
		for series, samples := range found {
			for _, s := range samples {
				if !finite(s.v) || s.v < 0 || s.t < 0 || s.line < 2 {
					t.Errorf("%s at %s: %+v", series, s.place(), s.sample)
				}
				n++
			}
		}
		if n != input.Count {
			t.Errorf("%d samples, %d rows counted", n, input.Count)
		}
	})
}
