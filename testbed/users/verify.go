package users

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// clockSkew is how far the clock of a server that is not ours may be off.
const clockSkew = time.Minute

// checker judges the tokens that one application gets.
type checker struct {
	client  string                    // consumer key
	foreign bool                      // the server is not the rig's: claims may be missing, clocks may differ
	keys    map[string]*rsa.PublicKey // by key id; nil at a foreign server: signatures are not checked
	parser  *jwt.Parser
	rules   *jwt.Validator // of a token whose signature is not checked
}

func newChecker(client string, foreign bool) checker {
	methods, options := []string{"RS256"}, []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithAudience(client)}
	if foreign {
		methods = append(methods, "RS384", "RS512", "PS256", "PS384", "PS512")
		options = []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithLeeway(clockSkew)}
	}
	return checker{
		client: client, foreign: foreign, rules: jwt.NewValidator(options...),
		parser: jwt.NewParser(append(options, jwt.WithValidMethods(methods))...),
	}
}

// tokenClaims are the claims of a token that are looked at.
type tokenClaims struct {
	jwt.RegisteredClaims
	Client string `json:"azp"`
	Scope  string `json:"scope"`
}

// isJWT tells a signed token from an opaque one.
func isJWT(token string) bool { return strings.Count(token, ".") == 2 }

// verify checks a JWT: signature, where there are keys, times, client and scope.
func (c *checker) verify(token, scope string) error {
	var claims tokenClaims
	var err error
	if c.keys == nil && c.foreign {
		err = c.inspect(token, &claims)
	} else {
		_, err = c.parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
			id, _ := t.Header["kid"].(string)
			key, known := c.keys[id]
			if !known {
				return nil, fmt.Errorf("signed with unknown key %q", id)
			}
			return key, nil
		})
	}
	if err != nil {
		return err
	}
	if c.foreign {
		return c.compare(claims, scope)
	}
	if claims.Client != c.client || claims.Scope != scope || claims.ID == "" {
		return errors.New("claims azp, scope or jti are not those of the request")
	}
	return nil
}

// inspect checks what a token shows without the key: its parts and its times.
func (c *checker) inspect(token string, claims *tokenClaims) error {
	parsed, _, err := c.parser.ParseUnverified(token, claims)
	if err != nil {
		return err
	}
	if len(parsed.Signature) == 0 || parsed.Method == jwt.SigningMethodNone {
		return errors.New("the token has no signature")
	}
	return c.rules.Validate(claims)
}

// compare holds the claims that a foreign server gave against the request. An
// empty scope stands for any.
func (c *checker) compare(claims tokenClaims, scope string) error {
	if claims.Client != "" && claims.Client != c.client {
		return errors.New("claim azp is another application's")
	}
	if scope != "" && claims.Scope != "" && !slices.Contains(strings.Fields(claims.Scope), scope) {
		return errors.New("claim scope is not the one asked for")
	}
	return nil
}
