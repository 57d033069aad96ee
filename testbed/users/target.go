package users

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

// Target is a token endpoint that is not the rig's own: a real API Manager.
type Target struct {
	Endpoint     string                    // URL of the token endpoint
	TLS          *tls.Config               // nil: Go's defaults
	Keys         map[string]*rsa.PublicKey // nil: signatures are not checked
	DefaultScope bool                      // ask for no scope at all, instead of a device scope per request
}

// Refusal is a first request that brought no good token.
type Refusal struct {
	Application, User int // lines in the credentials file; User is 0 where no user is part of the request
	Grant             string
	Status            int    // of the response; 0: there was none
	Code              string // "error" of the response
	Err               error
}

func (r *Refusal) Error() string { return r.Err.Error() }

func (r *Refusal) Unwrap() error { return r.Err }

// NewAt returns n users of a real API Manager, who share the applications and
// users of set evenly. The seed decides the device scopes. The set needs users
// for the grants password and refresh_token only.
func NewAt(t Target, set credentials.Set, n int, seed uint64) *Population {
	return newPopulation(&t, set, n, seed)
}

func newPopulation(t *Target, set credentials.Set, n int, seed uint64) *Population {
	p := &Population{target: t, keys: map[string]map[string]*rsa.PublicKey{}}
	for i := range n {
		var owner credentials.User
		if len(set.Users) > 0 {
			owner = set.Users[i%len(set.Users)]
		}
		p.users = append(p.users, newUser(i, n, set.Applications[i%len(set.Applications)], owner, rand.New(rand.NewPCG(seed, uint64(i))), t))
		p.users[i].seen = &p.seen
	}
	return p
}

// firstAtOnce is how many of the first requests run at the same time.
const firstAtOnce = 8

// First sends the first requests, which stand in no result file: one, and when
// that brought a token, one for every other application and user. For
// refresh_token every user asks, by the password grant, and keeps his refresh
// token. It returns the number of tokens, and the first refusal in the order of
// the credentials file, a *Refusal.
func (p *Population) First(ctx context.Context, grant string) (int, error) {
	chosen := p.users
	if grant != refreshToken {
		chosen = p.different(grant)
	}
	if err := chosen[0].first(ctx, grant); err != nil {
		return 0, err
	}
	refusals := make([]error, len(chosen))
	var group errgroup.Group
	group.SetLimit(firstAtOnce)
	var once sync.Once
	ask, stop := context.WithCancel(ctx)
	defer stop()
	for i, u := range chosen[1:] {
		group.Go(func() error {
			if ask.Err() != nil {
				return nil // somebody was refused already
			}
			// A request that has begun is finished: one refusal must not make others.
			if refusals[i+1] = u.first(ctx, grant); refusals[i+1] != nil {
				once.Do(stop)
			}
			return nil
		})
	}
	_ = group.Wait() // its functions return nil
	for _, err := range refusals {
		if err != nil {
			return 0, err
		}
	}
	return len(chosen), ctx.Err()
}

// different returns as many users as it takes for every application and, where
// the grant has one, every resource owner to be among them.
func (p *Population) different(grant string) []*user {
	type pair struct{ key, name string }
	seen := map[pair]bool{}
	var out []*user
	for _, u := range p.users {
		id := pair{key: u.app.Key}
		if grant == password {
			id.name = u.owner.Name
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, u)
		}
	}
	return out
}

// first asks for one token that is not written anywhere.
func (u *user) first(ctx context.Context, grant string) error {
	asked := grant
	if grant == refreshToken {
		asked = password
	}
	var s sample
	_, err := u.request(ctx, Burst{Grant: asked}, &s)
	if err == nil && grant == refreshToken && u.refresh == "" {
		err = errNoRefresh
	}
	if err == nil {
		return nil
	}
	r := &Refusal{Application: u.app.Line, Grant: asked, Status: s.status, Code: s.oauth, Err: u.hiding(err)}
	if asked == password {
		r.User = u.owner.Line
	}
	return r
}

var errNoRefresh = errors.New("the response has no refresh_token: allow the grant refresh_token for this application")

// FetchKeys reads the JSON Web Key Set at url.
func (t Target) FetchKeys(ctx context.Context, url string) (map[string]*rsa.PublicKey, error) {
	u := newUser(0, 1, credentials.Application{}, credentials.User{}, nil, &t)
	defer u.client.CloseIdleConnections()
	return fetchKeys(ctx, u.client, url)
}

// fetchKeys reads a key set.
func fetchKeys(ctx context.Context, client *http.Client, url string) (map[string]*rsa.PublicKey, error) {
	ask, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ask, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch signing keys: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch signing keys: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch signing keys: %s answers status %d", url, res.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("fetch signing keys: %w", err)
	}
	return ParseKeys(text)
}
