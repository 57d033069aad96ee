package users_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint is a token endpoint whose faults the test chooses.
type endpoint struct {
	key      *rsa.PrivateKey
	fault    string
	requests atomic.Int64
}

func newEndpoint(t *testing.T, fault string) (*endpoint, string) {
	t.Helper()
	e := newFault(t, fault)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return e, server.URL
}

// signingKey is made once: it takes longer than most tests.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newFault(t *testing.T, fault string) *endpoint {
	t.Helper()
	return &endpoint{key: signingKey(), fault: fault}
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth2/jwks" {
		n := base64.RawURLEncoding.EncodeToString(e.key.N.Bytes())
		exp := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(e.key.E)).Bytes())
		fmt.Fprintf(w, `{"keys":[{"kty":"RSA","kid":"k","n":%q,"e":%q}]}`, n, exp)
		return
	}
	e.requests.Add(1)
	switch e.fault {
	case "status":
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"error":"server_error","error_description":"one, \"two\"\nthree"}`)
		return
	case "redirect":
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return
	case "not JSON":
		fmt.Fprint(w, "<html>")
		return
	case "no token":
		fmt.Fprint(w, "{}")
		return
	}
	client, _, _ := r.BasicAuth()
	scope := r.PostFormValue("scope")
	if e.fault == "scope" {
		scope = "device_0"
	}
	token := e.sign(client, scope)
	if e.fault == "signature" {
		token = token[:len(token)-8] + "AAAAAAAA"
	}
	switch e.fault {
	case "opaque":
		token = rand.Text()
	case "cut":
		token = token[:strings.LastIndexByte(token, '.')+1]
	}
	refresh := rand.Text()
	if r.PostFormValue("grant_type") == "client_credentials" || e.fault == "no refresh token" {
		refresh = ""
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"access_token": token, "refresh_token": refresh, "scope": scope})
}

func (e *endpoint) sign(client, scope string) string {
	claims := jwt.MapClaims{
		"aud": client, "azp": client, "scope": scope, "jti": rand.Text(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	switch e.fault {
	case "claim":
		claims["scope"] = "device_1"
	case "client":
		claims["azp"] = "another"
	case "expired":
		claims["exp"] = time.Now().Add(-time.Hour).Unix()
	case "no expiry":
		delete(claims, "exp")
	case "ahead":
		claims["nbf"] = time.Now().Add(30 * time.Second).Unix()
	case "unsigned":
		text, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
		if err != nil {
			panic(err)
		}
		return text
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "k"
	text, err := token.SignedString(e.key)
	if err != nil {
		panic(err)
	}
	return text
}

func population(t *testing.T) *users.Population {
	t.Helper()
	p := users.New(credentials.Make(2, 4), 4, 1)
	t.Cleanup(p.Close)
	return p
}

func TestEveryGrantIsCountedAndWritten(t *testing.T) {
	e, url := newEndpoint(t, "")
	p := population(t)
	for _, grant := range []string{"client_credentials", "password", "refresh_token"} {
		before := e.requests.Load()
		file := filepath.Join(t.TempDir(), "result.jtl")
		tally, err := p.Load(t.Context(), users.Burst{URL: url, Grant: grant, Duration: 200 * time.Millisecond, JTL: file})
		if err != nil {
			t.Fatal(err)
		}
		if sent := int(e.requests.Load() - before); tally.Failures != 0 || tally.Tokens != sent || sent < 4 {
			t.Errorf("%s: %d tokens and %d failures (%s) of %d requests", grant, tally.Tokens, tally.Failures, tally.Failure, sent)
		}
		checkJTL(t, file, url, users.Label(grant), tally.Tokens)
	}
}

// checkJTL reads a result file as JMeter's own reader does: 17 columns by name.
func checkJTL(t *testing.T, file, url, label string, want int) {
	t.Helper()
	rows := readJTL(t, file)
	if diff := cmp.Diff(strings.Split("timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,"+
		"failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect", ","), rows[0]); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	connects := 0
	for _, row := range rows[1:] {
		numbers := map[int]int64{}
		for _, i := range []int{0, 1, 9, 10, 14, 16} {
			n, err := strconv.ParseInt(row[i], 10, 64)
			if err != nil {
				t.Fatalf("%s: %v", rows[0][i], err)
			}
			numbers[i] = n
		}
		if age := time.Since(time.UnixMilli(numbers[0])); age < 0 || age > time.Minute {
			t.Errorf("timeStamp %d is not the start in milliseconds", numbers[0])
		}
		if numbers[14] > numbers[1]+1 || numbers[9] < 500 || numbers[10] < 200 {
			t.Errorf("latency %d of elapsed %d ms, %d bytes received, %d sent", numbers[14], numbers[1], numbers[9], numbers[10])
		}
		got := []string{row[2], row[3], row[4], row[6], row[7], row[8], row[11], row[12], row[13]}
		if diff := cmp.Diff([]string{label, "200", "OK", "text", "true", "", "4", "4", url + "/oauth2/token"}, got); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
		if !strings.HasPrefix(row[5], "Token Users 1-") {
			t.Errorf("thread name %q", row[5])
		}
		if numbers[16] > 0 {
			connects++
		}
	}
	if len(rows)-1 != want {
		t.Errorf("%d rows for %d tokens", len(rows)-1, want)
	}
	if connects > 4 {
		t.Errorf("%d requests waited for a connection; 4 users keep theirs", connects)
	}
}

func readJTL(t *testing.T, file string) [][]string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestBadTokensAreFailures(t *testing.T) {
	for fault, want := range map[string]string{
		"signature":        "signature is invalid",
		"scope":            "claims azp, scope or jti",
		"no refresh token": "refresh token is missing",
		"status":           `status 500: server_error: one, "two"`,
	} {
		t.Run(fault, func(t *testing.T) {
			e, url := newEndpoint(t, fault)
			file := filepath.Join(t.TempDir(), "result.jtl")
			tally, err := population(t).Load(t.Context(), users.Burst{URL: url, Grant: "password", Duration: time.Millisecond, JTL: file})
			if err != nil {
				t.Fatal(err)
			}
			if tally.Tokens != 0 || tally.Failures != int(e.requests.Load()) || !strings.Contains(tally.Failure, want) {
				t.Errorf("%d tokens, %d failures of %d requests: %s", tally.Tokens, tally.Failures, e.requests.Load(), tally.Failure)
			}
			for _, row := range readJTL(t, file)[1:] {
				if row[7] != "false" || !strings.Contains(row[8], want) {
					t.Errorf("row says success %s, failureMessage %q", row[7], row[8])
				}
			}
		})
	}
}

func TestRefreshNeedsPreparation(t *testing.T) {
	_, url := newEndpoint(t, "")
	p := population(t)
	dir := t.TempDir()
	b := users.Burst{URL: url, Grant: "refresh_token", Duration: time.Millisecond, JTL: filepath.Join(dir, "a.jtl")}
	if _, err := p.Load(t.Context(), b); err == nil || !strings.Contains(err.Error(), "Prepare") {
		t.Errorf("load without refresh tokens: %v", err)
	}
	prepared, err := p.Prepare(t.Context(), b)
	if err != nil || prepared.Tokens != 4 {
		t.Fatalf("prepared %d tokens, %v", prepared.Tokens, err)
	}
	b.JTL = filepath.Join(dir, "b.jtl")
	if tally, err := p.Load(t.Context(), b); err != nil || tally.Tokens < 4 {
		t.Errorf("%d tokens, %v", tally.Tokens, err)
	}
}

// TestRateIsOffered counts requests, not time: a rate of 40 for half a second
// is 20 requests, however fast the answers.
func TestRateIsOffered(t *testing.T) {
	e, url := newEndpoint(t, "")
	tally, err := population(t).Load(t.Context(), users.Burst{
		URL: url, Grant: "client_credentials", Rate: 40, Duration: 500 * time.Millisecond, JTL: filepath.Join(t.TempDir(), "r.jtl"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := int(e.requests.Load()); got > 20 || got != tally.Tokens || got < 4 {
		t.Errorf("%d requests and %d tokens, want at most 20", got, tally.Tokens)
	}
}

func TestServe(t *testing.T) {
	_, url := newEndpoint(t, "")
	in, commands := io.Pipe()
	results, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- users.Serve(t.Context(), in, out) }()
	send, receive := json.NewEncoder(commands), json.NewDecoder(results)
	ask := func(v any) users.Result {
		t.Helper()
		if err := send.Encode(v); err != nil {
			t.Fatal(err)
		}
		var r users.Result
		if err := receive.Decode(&r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if err := send.Encode(users.Setup{Credentials: credentials.Make(1, 1), Users: 2, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	burst := users.Burst{URL: url, Grant: "client_credentials", Duration: time.Millisecond, JTL: filepath.Join(t.TempDir(), "s.jtl")}
	if r := ask(users.Command{Burst: burst}); r.Error != "" || r.Tally.Tokens < 2 {
		t.Errorf("result %+v", r)
	}
	if r := ask(users.Command{Burst: burst}); !strings.Contains(r.Error, "exists") {
		t.Errorf("a result file was overwritten: %+v", r)
	}
	if err := commands.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("serve ended with %v", err)
	}
}

func TestCancelEndsABurst(t *testing.T) {
	_, url := newEndpoint(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := population(t).Load(ctx, users.Burst{
		URL: url, Grant: "password", Duration: time.Hour, JTL: filepath.Join(t.TempDir(), "c.jtl"),
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
