package users_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// set is a small set with the lines that a file would give.
func set(applications, owners int) credentials.Set {
	s := credentials.Make(applications, owners)
	for i := range s.Applications {
		s.Applications[i].Line = i + 2
	}
	for i := range s.Users {
		s.Users[i].Line = i + 2
	}
	return s
}

// foreign runs handler as a TLS server and returns a target that trusts it.
func foreign(t *testing.T, handler http.Handler) users.Target {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return users.Target{Endpoint: server.URL + "/oauth2/token", TLS: &tls.Config{RootCAs: pool}}
}

func at(t *testing.T, target users.Target, s credentials.Set, n int) *users.Population {
	t.Helper()
	p := users.NewAt(target, s, n, 1)
	t.Cleanup(p.Close)
	return p
}

func TestTargetOverTLS(t *testing.T) {
	for _, keys := range []bool{false, true} {
		e := newFault(t, "")
		target := foreign(t, e)
		if keys {
			var err error
			if target.Keys, err = target.FetchKeys(t.Context(), strings.TrimSuffix(target.Endpoint, "token")+"jwks"); err != nil {
				t.Fatal(err)
			}
		}
		p := at(t, target, set(2, 3), 4)
		for grant, first := range map[string]int{"client_credentials": 2, "password": 4, "refresh_token": 4} {
			before := e.requests.Load()
			n, err := p.First(t.Context(), grant)
			if err != nil || n != first || e.requests.Load()-before != int64(first) {
				t.Fatalf("%s: %d first tokens of %d requests, %v; want %d", grant, n, e.requests.Load()-before, err, first)
			}
			file := filepath.Join(t.TempDir(), "r.jtl")
			tally, err := p.Load(t.Context(), users.Burst{Grant: grant, Duration: 50 * time.Millisecond, JTL: file})
			if err != nil || tally.Failures > 0 || tally.Opaque > 0 {
				t.Fatalf("%s: %d failures (%s), %d opaque, %v", grant, tally.Failures, tally.Failure, tally.Opaque, err)
			}
			rows := readJTL(t, file)
			if len(rows)-1 != tally.Tokens || int64(first+tally.Tokens) != e.requests.Load()-before {
				t.Errorf("%s: %d rows, %d tokens, %d requests", grant, len(rows)-1, tally.Tokens, e.requests.Load()-before)
			}
			if row := rows[1]; row[2] != users.Label(grant) || row[13] != target.Endpoint {
				t.Errorf("label %s, URL %s", row[2], row[13])
			}
		}
		if tokens, failures := p.Seen(); tokens == 0 || failures != 0 {
			t.Errorf("seen %d tokens, %d failures", tokens, failures)
		}
	}
}

// TestForeignTokens holds what is a failure at a server that is not ours.
func TestForeignTokens(t *testing.T) {
	for fault, c := range map[string]struct {
		keys   bool
		want   string // empty: success
		opaque bool
	}{
		"signature":        {keys: true, want: "signature is invalid"},
		"scope":            {want: `got scope "device_0" instead of a device scope`},
		"claim":            {want: "claim scope is not the one asked for"},
		"client":           {want: "claim azp is another application's"},
		"expired":          {want: "token is expired"},
		"no expiry":        {want: "exp claim is required"},
		"unsigned":         {want: "no signature"},
		"cut":              {want: "no signature"},
		"opaque":           {opaque: true},
		"ahead":            {}, // a clock that is half a minute ahead
		"no token":         {want: "no access_token"},
		"not JSON":         {want: "token response"},
		"no refresh token": {}, // the application may not have the grant
		"status":           {want: `status 500: server_error: one, "two" three`},
		"redirect":         {want: "status 307"},
	} {
		t.Run(fault, func(t *testing.T) {
			e := newFault(t, fault)
			target := foreign(t, e)
			if c.keys {
				var err error
				if target.Keys, err = target.FetchKeys(t.Context(), strings.TrimSuffix(target.Endpoint, "token")+"jwks"); err != nil {
					t.Fatal(err)
				}
			}
			p := at(t, target, set(1, 1), 1)
			tally, err := p.Load(t.Context(), users.Burst{Grant: "password", Duration: 50 * time.Millisecond, JTL: filepath.Join(t.TempDir(), "r.jtl")})
			if err != nil {
				t.Fatal(err)
			}
			if (c.want == "") != (tally.Failures == 0) || !strings.Contains(tally.Failure, c.want) || (tally.Opaque > 0) != c.opaque {
				t.Errorf("%d tokens, %d opaque, %d failures: %s", tally.Tokens, tally.Opaque, tally.Failures, tally.Failure)
			}
		})
	}
}

