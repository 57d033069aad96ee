package tokentable_test

import (
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// TestIndexesAreThoseOfTheDefinitions: what we expect is what Create makes.
func TestIndexesAreThoseOfTheDefinitions(t *testing.T) {
	all := keys()
	for _, table := range tokentable.Watched() {
		indexes := tokentable.Indexes(table)
		if len(indexes) == 0 && table != tokentable.ISRefreshTokenBinding {
			t.Errorf("%s has no expected index, not even a primary key", table)
		}
		made, ours := all[table]
		for _, index := range indexes {
			if have := strings.TrimPrefix(made[index.Name], "unique "); ours && have != strings.Join(index.Columns, ",") {
				t.Errorf("%s of %s is expected over %v and made over %s", index.Name, table, index.Columns, have)
			}
		}
	}
	if n := len(tokentable.Indexes(tokentable.AccessToken + "_PARTNERS")); n != len(tokentable.Indexes(tokentable.AccessToken)) {
		t.Errorf("%d indexes are expected of a partition", n)
	}
	if tokentable.Indexes("IDP") != nil {
		t.Error("indexes are expected of a table that is not watched")
	}
}
