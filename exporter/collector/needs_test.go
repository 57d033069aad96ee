package collector

import (
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// TestMissing: an account without rights lacks every need, one with them none,
// and one from whom a column was taken lacks that column.
func TestMissing(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_ACME LIKE IDN_OAUTH2_ACCESS_TOKEN")
	d, quoted := grantee(t, server, schema)
	s := openSession(t, d)
	tables := []string{tokentable.AccessToken, "IDN_OAUTH2_ACCESS_TOKEN_ACME"}
	var needs []Need
	for _, c := range []Needer{MySQL{}, TableIO{}, TableSize{}, NewTokens(1, nil, nil)} {
		needs = append(needs, c.Needs(tables)...)
	}
	needs = MergeNeeds(needs)
	missing := func() []string {
		t.Helper()
		list, err := s.Missing(soon(t), needs)
		if err != nil {
			t.Fatal(err)
		}
		var statements []string
		for _, n := range list {
			statements = append(statements, s.Grant(n))
		}
		return statements
	}
	all := missing()
	if len(all) < len(needs)-1 {
		t.Errorf("of %d needs of an account without rights only these are missing: %q", len(needs), all)
	}
	for _, statement := range all {
		exec(t, db, statement)
	}
	s = openSession(t, d) // global privileges hold for new connections
	if left := missing(); len(left) > 0 {
		t.Errorf("missing after the statements were run: %q", left)
	}
	exec(t, db, "REVOKE SELECT (GRANT_TYPE) ON IDN_OAUTH2_ACCESS_TOKEN_ACME FROM "+quoted)
	want := "GRANT SELECT (GRANT_TYPE) ON `" + schema + "`.`IDN_OAUTH2_ACCESS_TOKEN_ACME` TO " + quoted
	if got := strings.Join(strings.Fields(strings.Join(missing(), ";")), " "); got != want {
		t.Errorf("with one column taken away: %s", got)
	}
}
