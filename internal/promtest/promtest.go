// Package promtest holds PromQL against what it is about: expressions against
// the exporter's contract, by their syntax tree, and against data, recorded or
// made, in Prometheus' own database and engine. Dashboards and rules are tested
// with it. It refuses to be used outside tests: nothing here is fast.
//
//	contract := promtest.ReadContract(t)
//	for _, problem := range contract.Check(`rate(wso2_token_rows_obsrved_total[5m])`) {
//		t.Error(problem)
//	}
//	store := promtest.New(t)
//	store.Append(t, contract.Moving(from, to, 15*time.Second))
//	store.Record(t, promtest.ReadRules(t, "../alerts/rules"), from, to, 15*time.Second)
//	values, err := store.Instant(t.Context(), `token_persistence:mode`, to)
package promtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Root returns the module's folder.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
