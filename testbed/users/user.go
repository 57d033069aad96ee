package users

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
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
	keys    map[string]*rsa.PublicKey
	parser  *jwt.Parser
}

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

// requestLimit ends a request that is never answered.
const requestLimit = 30 * time.Second

func newUser(i, n int, app credentials.Application, owner credentials.User, random *rand.Rand) *user {
	w := &wire{}
	dialer := &net.Dialer{Timeout: requestLimit}
	transport := &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			start := time.Now()
			conn, err := dialer.DialContext(ctx, network, addr)
			w.connect.Add(int64(time.Since(start)))
			if err != nil {
				return nil, err
			}
			return countingConn{conn, w}, nil
		},
	}
	return &user{
		thread: fmt.Sprintf("Token Users 1-%d", i+1), app: app, owner: owner, random: random, phase: float64(i) / float64(n),
		client: &http.Client{Transport: transport, Timeout: requestLimit}, wire: w,
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience(app.Key), jwt.WithExpirationRequired()),
	}
}

// pause keeps a user whose requests fail at once from spinning.
const pause = 50 * time.Millisecond

// loop asks for tokens until the burst is over.
func (u *user) loop(ctx context.Context, b Burst, users int, out *jtl) Tally {
	start := b.Start
	if start.IsZero() {
		start = time.Now()
	}
	end, next := start.Add(b.Duration), start
	var interval time.Duration
	if b.Rate > 0 {
		interval = time.Duration(float64(users) / b.Rate * float64(time.Second))
		next = start.Add(time.Duration(u.phase * float64(interval)))
	}
	var sum Tally
	for sleepUntil(ctx, next) && time.Now().Before(end) {
		t := u.once(ctx, b, out)
		if t.Failures > 0 {
			sleepUntil(ctx, time.Now().Add(pause))
		}
		sum.add(t)
		next = next.Add(interval)
		if next.After(end) {
			break
		}
	}
	return sum
}

// sleepUntil reports false when ctx ended first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once sends one request, checks the answer and writes the row.
func (u *user) once(ctx context.Context, b Burst, out *jtl) Tally {
	scope := fmt.Sprintf("device_%010d", u.random.Uint64N(1e10))
	form := url.Values{"grant_type": {b.Grant}}
	switch b.Grant {
	case "refresh_token":
		form.Set("refresh_token", u.refresh)
	case "password":
		form.Set("username", u.owner.Name)
		form.Set("password", u.owner.Password)
		form.Set("scope", scope)
	default:
		form.Set("scope", scope)
	}
	s := sample{label: Label(b.Grant), thread: u.thread, url: b.URL + "/oauth2/token", start: time.Now()}
	in, sent, connect := u.wire.in.Load(), u.wire.out.Load(), u.wire.connect.Load()
	body, err := u.post(ctx, &s, form)
	s.end = time.Now()
	s.bytes, s.sent = u.wire.in.Load()-in, u.wire.out.Load()-sent
	s.connect = time.Duration(u.wire.connect.Load() - connect)
	if err == nil {
		err = u.accept(b, scope, body)
	}
	t := Tally{First: s.start, Last: s.end, Tokens: 1}
	if err != nil {
		s.failure = err.Error()
		t.Tokens, t.Failures, t.Failure = 0, 1, s.failure
	}
	out.write(s)
	return t
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
	s.code = fmt.Sprint(res.StatusCode)
	s.message = http.StatusText(res.StatusCode)
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the response: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		var e struct {
			Code string `json:"error"`
			Text string `json:"error_description"`
		}
		_ = json.Unmarshal(body, &e) // a body of another form has nothing to add to the status
		return nil, fmt.Errorf("status %d: %s: %s", res.StatusCode, e.Code, e.Text)
	}
	return body, nil
}

// accept checks the tokens of a response and keeps the refresh token.
func (u *user) accept(b Burst, scope string, body []byte) error {
	var got struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Scope   string `json:"scope"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return fmt.Errorf("token response: %w", err)
	}
	if b.Grant == "refresh_token" {
		scope = got.Scope
	}
	if err := u.verify(got.Access, scope); err != nil {
		return fmt.Errorf("access token: %w", err)
	}
	if b.Grant == "client_credentials" {
		if got.Refresh != "" {
			return errors.New("client_credentials came with a refresh token")
		}
		return nil
	}
	if got.Refresh == "" || got.Refresh == u.refresh {
		return errors.New("refresh token is missing or was not renewed")
	}
	if strings.Count(got.Refresh, ".") == 2 {
		if err := u.verify(got.Refresh, scope); err != nil {
			return fmt.Errorf("refresh token: %w", err)
		}
	}
	u.refresh = got.Refresh
	return nil
}

// verify checks signature, client, times and scope of a JWT.
func (u *user) verify(token, scope string) error {
	var claims struct {
		jwt.RegisteredClaims
		Client string `json:"azp"`
		Scope  string `json:"scope"`
	}
	_, err := u.parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		key, known := u.keys[id]
		if !known {
			return nil, fmt.Errorf("signed with unknown key %q", id)
		}
		return key, nil
	})
	if err != nil {
		return err
	}
	if claims.Client != u.app.Key || claims.Scope != scope || claims.ID == "" {
		return errors.New("claims azp, scope or jti are not those of the request")
	}
	return nil
}
