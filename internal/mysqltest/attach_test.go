package mysqltest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// TestServerThatIsThere: tests that need only SQL run on it and leave nothing;
// the others do not run, and nobody can stop it.
func TestServerThatIsThere(t *testing.T) {
	there := mysqltest.Run(t, mysqltest.Config{})
	t.Setenv(mysqltest.DSNVariable, there.DSN(""))
	if _, err := mysqltest.ForTest(t.Context(), mysqltest.Config{}); !errors.Is(err, mysqltest.ErrOwnServer) {
		t.Errorf("a test that needs its own server gets %v", err)
	}
	t.Run("part", func(t *testing.T) {
		s := mysqltest.Run(t, mysqltest.Config{SQLOnly: true})
		if s.Addr != there.Addr || s.Flavor != there.Flavor || s.Version == "" || s.Version != there.Version {
			t.Errorf("%s %s %s, want %s %s %s", s.Addr, s.Flavor, s.Version, there.Addr, there.Flavor, there.Version)
		}
		s.Account(t, "made", "c4n4ry", "")
		if _, err := s.Database(t, "made").ExecContext(t.Context(), "CREATE TABLE n (n INT PRIMARY KEY)"); err != nil {
			t.Error(err)
		}
		for _, err := range []error{s.Kill(), s.Pause(), s.Resume(), s.Restart(t.Context())} {
			if err == nil {
				t.Error("a test can stop a server that is not ours")
			}
		}
	})
	var left int
	if err := there.Open(t, "").QueryRowContext(t.Context(),
		"SELECT (SELECT COUNT(*) FROM mysql.user WHERE User = 'made') + (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'made')").
		Scan(&left); err != nil || left != 0 {
		t.Errorf("%d things left, %v", left, err)
	}
}

// TestServerThatIsThereRefused: the error names the variable and never repeats it.
func TestServerThatIsThereRefused(t *testing.T) {
	for dsn, words := range map[string]string{
		"root:c4n4ry@127.0.0.1:3306":      "is not user:password@tcp(host:port)/",
		"root:c4n4ry@tcp(127.0.0.1:1)/db": "no database",
		"root:c4n4ry@unix(/tmp/socket)/":  "want tcp",
		"root:c4n4ry@tcp(127.0.0.1:1)/":   "log in",
	} {
		t.Setenv(mysqltest.DSNVariable, dsn)
		_, err := mysqltest.ForTest(t.Context(), mysqltest.Config{SQLOnly: true})
		if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), mysqltest.DSNVariable) {
			t.Errorf("%v, want %q", err, words)
		}
		if err != nil && strings.Contains(err.Error(), "c4n4ry") {
			t.Error("the error repeats the password")
		}
	}
}
