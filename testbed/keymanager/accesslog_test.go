package keymanager_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
)

func TestAccessLog(t *testing.T) {
	r := start(t, mysqltest.Run(t, mysqltest.Config{}), "logged", false)
	r.clientCredentials("device_1")
	r.post("/oauth2/token", credentials.Application{Key: "k", Secret: "s"}, "grant_type", "password")
	files, err := filepath.Glob(filepath.Join(r.logs, "http_access_????-??-??.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("log files %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [-+]\d{4}\] ` +
		`"POST /oauth2/token HTTP/1\.1" (200|401) \d+ "-" "Go-http-client/1\.1" \d+$`)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range lines {
		if !want.MatchString(line) {
			t.Errorf("not Tomcat's combined pattern with %%D: %s", line)
		}
	}
	if len(lines) != 2 {
		t.Errorf("%d lines for 2 requests", len(lines))
	}
}

func TestNoSecretInErrors(t *testing.T) {
	const canary = "canary-secret"
	err := keymanager.Serve(t.Context(), keymanager.Config{DSN: "user:" + canary + "@broken", Logs: t.TempDir()}, func(string) {})
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("error %v", err)
	}
}
