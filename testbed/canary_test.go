package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// titles collects the command lines of the bench's processes until stop is called.
func (b *bench) titles(t *testing.T) (stop func() string) {
	t.Helper()
	seen := map[string]bool{}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			for _, pid := range b.processes(t) {
				text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // it may be gone
				seen[string(bytes.ReplaceAll(text, []byte{0}, []byte{' '}))] = true
			}
			select {
			case <-end:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return func() string {
		close(end)
		<-ended
		var all strings.Builder
		for title := range seen {
			all.WriteString(title + "\n")
		}
		return all.String()
	}
}

// jwt is the beginning of every signed token: {" in base64, twice.
var jwt = regexp.MustCompile(`eyJ[\w-]{10,}\.eyJ`)

// keepsNoSecret looks for what the rig knows and must not repeat: the database's password, the
// applications' secrets and the tokens, in what a demo printed, in its command
// lines and in every file it kept.
func keepsNoSecret(t *testing.T, db *sql.DB, password, printed, titles, kept string) {
	t.Helper()
	secrets := map[string]string{"database password": password}
	for what, query := range map[string]string{
		"application secret": "SELECT CONSUMER_SECRET FROM IDN_OAUTH_CONSUMER_APPS LIMIT 1",
		"access token":       "SELECT ACCESS_TOKEN FROM IDN_OAUTH2_ACCESS_TOKEN ORDER BY TIME_CREATED DESC LIMIT 1",
		"refresh token":      "SELECT REFRESH_TOKEN FROM IDN_OAUTH2_ACCESS_TOKEN WHERE REFRESH_TOKEN IS NOT NULL ORDER BY TIME_CREATED DESC LIMIT 1",
	} {
		var secret string
		if err := db.QueryRowContext(t.Context(), query).Scan(&secret); err != nil || len(secret) < 16 {
			t.Fatalf("%s: %q, %v", query, secret, err)
		}
		secrets[what] = secret
	}
	look := func(where string, text []byte) {
		for what, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds the %s", where, what)
			}
		}
		if jwt.Match(text) {
			t.Errorf("%s holds a signed token", where)
		}
	}
	look("the output", []byte(printed))
	look("a command line", []byte(titles))
	for _, part := range []string{"keymanager", "users", "--mysqld.username"} {
		if !strings.Contains(titles, part) {
			t.Errorf("no command line holds %s, so nothing was proved:\n%s", part, titles)
		}
	}
	files := 0
	err := fs.WalkDir(os.DirFS(kept), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(filepath.Join(kept, name))
		look(name, text)
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("%d files: %v", files, err)
	}
}
