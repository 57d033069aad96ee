package source

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const header = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"

// writeFiles puts result files into a folder of their own.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func window(jtl ...string) Window {
	start := time.UnixMilli(1717200000000).UTC()
	return Window{Grant: "password", Mode: On, Start: start, End: start.Add(4 * time.Second), JTL: jtl}
}

// TestSampleFile compares a JMeter file with the counts of JMeter's own
// dashboard and with known per-second successes.
func TestSampleFile(t *testing.T) {
	var truth struct {
		T0    int64
		Cases []struct {
			Label            string
			Count, Errors    uint64
			SuccessPerSecond []uint64 `json:"success_per_second"`
		}
	}
	text, err := os.ReadFile("testdata/jtl_sample.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	for _, c := range truth.Cases {
		t.Run(c.Label, func(t *testing.T) {
			spec := Spec{
				Windows: []Window{{Grant: c.Label, Mode: On, JTL: []string{"sample.jtl"}}},
				Labels:  map[string]string{c.Label: c.Label}, Base: "testdata",
			}
			d, err := Read(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			got := d.Runs[0].Requests
			if want := time.UnixMilli(truth.T0).UTC(); !d.Runs[0].Window.Start.Equal(want) {
				t.Errorf("the window starts at %s, want %s", d.Runs[0].Window.Start, want)
			}
			if got.Counted != c.Count || got.Rows != 1778 || got.BadRows != 0 {
				t.Errorf("counted %d of %d rows (%d bad), want %d of 1778", got.Counted, got.Rows, got.BadRows, c.Count)
			}
			var success []uint64
			var failures, slow uint64
			for _, s := range got.Seconds {
				success = append(success, s.Successes)
				failures += s.Errors
				slow += s.Successes
			}
			if diff := cmp.Diff(c.SuccessPerSecond, success); diff != "" {
				t.Errorf("successes per second (-want +got)\n%s", diff)
			}
			var histogram uint64
			for _, n := range got.ElapsedMS {
				histogram += n
			}
			if histogram != slow {
				t.Errorf("the histogram holds %d requests, the seconds %d", histogram, slow)
			}
			if all := slow + failures + got.Outside; all != c.Count {
				t.Errorf("%d requests inside and outside the window, want %d", all, c.Count)
			}
		})
	}
}

// TestRows is a table of what result files look like in the field.
func TestRows(t *testing.T) {
	row := func(at, elapsed, success string) string {
		return at + "," + elapsed + ",token,200,OK,t 1,text," + success + ",,1,1,1,1,https://apim:9443/oauth2/token,1,0,0\n"
	}
	good := row("1717200000500", "300", "true") // ends at 0.8 s
	for _, c := range []struct {
		name     string
		text     string
		seconds  []Second
		rows     uint64
		bad      string // part of the first bad line
		problems []string
	}{
		{name: "header", text: header + good, seconds: []Second{{1, 0}, {}, {}, {}}, rows: 1},
		{name: "no header", text: good, seconds: []Second{{1, 0}, {}, {}, {}}, rows: 1},
		{name: "byte order mark", text: "\ufeff" + header + good, seconds: []Second{{1, 0}, {}, {}, {}}, rows: 1},
		{name: "other order", text: "label,success,elapsed,timeStamp\ntoken,true,300,1717200000500\n", seconds: []Second{{1, 0}, {}, {}, {}}, rows: 1},
		{name: "belongs to the second it ends in", text: header + row("1717200000500", "1500", "false"), seconds: []Second{{}, {}, {0, 1}, {}}, rows: 1},
		{name: "not sorted", text: header + row("1717200003000", "10", "true") + good, seconds: []Second{{1, 0}, {}, {}, {1, 0}}, rows: 2},
		{name: "in flight at the end", text: header + good + row("1717200003990", "10", "true"), seconds: []Second{{1, 0}, {}, {}, {}}, rows: 2},
		{name: "header again in the middle", text: header + good + header + good, seconds: []Second{{2, 0}, {}, {}, {}}, rows: 2},
		{name: "quoted message with comma and newline", text: header +
			"1717200001000,5,token,500,\"a, \"\"b\"\"\nc\",t,text,false,\"x,y\",1,1,1,1,u,1,0,0\n" + good,
			seconds: []Second{{1, 0}, {0, 1}, {}, {}}, rows: 2},
		{name: "cut off", text: header + good + "1717200001000,5,token,20", seconds: []Second{{1, 0}, {}, {}, {}}, rows: 2, bad: "a.jtl:3: the last row is cut off", problems: []string{"bad-rows"}},
		{name: "comma without quotes", text: header + strings.Replace(good, "OK", "O,K", 1) + good, seconds: []Second{{1, 0}, {}, {}, {}}, rows: 2, bad: "a.jtl:2: 18 columns where the file has 17", problems: []string{"bad-rows"}},
		{name: "bad numbers", text: header + row("17x", "5", "true") + row("1717200000500", "-5", "true") + row("1717200000500", "5", "yes") + good, seconds: []Second{{1, 0}, {}, {}, {}}, rows: 4, bad: `a.jtl:2: timeStamp "17x"`, problems: []string{"bad-rows"}},
		{name: "an hour", text: header + row("1717200000500", "3600001", "true") + good, seconds: []Second{{1, 0}, {}, {}, {}}, rows: 2, bad: "over an hour", problems: []string{"bad-rows"}},
		{name: "nothing but a header", text: header, seconds: []Second{{}, {}, {}, {}}, problems: []string{"no-rows!"}},
		{name: "empty file", text: "", seconds: []Second{{}, {}, {}, {}}, problems: []string{"no-rows!"}},
		{name: "another hour", text: header + row("1717203600000", "5", "true"), seconds: []Second{{}, {}, {}, {}}, rows: 1, problems: []string{"outside!"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"a.jtl": c.text})
			d, err := Read(t.Context(), Spec{Windows: []Window{window("a.jtl")}, Base: dir})
			if err != nil {
				t.Fatal(err)
			}
			got := d.Runs[0].Requests
			if diff := cmp.Diff(c.seconds, got.Seconds); diff != "" {
				t.Errorf("seconds (-want +got)\n%s", diff)
			}
			if got.Rows != c.rows {
				t.Errorf("%d rows, want %d", got.Rows, c.rows)
			}
			if (c.bad == "") != (len(got.BadLines) == 0) || c.bad != "" && !strings.Contains(got.BadLines[0], c.bad) {
				t.Errorf("bad lines %q, want %q", got.BadLines, c.bad)
			}
			if diff := cmp.Diff(c.problems, problemIDs(d)); diff != "" {
				t.Errorf("problems (-want +got)\n%s", diff)
			}
		})
	}
}

