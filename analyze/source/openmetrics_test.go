package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

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

// TestOpenMetrics reads a dump in two files that overlap, one compressed: the same series as
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
	spec.Kind, spec.Files = "openmetrics", []string{"late.txt", "early.txt.gz"}
	spec.Base = writeFiles(t, map[string]string{"early.txt.gz": gzipped(t, dump(early)), "late.txt": dump(append(tail, late...))})
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
		{"cut off in a line", good + "up{job=\"b\"} 1 17829", "a.txt:3: this is not OpenMetrics text"},
		{"two dumps in one file", good + "# EOF\n" + good + "# EOF\n", "a.txt:4: this is not OpenMetrics text: unexpected data"},
		{"name over two lines", "{\"a\nb\"} 1 1782900000\n# EOF\n", "a name in quotes goes over the end of its line"},
		{"long line", good + "# HELP up " + strings.Repeat("x", longestDumpLine) + "\n# EOF\n", "a.txt:3: this is not OpenMetrics text: the line is longer"},
		{"far down", strings.Repeat("up{job=\"a\"} 1 1782900000\n", 30_000) + "up{job=\"b\"} one 1782900000\n# EOF\n", "a.txt:30001: this is not OpenMetrics text"},
		{"cut off compressed data", gzipped(t, good+"# EOF\n")[:40], "a.txt: its compressed data is cut off"},
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

// TestHeldSamples stops at the limit, across files too.
func TestHeldSamples(t *testing.T) {
	const text = "up 1 1782900000\nup 1 1782900001\nup 1 1782900002\n# EOF\n"
	if n, err := (memory{}).add(t.Context(), "a.txt", strings.NewReader(text), 3); n != 3 || err != nil {
		t.Errorf("%d samples, %v", n, err)
	}
	if _, err := (memory{}).add(t.Context(), "a.txt", strings.NewReader(text), 2); err == nil || !strings.Contains(err.Error(), "a.txt:3: the files hold more than") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (memory{}).add(ctx, "a.txt", strings.NewReader(text), 3); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after an interrupt", err)
	}
}

// parsedWhole counts the samples of a text with the parser alone, and the lines
// that its entries take if each takes one.
func parsedWhole(text string) (samples, entries int, err error) {
	p := textparse.NewOpenMetricsParser([]byte(text), labels.NewSymbolTable())
	for {
		entry, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return samples, entries, nil
		case err != nil:
			return samples, entries, err
		}
		entries++
		if entry == textparse.EntrySeries {
			if _, at, _ := p.Series(); at == nil {
				return samples, entries, errors.New("no time")
			}
			samples++
		}
	}
}

// FuzzOpenMetrics checks that any text gives series with rising times, or an
// error that names the file; and that reading it line by line finds what the
// parser finds in the whole.
func FuzzOpenMetrics(f *testing.F) {
	for _, s := range []string{
		"# TYPE up gauge\nup{job=\"a\"} 1 1782900000\n# EOF\n", "a_total 1 1\na_total 2 0.5\n# EOF\n", "{\"a.b\",c=\"d\"} NaN 1\n# EOF\n",
		"# EOF\n", "a 1 1e300\n# EOF\n", "a 1 1 # {b=\"c\"} 1\n# EOF\n", "a 1 1\r\n# EOF", "", "{\"a\nb\"} 1 1\n# EOF", "a 1 1\n# EOF\n\n", "# UNIT a_s s\na_s 1 1\n# EOF",
	} {
		f.Add(s)
	}
	from, to := time.UnixMilli(-1<<50), time.UnixMilli(1<<50)
	f.Fuzz(func(t *testing.T, text string) {
		m := memory{}
		count, err := m.add(t.Context(), "a.txt", strings.NewReader(text), maxHeldSamples)
		samples, entries, wholeErr := parsedWhole(text)
		if wholeErr == nil && entries == strings.Count(strings.TrimSuffix(text, "\n"), "\n") && (err != nil || count != samples) {
			t.Errorf("%d samples, %v; the parser alone finds %d", count, err, samples)
		}
		if err == nil && wholeErr != nil {
			t.Errorf("%d samples where the parser alone says %v", count, wholeErr)
		}
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
