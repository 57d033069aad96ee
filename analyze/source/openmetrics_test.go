package source

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// dump writes series as promtool tsdb dump-openmetrics does.
func dump(series []sourcetest.Series) string {
	var b strings.Builder
	for _, s := range series {
		name := s.Labels.Get(model.MetricNameLabel)
		bare := labels.NewBuilder(s.Labels).Del(model.MetricNameLabel).Labels()
		for _, p := range s.Samples {
			fmt.Fprintf(&b, "%s%s %g %.3f\n", name, bare.StringNoSpace(), p.V, float64(p.T)/1000)
		}
	}
	return b.String() + "# EOF\n"
}

// TestOpenMetrics reads a dump in two files that overlap: the same series as
// from the server it came from.
func TestOpenMetrics(t *testing.T) {
	series := parse(t, recorded)
	spec := recordedSpec()
	spec.Kind, spec.URL = "prometheus", serve(t, series)
	online, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	early, late := split(series, time.Date(2026, 7, 1, 10, 0, 27, 0, time.UTC))
	_, tail := split(early, time.Date(2026, 7, 1, 10, 0, 15, 0, time.UTC))
	spec.Kind, spec.Files = "openmetrics", []string{"late.txt", "early.txt"}
	spec.Base = writeFiles(t, map[string]string{"early.txt": dump(early), "late.txt": dump(append(tail, late...))})
	files, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(online.Runs, files.Runs); diff != "" {
		t.Errorf("the files give something else than the server (-server +files)\n%s", diff)
	}
	if diff := cmp.Diff(online.Problems, files.Problems); diff != "" {
		t.Errorf("problems (-server +files)\n%s", diff)
	}
	if len(files.Inputs) != len(online.Inputs)+2 || files.Inputs[0].Name != "late.txt" || len(files.Inputs[0].SHA256) != 64 {
		t.Errorf("inputs %+v", files.Inputs)
	}
	for i, in := range online.Inputs {
		if got := files.Inputs[i+2]; got.SHA256 != in.SHA256 || got.Query != in.Query {
			t.Errorf("%s has the hash %s from files and %s from the server", in.Query, got.SHA256, in.SHA256)
		}
	}
}

// TestBadOpenMetrics lists what is wrong with files: errors have file and line.
func TestBadOpenMetrics(t *testing.T) {
	const good = "# TYPE up gauge\nup{job=\"a\"} 1 1782900000\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "a.txt:1: this is not OpenMetrics text"},
		{"cut off", good, "a.txt:3: this is not OpenMetrics text"},
		{"no time", good + "up{job=\"b\"} 1\n# EOF\n", "a.txt:3: the sample has no timestamp"},
		{"bad value", good + "up{job=\"b\"} one 1782900000\n# EOF\n", "a.txt:3: this is not OpenMetrics text"},
		{"two values", good + "up{job=\"a\"} 0 1782900000\n# EOF\n", "has two values, 1 and 0, at 2026-07-01T10:00:00Z"},
		{"web page", "<html>\n", "promtool tsdb dump-openmetrics writes it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := recordedSpec()
			spec.Kind, spec.Files, spec.Base = "openmetrics", []string{"a.txt"}, writeFiles(t, map[string]string{"a.txt": c.text})
			if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	spec := recordedSpec()
	spec.Kind, spec.Files, spec.Base = "openmetrics", []string{"a.txt"}, writeFiles(t, map[string]string{"a.txt": good + "# EOF\n"})
	spec.Queries = map[string]string{APIManagerCPU: "avg(up)"}
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "give a plain selector") {
		t.Errorf("an expression gave %v", err)
	}
	spec.Files = []string{"absent.txt"}
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "absent.txt") {
		t.Errorf("a missing file gave %v", err)
	}
}

// FuzzOpenMetrics checks that any text gives series with rising times, or an
// error that names the file.
func FuzzOpenMetrics(f *testing.F) {
	for _, s := range []string{
		"# TYPE up gauge\nup{job=\"a\"} 1 1782900000\n# EOF\n", "a_total 1 1\na_total 2 0.5\n# EOF\n", "{\"a.b\",c=\"d\"} NaN 1\n# EOF\n",
		"# EOF\n", "a 1 1e300\n# EOF\n", "a 1 1 # {b=\"c\"} 1\n# EOF\n", "a 1 1\r\n# EOF", "",
	} {
		f.Add(s)
	}
	from, to := time.UnixMilli(-1<<50), time.UnixMilli(1<<50)
	f.Fuzz(func(t *testing.T, text string) {
		m := memory{}
		count, err := m.add("a.txt", []byte(text))
		if err == nil {
			err = m.sort()
		}
		if err != nil {
			if !strings.Contains(err.Error(), "a.txt") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		found, _, err := m.fetch(t.Context(), `{__name__=~".+"}`, from, to)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range found {
			if !rising(s.samples) {
				t.Errorf("%s: samples %v", fullName(s.labels), s.samples)
			}
			n += len(s.samples)
		}
		if n > count {
			t.Errorf("%d samples of %d", n, count)
		}
	})
}
