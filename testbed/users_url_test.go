package main

import (
	"bytes"
	"encoding/csv"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/keymanager/keymanagertest"
)

// testbedUsers runs testbed users in this process.
func testbedUsers(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"users"}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// credentialsFile writes a set as CSV.
func credentialsFile(t *testing.T, set credentials.Set) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("consumer_key,consumer_secret,username,password\n")
	for i := range max(len(set.Applications), len(set.Users)) {
		a := set.Applications[i%len(set.Applications)]
		row := []string{a.Key, a.Secret, "", ""}
		if len(set.Users) > 0 {
			u := set.Users[i%len(set.Users)]
			row[2], row[3] = u.Name, u.Password
		}
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	return fileWith(t, "credentials.csv", b.String())
}

func fileWith(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// secure runs handler behind TLS with a certificate of its own authority, and
// returns its URL and the file of the authority.
func secure(t *testing.T, handler http.Handler) (base, ca string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return server.URL, fileWith(t, "ca.pem", string(text))
}

// TestUsersAtAKeyManager drives the rig's own key manager through TLS, for every
// grant, checks every signature, counts what was issued, and has analyze read
// the result files.
func TestUsersAtAKeyManager(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	db := server.Database(t, "driven")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	set := credentials.Make(2, 3)
	if err := keymanager.Provision(t.Context(), db, set); err != nil {
		t.Fatal(err)
	}
	inspect := filepath.Join(buildtest.Programs(t, "analyze"), "analyze")
	file := credentialsFile(t, set)
	for _, c := range []struct {
		grant, mode, label string
		first              int // tokens before the measurement that count counts
		count              string
	}{
		{"client_credentials", "on", "GetToken_Client_Credentials_Grant", 2, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN WHERE GRANT_TYPE = 'client_credentials'"},
		{"password", "on", "GetToken_Password_Grant", 4, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN WHERE GRANT_TYPE = 'password'"},
		// Every refresh moves the row it replaces to the audit table.
		{"refresh_token", "on", "GetToken_Refresh_Grant", 0, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN_AUDIT"},
		// Refresh tokens are JWTs, and every refresh voids the one it used.
		{"refresh_token", "off", "GetToken_Refresh_Grant", 0, "SELECT COUNT(*) FROM IDN_INVALID_TOKENS"},
	} {
		t.Run(c.grant+" "+c.mode, func(t *testing.T) {
			grant := c.grant
			base, ca := secure(t, keyManager(t, server.DSN("driven"), c.mode == "on"))
			before := number(t, db.QueryRowContext(t.Context(), c.count))
			out := filepath.Join(t.TempDir(), grant+"-"+c.mode+"-1.jtl")
			code, stdout, stderr := testbedUsers(t, "--url", base+"/oauth2/token", "--credentials", file, "--grant", grant,
				"--users", "4", "--duration", "500ms", "--ca", ca, "--jwks", base+"/oauth2/jwks", "--out", out)
			if code != statusDone || stderr != "" {
				t.Fatalf("exit status %d, %s%s", code, stderr, stdout)
			}
			rows := rowsOf(t, out)
			if !strings.Contains(stdout, fmt.Sprintf("%d rows, label %s\n", rows, c.label)) || !strings.Contains(stdout, "and signature") ||
				!strings.Contains(stdout, "failures  0 of") {
				t.Errorf("summary:\n%s", stdout)
			}
			if issued := number(t, db.QueryRowContext(t.Context(), c.count)) - before; issued != rows+c.first || rows < 4 {
				t.Errorf("the key manager issued %d tokens for %d rows and %d first requests", issued, rows, c.first)
			}
			look, err := exec.CommandContext(t.Context(), inspect, "inspect", out).CombinedOutput()
			if err != nil || !strings.Contains(string(look), fmt.Sprintf("%d rows, 0 could not be read, 1 label", rows)) ||
				!strings.Contains(string(look), c.label[:20]) { // of a long label the beginning is shown
				t.Errorf("analyze inspect: %v\n%s", err, look)
			}
		})
	}
}

// keyManager runs one and returns a proxy to it.
func keyManager(t *testing.T, dsn string, persistence bool) http.Handler {
	t.Helper()
	target, err := url.Parse(keymanagertest.Serve(t, keymanager.Config{DSN: dsn, Persistence: persistence, Logs: t.TempDir()}))
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(target)
}

func number(t *testing.T, row interface{ Scan(...any) error }) (n int) {
	t.Helper()
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// rowsOf counts the rows of a result file, which have to be whole.
func rowsOf(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll() // the header says how many fields
	if err != nil || !bytes.HasSuffix(text, []byte("\n")) {
		t.Fatalf("%s is no whole CSV: %v", path, err)
	}
	return len(rows) - 1
}

const canary = "canary-5d1e"

// quiet takes what a server says of handshakes that were meant to fail.
var quiet = log.New(io.Discard, "", 0)

// refusing is a token endpoint that answers everything with one status and body.
func refusing(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

func TestUsersRefused(t *testing.T) {
	set := credentials.Set{
		Applications: []credentials.Application{{Key: "key-" + canary, Secret: "secret-" + canary}},
		Users:        []credentials.User{{Name: "somebody", Password: "password-" + canary}},
	}
	file := credentialsFile(t, set)
	for name, c := range map[string]struct {
		status      int
		body, grant string
		want        string
	}{
		"401":        {401, `{"error":"invalid_client","error_description":"no client key-` + canary + `"}`, "client_credentials", "the application in line 2 of " + file + " is refused"},
		"grant":      {400, `{"error":"unauthorized_client"}`, "password", "may not use the grant password"},
		"user":       {400, `{"error":"invalid_grant"}`, "refresh_token", "the user in line 2 of " + file + " is refused"},
		"path":       {404, "<html>", "password", "API Manager's is /oauth2/token"},
		"redirect":   {302, "", "password", "give the final URL"},
		"scope":      {200, `{"access_token":"x","scope":"default"}`, "client_credentials", "allowed scopes"},
		"no refresh": {200, `{"access_token":"x"}`, "refresh_token", "allow the grant refresh_token"},
		"overload":   {503, "", "password", "a first request failed: status 503"},
	} {
		t.Run(name, func(t *testing.T) {
			base, ca := secure(t, refusing(c.status, c.body))
			out := filepath.Join(t.TempDir(), "r.jtl")
			code, stdout, stderr := testbedUsers(t, "--url", base+"/oauth2/token", "--credentials", file, "--grant", c.grant, "--ca", ca, "--out", out)
			if code != statusFailed || !strings.Contains(stderr, c.want) {
				t.Errorf("exit status %d, %s; want %q", code, stderr, c.want)
			}
			if strings.Contains(stdout+stderr, canary) {
				t.Errorf("a secret was printed: %s%s", stdout, stderr)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a result file was created")
			}
		})
	}
}

func TestUsersWithoutAnAnswer(t *testing.T) {
	file := credentialsFile(t, credentials.Make(1, 0))
	good := refusing(200, `{"access_token":"x"}`)
	base, ca := secure(t, good)
	plain := httptest.NewServer(good)
	t.Cleanup(plain.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "https://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(base, "https://"))
	for name, c := range map[string]struct {
		args []string
		want string // empty: success
	}{
		"unknown authority":        {[]string{"--url", base + "/oauth2/token"}, "--ca FILE names it"},
		"its authority":            {[]string{"--url", base + "/oauth2/token", "--ca", ca}, ""},
		"any authority":            {[]string{"--url", base + "/oauth2/token", "--insecure-skip-verify"}, ""},
		"unknown authority, keys":  {[]string{"--url", base + "/oauth2/token", "--jwks", base + "/oauth2/jwks"}, "--ca FILE names it"},
		"no keys":                  {[]string{"--url", base + "/oauth2/token", "--ca", ca, "--jwks", base + "/oauth2/jwks"}, "--jwks: key set"},
		"certificate of another":   {[]string{"--url", "https://localhost:" + port + "/oauth2/token", "--ca", ca}, "for another host"},
		"nobody listens":           {[]string{"--url", nobody + "/oauth2/token"}, "nothing listens there"},
		"no TLS":                   {[]string{"--url", strings.Replace(plain.URL, "http", "https", 1) + "/oauth2/token"}, "does not speak TLS"},
		"TLS":                      {[]string{"--url", strings.Replace(base, "https", "http", 1) + "/oauth2/token"}, "does this port speak TLS?"},
		"file of no certificate":   {[]string{"--url", base + "/oauth2/token", "--ca", file}, "holds no certificate"},
		"no file of a certificate": {[]string{"--url", base + "/oauth2/token", "--ca", "none.pem"}, "--ca: open none.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := testbedUsers(t, append(c.args, "--credentials", file, "--users", "1", "--duration", "50ms", "--out", filepath.Join(t.TempDir(), "r.jtl"))...)
			if (code == statusDone) != (c.want == "") || !strings.Contains(stderr, c.want) {
				t.Errorf("exit status %d, %s; want %q\n%s", code, stderr, c.want, stdout)
			}
			for _, line := range strings.Split(stderr, "\n") {
				if strings.HasPrefix(line, "  ") && len(line) > 80 {
					t.Errorf("a line has %d columns: %s", len(line), line)
				}
			}
		})
	}
}

func TestUsersFlags(t *testing.T) {
	file := credentialsFile(t, credentials.Make(1, 0))
	const endpoint = "https://127.0.0.1:1/oauth2/token"
	exists := fileWith(t, "exists.jtl", "")
	for want, args := range map[string][]string{
		"--url is missing":                            {"--credentials", file},
		"--credentials is missing":                    {"--url", endpoint},
		"--url is no URL":                             {"--url", "apim:9443", "--credentials", file},
		"may not have a user":                         {"--url", "https://" + canary + "@apim/oauth2/token", "--credentials", file},
		"secrets belong into the credentials file":    {"--url", endpoint + "?client_secret=" + canary, "--credentials", file},
		"has no path":                                 {"--url", "https://apim:9443/", "--credentials", file},
		"--jwks is no URL":                            {"--url", endpoint, "--jwks", "x", "--credentials", file},
		"did you mean password?":                      {"--url", endpoint, "--credentials", file, "--grant", "pasword"},
		"unknown flag --usres: did you mean users?":   {"--usres", "3"},
		"unexpected argument":                         {"--url", endpoint, "--credentials", file, "more"},
		"--users 1001: from 1 to 1000":                {"--url", endpoint, "--credentials", file, "--users", "1001"},
		"--users 0":                                   {"--url", endpoint, "--credentials", file, "--users", "0"},
		"--duration 25h0m0s: more than 0 and at most": {"--url", endpoint, "--credentials", file, "--duration", "25h"},
		"--rate NaN":                                  {"--url", endpoint, "--credentials", file, "--rate", "NaN"},
		"--rate -1":                                   {"--url", endpoint, "--credentials", file, "--rate", "-1"},
		`--scopes "x": valid are`:                     {"--url", endpoint, "--credentials", file, "--scopes", "x"},
		"contradict each other":                       {"--url", endpoint, "--credentials", file, "--insecure-skip-verify", "--ca", file},
		"exists.jtl exists: a result file is never":   {"--url", endpoint, "--credentials", file, "--out", exists},
		`invalid value "x" for flag -users`:           {"--users", "x"},
	} {
		code, stdout, stderr := testbedUsers(t, args...)
		if code != statusUsage || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("%v: exit status %d, %s; want %q", args, code, stderr, want)
		}
		if strings.Contains(stderr, canary) {
			t.Errorf("a secret was printed: %s", stderr)
		}
	}
	for want, args := range map[string][]string{
		"has no users with passwords: --grant password needs them": {"--url", endpoint, "--credentials", file, "--grant", "password"},
		"none.csv: no such file":                                   {"--url", endpoint, "--credentials", "none.csv"},
	} {
		if code, _, stderr := testbedUsers(t, args...); code != statusUsage || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit status %d, %s; want %q", args, code, stderr, want)
		}
	}
	if code, stdout, _ := testbedUsers(t, "--help"); code != statusDone || !strings.Contains(stdout, "  --insecure-skip-verify\n") {
		t.Errorf("--help: exit status %d\n%s", code, stdout)
	}
}

func TestUsersWarns(t *testing.T) {
	base, ca := secure(t, refusing(200, `{"access_token":"x"}`))
	file := credentialsFile(t, credentials.Make(3, 0))
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "r.jtl")
	code, stdout, stderr := testbedUsers(t, "--url", base+"/oauth2/token", "--ca", ca, "--credentials", file, "--users", "2", "--rate", "100", "--duration", "50ms", "--out", out)
	if code != statusDone {
		t.Fatalf("exit status %d, %s", code, stderr)
	}
	for _, want := range []string{"everybody on this machine can read", "no use of the last 1 applications"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no warning %q in %s", want, stderr)
		}
	}
	for _, want := range []string{"100 tokens/s offered", "access tokens are no JWT", "signatures not (--jwks)", "2 tokens before the measurement"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code, _, stderr := testbedUsers(t, "--url", strings.Replace(base, "https", "http", 1)+"/oauth2/token", "--credentials", file); code != statusFailed || !strings.Contains(stderr, "in the clear") {
		t.Errorf("exit status %d, %s", code, stderr)
	}
}

// TestUsersDocs holds the table of flags on the page against the program's.
func TestUsersDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/real-api-manager.md")
	if err != nil {
		t.Fatal(err)
	}
	_, help, _ := testbedUsers(t, "--help")
	names := func(text, pattern string) (found []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		slices.Sort(found)
		return found
	}
	told, known := names(string(page), "(?m)^\\| `--([a-z-]+)` \\|"), names(help, "(?m)^  --([a-z-]+)")
	if len(known) == 0 || !slices.Equal(told, known) {
		t.Errorf("the page has %v, the program %v", told, known)
	}
	for line := range strings.Lines(help) {
		if len(line) > 81 { // with its newline
			t.Errorf("a line of %d columns: %s", len(line)-1, line)
		}
	}
}
