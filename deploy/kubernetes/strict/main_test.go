package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestRun: what the types do not know, and what this program does not know, is
// an error that names it.
func TestRun(t *testing.T) {
	const service = "kind: Service\nspec:\n  ports:\n    - port: 9851\n"
	for _, test := range []struct {
		name, manifests string
		status          int
		out, err        string
	}{
		{"two", service + "---\nkind: Namespace\n", 0, "Service ok\nNamespace ok\n", ""},
		{"a key that nobody knows", "kind: Service\nspec:\n  prots: []\n", 1, "", `Service: error unmarshaling JSON: while decoding JSON: json: unknown field "prots"`},
		{"a value of the wrong kind", "kind: Service\nspec:\n  ports: 9851\n", 1, "", "Service: "},
		{"a key twice", "kind: Service\nkind: Service\n", 1, "", `key "kind" already set`},
		{"a fault does not hide what follows", "kind: Namespace\nspce: {}\n---\n" + service, 1, "Service ok\n", `unknown field "spce"`},
		{"a kind without a type", "kind: Job\n", 1, "", `kind "Job": add its type to this program`},
		{"no manifest", "", 1, "", `kind ""`},
		{"no YAML", "kind: [\n", 1, "", "yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(strings.NewReader(test.manifests), &out, &errs); got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			if out.String() != test.out || !strings.Contains(errs.String(), test.err) || (errs.Len() > 0) != (test.err != "") {
				t.Errorf("it prints %q and %q, want %q and %q", out.String(), errs.String(), test.out, test.err)
			}
		})
	}
}