// problemIDs lists the warnings of a dataset, with ! where nothing can be decided.
func problemIDs(d Dataset) []string {
	var out []string
	for _, p := range d.Problems {
		id := p.Warning
		if p.NoData {
			id += "!"
		}
		out = append(out, id)
	}
	return out
}

// TestShardsAndWarmup reads two files as one run and keeps the warm-up out of
// the histogram.
func TestShardsAndWarmup(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.jtl": header + "1717200000100,100,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n1717200002000,7,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n",
		"b.jtl": "1717200003100,9,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n1717200004200,9,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n",
	})
	w := window("a.jtl", "b.jtl")
	w.Start, w.End = time.Time{}, time.Time{}
	d, err := Read(t.Context(), Spec{Windows: []Window{w}, Base: dir, Warmup: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	got := d.Runs[0]
	want := window("a.jtl", "b.jtl") // 00:00:00 to 00:00:04, whole seconds
	if !got.Window.Start.Equal(want.Start) || !got.Window.End.Equal(want.End) {
		t.Errorf("window %s to %s, want %s to %s", got.Window.Start, got.Window.End, want.Start, want.End)
	}
	if diff := cmp.Diff([]Second{{1, 0}, {}, {1, 0}, {1, 0}}, got.Requests.Seconds); diff != "" {
		t.Errorf("seconds (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{0, 0, 0, 0, 0, 0, 0, 1, 0, 1}, got.Requests.ElapsedMS); diff != "" {
		t.Errorf("histogram (-want +got)\n%s", diff)
	}
	if len(d.Inputs) != 2 || d.Inputs[0].Count != 2 || len(d.Inputs[0].SHA256) != 64 || d.Inputs[0].SHA256 == d.Inputs[1].SHA256 {
		t.Errorf("inputs %+v", d.Inputs)
	}
}

// TestTimeOfFailures adds up what failed rows took after the warm-up.
func TestTimeOfFailures(t *testing.T) {
	row := ",token,500,no,t,text,false,,1,1,1,1,u,1,0,0\n"
	dir := writeFiles(t, map[string]string{
		"a.jtl": header + "1717200000100,800" + row + "1717200000500,600" + row + "1717200002000,70" + row + "1717200003950,100" + row + "1717200003000,5,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n",
	})
	d, err := Read(t.Context(), Spec{Windows: []Window{window("a.jtl")}, Base: dir, Warmup: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	// The first ended in the warm-up, the fourth after the window.
	if got := d.Runs[0].Requests.FailedMS; got != 670 {
		t.Errorf("%d ms, want 670", got)
	}
}

// TestRefusedFiles lists inputs that end the run, with what the message has to say.
func TestRefusedFiles(t *testing.T) {
	line := func(label string) string {
		return "1717200000500,300," + label + ",200,OK,t,text,true,,1,1,1,1,u,1,0,0\n"
	}
	for _, c := range []struct{ name, text, label, want string }{
		{"two labels", header + line("token") + line("api"), "", "holds 2 labels (api, token)"},
		{"label not there", header + line("token"), "toke", `no row labelled "toke" (labels seen: token)`},
		{"dates", header + "2026/07/01 10:00:00.000,300,token,200,OK,t,text,true,,1,1,1,1,u,1,0,0\n", "", "a.jtl:2: timeStamp \"2026/07/01 10:00:00.000\" is a date"},
		{"xml", "<?xml version=\"1.0\"?>\n", "", "a.jtl:1: this is an XML result file"},
		{"column missing", "timeStamp,elapsed,label\n1,2,3\n", "", "a.jtl:1: no column success: set -Jjmeter.save.saveservice.successful=true"},
		{"too few columns", "1717200000500,300,token,true\n", "", "a.jtl:1: no header and only 4 columns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"a.jtl": c.text})
			spec := Spec{Windows: []Window{window("a.jtl")}, Base: dir}
			if c.label != "" {
				spec.Labels = map[string]string{"password": c.label}
			}
			_, err := Read(t.Context(), spec)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := Read(t.Context(), Spec{Windows: []Window{window("absent.jtl")}, Base: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "absent.jtl") {
		t.Errorf("a missing file gave %v", err)
	}
}
