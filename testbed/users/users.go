// Package users is the testbed's load generator: a population of users that ask
// a token endpoint for tokens in a closed loop, each over a connection of its
// own, check every token they get, and write a JMeter result file.
//
// One burst is one grant at one key manager for a stretch of time. Requests in
// flight at its end are finished and written, so that after a burst the system
// is idle and every count is exact. A token that does not verify is a failure,
// whatever the status code said.
//
//	p := users.New(set, 100, seed)
//	defer p.Close()
//	tally, err := p.Load(ctx, users.Burst{URL: url, Grant: "password", Duration: 6 * time.Second, JTL: "password-on-1.jtl"})
//
// NewAt makes users of a real API Manager. Of its tokens is checked what can be
// checked, and no text that it answers is written with a secret in it.
package users

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

// Burst is a stretch of load.
type Burst struct {
	URL      string        `json:"url"`      // base URL of the key manager; a Target has its own
	Grant    string        `json:"grant"`    // client_credentials, password or refresh_token
	Start    time.Time     `json:"start"`    // zero: now
	Duration time.Duration `json:"duration"` // new requests start until Start + Duration
	Rate     float64       `json:"rate"`     // offered requests per second over all users; 0: as fast as answers come
	JTL      string        `json:"jtl"`      // result file to create
}

// Tally is what the users saw of a burst.
type Tally struct {
	Tokens    int       `json:"tokens"`              // verified tokens
	Failures  int       `json:"failures"`            // requests without one
	Failure   string    `json:"failure"`             // the first failure's message
	First     time.Time `json:"first"`               // start of the first request
	Last      time.Time `json:"last"`                // end of the last request
	Opaque    int       `json:"opaque,omitempty"`    // tokens that are no JWT, so that only their presence was checked
	Chains    int       `json:"chains,omitempty"`    // refresh chains that broke and were begun anew
	Abandoned int       `json:"abandoned,omitempty"` // requests broken off after an interruption; they have no row

	lost bool // of one request: the server may have used up its refresh token
}

// add merges another user's tally.
func (t *Tally) add(o Tally) {
	t.Tokens += o.Tokens
	t.Failures += o.Failures
	t.Failure = cmp.Or(t.Failure, o.Failure)
	t.Opaque += o.Opaque
	t.Chains += o.Chains
	t.Abandoned += o.Abandoned
	if t.First.IsZero() || !o.First.IsZero() && o.First.Before(t.First) {
		t.First = o.First
	}
	if o.Last.After(t.Last) {
		t.Last = o.Last
	}
}

// Label returns the label of a grant's rows, those of WSO2's own test plans.
func Label(grant string) string {
	switch grant {
	case clientCredentials:
		return "GetToken_Client_Credentials_Grant"
	case password:
		return "GetToken_Password_Grant"
	default:
		return "GetToken_Refresh_Grant"
	}
}

// Population is a number of users that keep their connections and refresh
// tokens from burst to burst. Its methods must not run concurrently, except
// Seen.
type Population struct {
	users  []*user
	keys   map[string]map[string]*rsa.PublicKey // by base URL and key id
	target *Target                              // nil: key managers of the rig
	seen   seen
}

// New returns n users who share the applications and users of set evenly. The
// seed decides the device scopes.
func New(set credentials.Set, n int, seed uint64) *Population {
	return newPopulation(nil, set, n, seed)
}

// Seen returns how many requests of bursts have brought a token so far and how
// many have not.
func (p *Population) Seen() (tokens, failures int64) {
	return p.seen.tokens.Load(), p.seen.failures.Load()
}

// Close closes the users' connections.
func (p *Population) Close() {
	for _, u := range p.users {
		u.client.CloseIdleConnections()
	}
}

// Prepare gives every user a refresh token of the key manager at b.URL by the
// password grant, written to b.JTL under the label of that grant.
func (p *Population) Prepare(ctx context.Context, b Burst) (Tally, error) {
	b.Grant = password
	return p.each(ctx, b, func(ctx context.Context, u *user, out *jtl) Tally {
		u.refresh = "" // a token of another key manager would be of no use here
		return u.once(ctx, b, out)
	})
}

// Load runs a burst and returns what the users saw. It fails when the result
// file cannot be written, when the keys cannot be had, or when ctx ends; failed
// requests are no error but counted. At a Target, requests in flight when ctx
// ends may finish for ten seconds.
func (p *Population) Load(ctx context.Context, b Burst) (Tally, error) {
	if b.Grant == refreshToken && slices.ContainsFunc(p.users, func(u *user) bool { return u.refresh == "" }) {
		return Tally{}, errors.New("load refresh_token: users have no refresh token: Prepare first")
	}
	work := ctx
	if p.target != nil {
		var stop context.CancelFunc
		work, stop = finishing(ctx)
		defer stop()
	}
	return p.each(ctx, b, func(ctx context.Context, u *user, out *jtl) Tally { return u.loop(ctx, work, b, len(p.users), out) })
}

// each runs do for every user at once.
func (p *Population) each(ctx context.Context, b Burst, do func(context.Context, *user, *jtl) Tally) (Tally, error) {
	keys, err := p.keysOf(ctx, b.URL)
	if err != nil {
		return Tally{}, err
	}
	out, err := createJTL(b.JTL, len(p.users))
	if err != nil {
		return Tally{}, err
	}
	tallies := make([]Tally, len(p.users))
	var wg sync.WaitGroup
	for i, u := range p.users {
		wg.Go(func() {
			u.check.keys = keys
			tallies[i] = do(ctx, u, out)
		})
	}
	wg.Wait()
	var sum Tally
	for _, t := range tallies {
		sum.add(t)
	}
	return sum, errors.Join(out.Close(), ctx.Err())
}

// keysOf returns the keys that sign at a key manager, which it asks once.
func (p *Population) keysOf(ctx context.Context, url string) (map[string]*rsa.PublicKey, error) {
	if p.target != nil {
		return p.target.Keys, nil
	}
	if p.keys[url] == nil {
		keys, err := fetchKeys(ctx, p.users[0].client, url+"/oauth2/jwks")
		if err != nil {
			return nil, err
		}
		p.keys[url] = keys
	}
	return p.keys[url], nil
}
