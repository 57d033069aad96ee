package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// TestRealPrometheus asks a Prometheus server of another generation than the
// engine in our tests: 2.42 as Debian ships it, where a range holds both edges.
func TestRealPrometheus(t *testing.T) {
	series := parse(t, recorded)
	spec := recordedSpec()
	spec.Queries = map[string]string{DatabaseCPU: "max(rds_cpu_utilization_ratio) by (db_instance)"}
	spec.Kind, spec.URL = "prometheus", sourcetest.Prometheus(t, series)
	got, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	spec.URL = serve(t, series)
	want, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the real server answers differently from the engine (-engine +server)\n%s", diff)
	}

	spec.Queries, spec.URL = nil, sourcetest.Prometheus(t, series)
	if got, err = Read(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	checkRecorded(t, got)
}
