package preload

import (
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

func TestRows(t *testing.T) {
	db := mysqltest.Run(t, mysqltest.Config{SQLOnly: true}).Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO IDN_OAUTH_CONSUMER_APPS (CONSUMER_KEY) VALUES ('a')"); err != nil {
		t.Fatal(err)
	}
	const n = chunk + 7
	var reported int
	if err := Rows(t.Context(), db, n, func(done int) { reported = done }); err != nil {
		t.Fatal(err)
	}
	var tokens, scopes, hashes, recent int
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT ACCESS_TOKEN_HASH),
		SUM(TIME_CREATED > NOW() - INTERVAL 1 DAY), (SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN_SCOPE)
		FROM IDN_OAUTH2_ACCESS_TOKEN WHERE TOKEN_STATE='ACTIVE'`).Scan(&tokens, &hashes, &recent, &scopes); err != nil {
		t.Fatal(err)
	}
	if tokens != n || scopes != n || hashes != n || recent != 0 || reported != n {
		t.Errorf("%d tokens, %d scopes, %d distinct hashes, %d of the last day, %d reported; want %d and none recent",
			tokens, scopes, hashes, recent, reported, n)
	}
}

// TestRoom gives the server more memory only when the table asks for it, and
// never without bound.
func TestRoom(t *testing.T) {
	for n, want := range map[int]string{0: "", 100_000: "", 1_000_000: "--innodb-buffer-pool-size=1953M", Most: "--innodb-buffer-pool-size=4096M"} {
		if got := strings.Join(Room(n, 4096), " "); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%d rows: %q, want %q", n, got, want)
		}
	}
}
