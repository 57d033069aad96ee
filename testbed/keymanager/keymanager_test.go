package keymanager_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/keymanager/keymanagertest"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a key manager on a private server.
type rig struct {
	t    *testing.T
	db   *sql.DB
	url  string
	logs string
	set  credentials.Set
	http *http.Client
}

// start runs a key manager in the database name of server until the test ends.
func start(t *testing.T, server *mysqltest.Server, name string, persistence bool) *rig {
	t.Helper()
	r := &rig{t: t, db: server.Database(t, name), logs: t.TempDir(), set: credentials.Make(2, 3)}
	if err := tokentable.Create(t.Context(), r.db); err != nil {
		t.Fatal(err)
	}
	if err := keymanager.Provision(t.Context(), r.db, r.set); err != nil {
		t.Fatal(err)
	}
	r.url = keymanagertest.Serve(t, keymanager.Config{DSN: server.DSN(name), Persistence: persistence, Logs: r.logs, LogDuration: true})
	transport := &http.Transport{}
	r.http = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return r
}

// reply is a key manager's answer of any kind.
type reply struct {
	Status       int    `json:"-"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	ExpiresIn    int64  `json:"expires_in"`
	Error        string `json:"error"`
	Active       bool   `json:"active"`
}

func (r *rig) post(path string, app credentials.Application, form ...string) reply {
	r.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if app.Key != "" {
		req.SetBasicAuth(app.Key, app.Secret)
	}
	res, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	out := reply{Status: res.StatusCode}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) clientCredentials(scope string) reply {
	r.t.Helper()
	return r.post("/oauth2/token", r.set.Applications[0], "grant_type", "client_credentials", "scope", scope)
}

func (r *rig) password(scope string) reply {
	r.t.Helper()
	u := r.set.Users[1]
	return r.post("/oauth2/token", r.set.Applications[0], "grant_type", "password", "username", u.Name, "password", u.Password, "scope", scope)
}

func (r *rig) refresh(token string) reply {
	r.t.Helper()
	return r.post("/oauth2/token", r.set.Applications[0], "grant_type", "refresh_token", "refresh_token", token)
}

// counts returns the rows of every table that requests write, keyed by what the
// facts call them: state and grant for tokens.
func (r *rig) counts() map[string]int {
	r.t.Helper()
	rows, err := r.db.QueryContext(r.t.Context(), `
		SELECT CONCAT('token ', GRANT_TYPE, ' ', TOKEN_STATE), COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN GROUP BY 1
		UNION ALL SELECT CONCAT('audit ', GRANT_TYPE, ' ', TOKEN_STATE), COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN_AUDIT GROUP BY 1
		UNION ALL SELECT 'scope', COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN_SCOPE
		UNION ALL SELECT 'invalid', COUNT(*) FROM IDN_INVALID_TOKENS
		UNION ALL SELECT 'revoked jwt', COUNT(*) FROM AM_REVOKED_JWT`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			r.t.Fatal(err)
		}
		if n > 0 {
			out[name] = n
		}
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) wantCounts(what string, want map[string]int) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.counts()); diff != "" {
		r.t.Errorf("rows after %s (-want +got):\n%s", what, diff)
	}
}

// TestRowsPerGrant holds the rows of each grant in each mode against the
// published statement sequences.
func TestRowsPerGrant(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	const n = 3
	for _, c := range []struct {
		name        string
		persistence bool
		request     func(r *rig, i int) reply
		want        map[string]int
	}{
		{"client_credentials on", true, func(r *rig, i int) reply { return r.clientCredentials(device(i)) },
			map[string]int{"token client_credentials ACTIVE": n, "scope": n}},
		{"client_credentials off", false, func(r *rig, i int) reply { return r.clientCredentials(device(i)) },
			map[string]int{}},
		{"password on", true, func(r *rig, i int) reply { return r.password(device(i)) },
			map[string]int{"token password ACTIVE": n, "scope": n}},
		{"password off", false, func(r *rig, i int) reply { return r.password(device(i)) },
			map[string]int{}},
		// Cleanup moves each replaced row to the audit table.
		{"refresh on", true, func(r *rig, i int) reply { return r.refresh(r.password(device(i)).RefreshToken) },
			map[string]int{"token refresh_token ACTIVE": n, "audit password INACTIVE": n, "scope": n, "revoked jwt": n}},
		// Off is not write-free: the old refresh token is voided by a row.
		{"refresh off", false, func(r *rig, i int) reply { return r.refresh(r.password(device(i)).RefreshToken) },
			map[string]int{"invalid": n}},
		// A JWT is renewed by every request of the same scope.
		{"same scope on", true, func(r *rig, _ int) reply { return r.clientCredentials("device_1") },
			map[string]int{"token client_credentials ACTIVE": 1, "token client_credentials REVOKED": n - 1, "scope": n, "revoked jwt": n - 1}},
		{"two scopes on", true, func(r *rig, i int) reply { return r.clientCredentials(device(i) + " alpha") },
			map[string]int{"token client_credentials ACTIVE": n, "scope": 2 * n}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, server, strings.ReplaceAll(c.name, " ", "_"), c.persistence)
			seen := map[string]bool{}
			for i := range n {
				got := c.request(r, i)
				if got.Status != http.StatusOK {
					t.Fatalf("status %d, %s", got.Status, got.Error)
				}
				id := r.verify(got.AccessToken, "at+jwt")
				if seen[id] {
					t.Errorf("token id %s was issued twice", id)
				}
				seen[id] = true
			}
			r.wantCounts(c.name, c.want)
		})
	}
}

func device(i int) string { return fmt.Sprintf("device_%010d", i) }

// verify checks a token against the published key and returns its id.
func (r *rig) verify(text, typ string) string {
	r.t.Helper()
	res, err := r.http.Get(r.url + "/oauth2/jwks")
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	keys, err := users.ParseKeys(body)
	if err != nil {
		r.t.Fatal(err)
	}
	var claims keymanager.Claims
	token, err := jwt.ParseWithClaims(text, &claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		return keys[id], nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(r.url+"/oauth2/token"), jwt.WithAudience(r.set.Applications[0].Key))
	if err != nil {
		r.t.Fatalf("issued token does not verify: %v", err)
	}
	if token.Header["typ"] != typ {
		r.t.Errorf("typ %v, want %s", token.Header["typ"], typ)
	}
	return claims.ID
}

func TestRefreshTokens(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	for name, persistence := range map[string]bool{"on": true, "off": false} {
		t.Run(name, func(t *testing.T) {
			r := start(t, server, "refresh_"+name, persistence)
			first := r.password("device_1")
			if persistence == strings.Contains(first.RefreshToken, ".") {
				t.Errorf("refresh token has the wrong form for persistence %t", persistence)
			}
			if !persistence {
				r.verify(first.RefreshToken, "rt+jwt")
			}
			if cc := r.clientCredentials("device_2"); cc.RefreshToken != "" {
				t.Error("client_credentials got a refresh token")
			}
			second := r.refresh(first.RefreshToken)
			if second.Status != http.StatusOK || second.RefreshToken == first.RefreshToken || second.Scope != "device_1" {
				t.Fatalf("status %d, renewed %t, scope %q", second.Status, second.RefreshToken != first.RefreshToken, second.Scope)
			}
			if again := r.refresh(first.RefreshToken); again.Status != http.StatusBadRequest || again.Error != "invalid_grant" {
				t.Errorf("a used refresh token gave status %d, error %q", again.Status, again.Error)
			}
			if access := r.refresh(second.AccessToken); access.Status != http.StatusBadRequest {
				t.Errorf("an access token served as refresh token: status %d", access.Status)
			}
			other := r.post("/oauth2/token", r.set.Applications[1], "grant_type", "refresh_token", "refresh_token", second.RefreshToken)
			if other.Status != http.StatusBadRequest {
				t.Errorf("another client used the refresh token: status %d", other.Status)
			}
			if third := r.refresh(second.RefreshToken); third.Status != http.StatusOK {
				t.Errorf("second refresh: status %d, %s", third.Status, third.Error)
			}
		})
	}
}

func TestRevokeAndIntrospect(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	for name, want := range map[string]map[string]int{
		"on":  {"audit client_credentials REVOKED": 1, "revoked jwt": 1},
		"off": {"invalid": 1, "revoked jwt": 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, server, "revoke_"+name, name == "on")
			app := r.set.Applications[0]
			token := r.clientCredentials("device_1").AccessToken
			if got := r.post("/oauth2/introspect", app, "token", token); !got.Active {
				t.Error("a fresh token is not active")
			}
			if got := r.post("/oauth2/revoke", app, "token", token); got.Status != http.StatusOK {
				t.Errorf("revoke: status %d, %s", got.Status, got.Error)
			}
			if got := r.post("/oauth2/introspect", app, "token", token); got.Active {
				t.Error("a revoked token is active")
			}
			if got := r.post("/oauth2/revoke", app, "token", "nonsense"); got.Status != http.StatusOK {
				t.Errorf("revoking an unknown token: status %d, want 200 (RFC 7009)", got.Status)
			}
			r.wantCounts("revocation", want)
		})
	}
}

func TestRefusals(t *testing.T) {
	r := start(t, mysqltest.Run(t, mysqltest.Config{}), "refusals", true)
	app, u := r.set.Applications[0], r.set.Users[0]
	for name, c := range map[string]struct {
		app    credentials.Application
		form   []string
		status int
		code   string
	}{
		"wrong secret":             {credentials.Application{Key: app.Key, Secret: "x"}, []string{"grant_type", "client_credentials"}, 401, "invalid_client"},
		"unknown client":           {credentials.Application{Key: "x", Secret: "x"}, []string{"grant_type", "client_credentials"}, 401, "invalid_client"},
		"wrong secret in the form": {credentials.Application{}, []string{"client_id", app.Key, "client_secret", "x", "grant_type", "client_credentials"}, 401, "invalid_client"},
		"no client":                {credentials.Application{}, []string{"grant_type", "client_credentials"}, 401, "invalid_client"},
		"wrong password":           {app, []string{"grant_type", "password", "username", u.Name, "password", "x"}, 400, "invalid_grant"},
		"unknown user":             {app, []string{"grant_type", "password", "username", "x", "password", "x"}, 400, "invalid_grant"},
		"unknown grant":            {app, []string{"grant_type", "urn:custom"}, 400, "unauthorized_client"},
		"no token":                 {app, []string{"grant_type", "refresh_token"}, 400, "invalid_grant"},
	} {
		got := r.post("/oauth2/token", c.app, c.form...)
		if got.Status != c.status || got.Error != c.code {
			t.Errorf("%s: status %d, error %q; want %d, %q", name, got.Status, got.Error, c.status, c.code)
		}
	}
	r.wantCounts("refused requests", map[string]int{})
	form := []string{"client_id", app.Key, "client_secret", app.Secret, "grant_type", "client_credentials"}
	if got := r.post("/oauth2/token", credentials.Application{}, form...); got.Status != http.StatusOK {
		t.Errorf("client_id and client_secret in the form: status %d, error %q", got.Status, got.Error)
	}
}

// TestConcurrentRequests sends requests of the same scope and refreshes of the
// same token at once: one token stays active, one refresh wins.
func TestConcurrentRequests(t *testing.T) {
	r := start(t, mysqltest.Run(t, mysqltest.Config{}), "concurrent", true)
	token := r.password("device_9").RefreshToken
	var same, winners sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { same.Store(i, r.clientCredentials("device_1").Status) })
		wg.Go(func() {
			if r.refresh(token).Status == http.StatusOK {
				winners.Store(i, true)
			}
		})
	}
	wg.Wait()
	same.Range(func(i, status any) bool {
		if status != http.StatusOK {
			t.Errorf("request %v: status %v", i, status)
		}
		return true
	})
	n := 0
	winners.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d refreshes of one token succeeded", n)
	}
	r.wantCounts("concurrent requests", map[string]int{
		"token client_credentials ACTIVE": 1, "token client_credentials REVOKED": 7, "token refresh_token ACTIVE": 1,
		"audit password INACTIVE": 1, "scope": 9, "revoked jwt": 8,
	})
}
