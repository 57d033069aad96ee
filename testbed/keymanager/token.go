package keymanager

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Types of a signed token, in the header typ.
const (
	accessType  = "at+jwt"
	refreshType = "rt+jwt"
)

// User types in the column USER_TYPE and the claim aut.
const (
	userTypeApplication = "APPLICATION"
	userTypeUser        = "APPLICATION_USER"
)

// Claims are the claims API Manager puts in a token. The last group is there
// with persistence off only: it lets the product judge a token without a row.
type Claims struct {
	jwt.RegisteredClaims
	Authorization string `json:"aut,omitempty"` // APPLICATION or APPLICATION_USER
	Client        string `json:"azp"`           // consumer key
	Scope         string `json:"scope"`
	SubjectID     string `json:"entity_id,omitempty"`
	Federated     *bool  `json:"is_federated,omitempty"`
	Consented     *bool  `json:"is_consented,omitempty"`
	Tenant        string `json:"tenant_domain,omitempty"`
}

// signer makes and checks RS256 signatures of one issuer.
type signer struct {
	key    *rsa.PrivateKey
	id     string // kid
	issuer string
	parser *jwt.Parser
}

func newSigner(key *rsa.PrivateKey, issuer string) *signer {
	sum := sha256.Sum256(key.N.Bytes())
	return &signer{
		key: key, id: base64.RawURLEncoding.EncodeToString(sum[:]) + "_RS256", issuer: issuer,
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired()),
	}
}

// sign returns the compact form of claims under the given typ.
func (s *signer) sign(typ string, claims *Claims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["typ"], token.Header["kid"] = typ, s.id
	text, err := token.SignedString(s.key)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return text, nil
}

// verify checks the signature, issuer and times of a token of the given typ.
func (s *signer) verify(typ, text string) (*Claims, error) {
	var claims Claims
	token, err := s.parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return &s.key.PublicKey, nil })
	if err != nil {
		return nil, err
	}
	if token.Header["typ"] != typ {
		return nil, fmt.Errorf("token type %v, want %s", token.Header["typ"], typ)
	}
	return &claims, nil
}

// jwks is the public key in the form of RFC 7517.
func (s *signer) jwks() map[string]any {
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": s.id,
		"n": encode(s.key.N.Bytes()), "e": encode(big.NewInt(int64(s.key.E)).Bytes()),
	}}}
}

// claims returns the claims of a token for request r that ends after validity.
func (s *signer) claims(r request, now time.Time, seconds int64) *Claims {
	return &Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.issuer, Subject: r.subject, Audience: jwt.ClaimStrings{r.app.key}, ID: uuid.NewString(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(time.Duration(seconds) * time.Second)),
		},
		Authorization: r.userType, Client: r.app.key, Scope: r.scope,
	}
}

// hashed is the form of ACCESS_TOKEN_HASH and REFRESH_TOKEN_HASH.
func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return `{"hash":"` + hex.EncodeToString(sum[:]) + `","algorithm":"SHA-256"}`
}

// scopeHash is TOKEN_SCOPE_HASH: MD5 of the sorted scope string, an identifier
// and no secret.
func scopeHash(scope string) string {
	sum := md5.Sum([]byte(scope))
	return hex.EncodeToString(sum[:])
}
