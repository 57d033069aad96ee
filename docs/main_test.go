// Package docs_test holds what the documents, the Makefile and CI say against
// the programs and against each other.
package docs_test

import (
	"fmt"
	"os"
	"testing"
)

// TestMain goes to the top of the repository, where the paths begin.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