func TestFirstRefusal(t *testing.T) {
	s := set(3, 3)
	var asked atomic.Int64
	p := at(t, foreign(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if key, _, _ := r.BasicAuth(); key == s.Applications[2].Key {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"A valid OAuth client could not be found for client_id: %s"}`, key)
			return
		}
		fmt.Fprint(w, `{"access_token":"opaque"}`)
	})), s, 6)
	_, err := p.First(t.Context(), "client_credentials")
	refusal, ok := errors.AsType[*users.Refusal](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	if refusal.Application != 4 || refusal.User != 0 || refusal.Status != 401 || refusal.Code != "invalid_client" {
		t.Errorf("refusal %+v", refusal)
	}
	if strings.Contains(err.Error(), s.Applications[2].Key) || !strings.Contains(err.Error(), "client_id: (hidden)") {
		t.Errorf("error %v", err)
	}
	if asked.Load() > 3 {
		t.Errorf("%d requests for 3 applications", asked.Load())
	}
	// No refresh token: the chain cannot begin.
	if _, err := p.First(t.Context(), "refresh_token"); err == nil || !strings.Contains(err.Error(), "no refresh_token") {
		t.Errorf("error %v", err)
	}
}

// TestNoSecretIsWritten has a server that repeats all it was sent.
func TestNoSecretIsWritten(t *testing.T) {
	const canary = "canary+/ 7f3a"
	s := credentials.Set{
		Applications: []credentials.Application{{Key: "key-" + canary, Secret: "secret-" + canary, Line: 2}},
		Users:        []credentials.User{{Name: "u", Password: "password-" + canary, Line: 2}},
	}
	var mu sync.Mutex
	fail := false
	p := at(t, foreign(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !fail {
			fail = true
			fmt.Fprintf(w, `{"access_token":"opaque-%s","refresh_token":"refresh-%s"}`, canary, canary)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		key, secret, _ := r.BasicAuth()
		_ = r.ParseForm()
		_ = json.NewEncoder(w).Encode(map[string]string{"error": r.Header.Get("Authorization"),
			"error_description": key + secret + r.PostForm.Encode() + fmt.Sprint(r.PostForm) + "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2ln"})
	})), s, 1)
	if _, err := p.First(t.Context(), "refresh_token"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "r.jtl")
	tally, err := p.Load(t.Context(), users.Burst{Grant: "refresh_token", Duration: 100 * time.Millisecond, JTL: file})
	if err != nil || tally.Failures == 0 || tally.Chains == 0 {
		t.Fatalf("%d failures, %d chains, %v", tally.Failures, tally.Chains, err)
	}
	_, refusal := p.First(t.Context(), "password")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]string{"file": string(text), "tally": tally.Failure, "refusal": fmt.Sprint(refusal)} {
		if strings.Contains(got, "7f3a") || strings.Contains(got, "eyJ") {
			t.Errorf("a secret is in the %s: %s", what, got)
		}
	}
}

// TestChainsBeginAnew has a server that forgets a refresh token.
func TestChainsBeginAnew(t *testing.T) {
	var refreshes, passwords atomic.Int64
	p := at(t, foreign(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.PostFormValue("grant_type") {
		case "password":
			fmt.Fprintf(w, `{"access_token":"opaque","refresh_token":"password-%d"}`, passwords.Add(1))
		default:
			n := refreshes.Add(1)
			switch {
			case n == 2:
				w.WriteHeader(http.StatusServiceUnavailable) // the token is still good
			case n == 4 || r.PostFormValue("refresh_token") == "refresh-3":
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error":"invalid_grant"}`)
			default:
				fmt.Fprintf(w, `{"access_token":"opaque","refresh_token":"refresh-%d"}`, n)
			}
		}
	})), set(1, 1), 1)
	if _, err := p.First(t.Context(), "refresh_token"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "r.jtl")
	tally, err := p.Load(t.Context(), users.Burst{Grant: "refresh_token", Duration: 400 * time.Millisecond, JTL: file})
	if err != nil || tally.Failures != 2 || tally.Chains != 1 || passwords.Load() != 2 || tally.Tokens < 3 {
		t.Errorf("%d tokens, %d failures, %d chains begun anew, %d password requests, %v", tally.Tokens, tally.Failures, tally.Chains, passwords.Load(), err)
	}
	if rows := readJTL(t, file); len(rows)-1 != int(refreshes.Load()) {
		t.Errorf("%d rows for %d refresh requests", len(rows)-1, refreshes.Load())
	}
}

// TestInterruptionFinishesRequests cancels while every user waits for an answer:
// the answers are waited for and written.
func TestInterruptionFinishesRequests(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	p := at(t, foreign(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(cancel)
		time.Sleep(50 * time.Millisecond)
		fmt.Fprint(w, `{"access_token":"opaque"}`)
	})), set(1, 1), 3)
	file := filepath.Join(t.TempDir(), "r.jtl")
	tally, err := p.Load(ctx, users.Burst{Grant: "client_credentials", Duration: time.Hour, JTL: file})
	if !errors.Is(err, context.Canceled) || tally.Failures > 0 || tally.Abandoned > 0 || tally.Tokens == 0 {
		t.Errorf("%d tokens, %d failures, %d abandoned, %v", tally.Tokens, tally.Failures, tally.Abandoned, err)
	}
	if rows := readJTL(t, file); len(rows)-1 != tally.Tokens {
		t.Errorf("%d rows for %d tokens", len(rows)-1, tally.Tokens)
	}
}

func TestDefaultScope(t *testing.T) {
	target := foreign(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("scope") != "" {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, `{"access_token":"opaque","scope":"default"}`)
	}))
	target.DefaultScope = true
	if _, err := at(t, target, set(1, 0), 1).First(t.Context(), "client_credentials"); err != nil {
		t.Error(err)
	}
}
