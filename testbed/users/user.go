package users

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

// Grants that users ask for.
const (
	clientCredentials = "client_credentials"
	password          = "password"
	refreshToken      = "refresh_token"
)

// user is one of the population. Only one goroutine uses it at a time.
type user struct {
	thread  string // JMeter's thread name
	app     credentials.Application
	owner   credentials.User
	random  *rand.Rand
	phase   float64 // where in its interval the user starts under a fixed rate, 0..1
	client  *http.Client
	wire    *wire
	refresh string
	check   checker
	target  *Target // nil: the rig's key managers
	seen    *seen
}

// seen counts what the users of a population have got so far, for whoever
// watches.
type seen struct{ tokens, failures atomic.Int64 }

// wire counts what a user's connections carry. The transport's goroutines count
// while the user waits, hence the atomics.
type wire struct {
	in, out atomic.Int64
	connect atomic.Int64 // nanoseconds spent connecting
}

type countingConn struct {
	net.Conn
	wire *wire
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.in.Add(int64(n))
	return n, err
}

func (c countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.wire.out.Add(int64(n))
	return n, err
}

// dial returns a dial function that is timed and counted. As JMeter does, it
// counts what TLS carries and adds the handshake to the time to connect.
func (w *wire) dial(do func(ctx context.Context, network, addr string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		start := time.Now()
		conn, err := do(ctx, network, addr)
		w.connect.Add(int64(time.Since(start)))
		if err != nil {
			return nil, err
		}
		return countingConn{conn, w}, nil
	}
}

// requestLimit ends a request that is never answered.
const requestLimit = 30 * time.Second

func newUser(i, n int, app credentials.Application, owner credentials.User, random *rand.Rand, t *Target) *user {
	w := &wire{}
	dialer := &net.Dialer{Timeout: requestLimit}
	secure := &tls.Dialer{NetDialer: dialer}
	check := newChecker(app.Key, t != nil)
	if t != nil {
		secure.Config, check.keys = t.TLS, t.Keys
	}
	return &user{
		thread: fmt.Sprintf("Token Users 1-%d", i+1), app: app, owner: owner, random: random, phase: float64(i) / float64(n),
		client: &http.Client{
			Timeout: requestLimit,
			Transport: &http.Transport{
				DisableCompression: true, MaxIdleConnsPerHost: 1,
				DialContext: w.dial(dialer.DialContext), DialTLSContext: w.dial(secure.DialContext),
			},
			// A redirect would take the secrets to another place.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		wire: w, check: check, target: t, seen: &seen{},
	}
}

// once sends one request, checks the answer and writes the row.
func (u *user) once(ctx context.Context, b Burst, out *jtl) Tally {
	s := sample{label: Label(b.Grant), thread: u.thread, start: time.Now()}
	in, sent, connect := u.wire.in.Load(), u.wire.out.Load(), u.wire.connect.Load()
	opaque, err := u.request(ctx, b, &s)
	s.bytes, s.sent = u.wire.in.Load()-in, u.wire.out.Load()-sent
	s.connect = time.Duration(u.wire.connect.Load() - connect)
	t := Tally{First: s.start, Last: s.end, Tokens: 1}
	if opaque {
		t.Opaque = 1
	}
	switch {
	case err == nil:
		u.seen.tokens.Add(1)
	case u.target != nil && ctx.Err() != nil:
		return Tally{Abandoned: 1} // we broke it off: it says nothing about the server
	default:
		s.failure, s.message = u.hide(err.Error()), u.hide(s.message)
		t.Tokens, t.Failures, t.Failure, t.lost = 0, 1, s.failure, b.Grant == refreshToken && s.lost()
		u.seen.failures.Add(1)
	}
	out.write(s)
	return t
}

// request asks for a token, fills in the sample's url, end, latency and status,
// and reports whether the access token is one that cannot be looked into.
func (u *user) request(ctx context.Context, b Burst, s *sample) (opaque bool, err error) {
	scope := fmt.Sprintf("device_%010d", u.random.Uint64N(1e10))
	if u.target != nil && u.target.DefaultScope {
		scope = ""
	}
	form := url.Values{"grant_type": {b.Grant}}
	switch b.Grant {
	case refreshToken:
		form.Set("refresh_token", u.refresh)
	case password:
		form.Set("username", u.owner.Name)
		form.Set("password", u.owner.Password)
	}
	if scope != "" && b.Grant != refreshToken {
		form.Set("scope", scope)
	}
	s.url = b.URL + "/oauth2/token"
	if u.target != nil {
		s.url = u.target.Endpoint
	}
	if s.start.IsZero() {
		s.start = time.Now()
	}
	body, err := u.post(ctx, s, form)
	s.end = time.Now()
	if err != nil {
		return false, err
	}
	return u.accept(b, scope, body)
}

// post sends the form and returns the body of a 200.
func (u *user) post(ctx context.Context, s *sample, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "token-persistence-testbed")
	req.SetBasicAuth(u.app.Key, u.app.Secret)
	res, err := u.client.Do(req)
	s.latency = time.Since(s.start)
	if err != nil {
		// JMeter's words for a request without a response.
		s.code, s.message = "Non HTTP response code: net/http", "Non HTTP response message: "+err.Error()
		return nil, err
	}
	defer res.Body.Close()
	s.status, s.code, s.message = res.StatusCode, strconv.Itoa(res.StatusCode), http.StatusText(res.StatusCode)
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the response: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		return body, nil
	}
	var e struct {
		Code string `json:"error"`
		Text string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &e) // a body of another form has nothing to add to the status
	s.oauth = e.Code
	text := "status " + s.code
	for _, more := range []string{e.Code, e.Text} {
		if more != "" {
			text += ": " + more
		}
	}
	return nil, errors.New(text)
}

// answer is the body of a response with a token.
type answer struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
}

// accept checks the tokens of a response and keeps the refresh token.
func (u *user) accept(b Burst, scope string, body []byte) (opaque bool, err error) {
	var got answer
	if err := json.Unmarshal(body, &got); err != nil {
		return false, fmt.Errorf("token response: %w", err)
	}
	if u.target != nil {
		return u.acceptForeign(b, scope, got)
	}
	if b.Grant == refreshToken {
		scope = got.Scope
	}
	if err := u.check.verify(got.Access, scope); err != nil {
		return false, fmt.Errorf("access token: %w", err)
	}
	if b.Grant == clientCredentials {
		if got.Refresh != "" {
			return false, errors.New("client_credentials came with a refresh token")
		}
		return false, nil
	}
	if got.Refresh == "" || got.Refresh == u.refresh {
		return false, errors.New("refresh token is missing or was not renewed")
	}
	if isJWT(got.Refresh) {
		if err := u.check.verify(got.Refresh, scope); err != nil {
			return false, fmt.Errorf("refresh token: %w", err)
		}
	}
	u.refresh = got.Refresh
	return false, nil
}
