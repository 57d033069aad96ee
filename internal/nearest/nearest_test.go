package nearest_test

import (
	"testing"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

func TestName(t *testing.T) {
	names := []string{"mysqld.address", "web.listen-address", "log.level"}
	for word, want := range map[string]string{
		"mysql.address": "mysqld.address", "loglevel": "log.level", "log.level": "log.level", "zzzzzz": "", "": "",
	} {
		if got, ok := nearest.Name(word, names); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t, want %q", word, got, ok, want)
		}
	}
}

func TestHint(t *testing.T) {
	names := []string{"windows", "warmup", "warmup"}
	for word, want := range map[string]string{"Warmpu": "did you mean warmup?", "zzzzzz": "valid are warmup, windows"} {
		if got := nearest.Hint(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
