package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/tokenpersistence/toolkit/testbed/users"
)

// refused explains the first request that brought no token: what the server
// said, and what to do about it.
func (d *drive) refused(r *users.Refusal) error {
	hint := d.networkHint(r.Err)
	if r.Status != 0 {
		hint = d.answerHint(r)
	}
	if hint == "" {
		return fmt.Errorf("a first request failed: %w", r)
	}
	return fmt.Errorf("a first request failed: %w\n  %s", r, hint)
}

// networkHint is what to do when there was no answer.
func (d *drive) networkHint(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate's authority is unknown here: --ca FILE names it\n  (API Manager's own: keytool -exportcert -rfc -alias wso2carbon ...),\n  --insecure-skip-verify accepts any"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate is for another host: use the name it is for in the URL"
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return "the certificate is not valid, perhaps expired: renew it, or --insecure-skip-verify"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "the server does not speak TLS on this port: API Manager's is 9443"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host in the URL has no address: is the name right?"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nothing listens there: is API Manager up, and is the port 9443 (plus offset)?"
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return "no answer in time: is a firewall between here and the server?"
	}
	return ""
}

// answerHint is what to do about an answer without a good token.
func (d *drive) answerHint(r *users.Refusal) string {
	application := fmt.Sprintf("the application in line %d of %s", r.Application, d.file)
	switch {
	case r.Status == http.StatusUnauthorized:
		return application + " is refused: are its consumer key and secret those of this server?"
	case r.Code == "unauthorized_client" || r.Code == "unsupported_grant_type":
		return application + " may not use the grant " + r.Grant + ":\n  allow it in the Developer Portal, under the application's keys"
	case r.Code == "invalid_grant" && r.User > 0:
		return fmt.Sprintf("the user in line %d of %s is refused: is his password right, and is he allowed to log in?", r.User, d.file)
	case r.Code == "invalid_scope" || r.Status == http.StatusOK && strings.Contains(r.Error(), "scope"):
		return "the patterns of allowed scopes ([apim.oauth_config] in deployment.toml) have to hold\n  ^device_.* ; --scopes default asks for none: another load than the published"
	case r.Status == http.StatusBadRequest && r.Code == "" && strings.HasPrefix(d.url, "http:"):
		return "does this port speak TLS? Then the URL begins with https"
	case r.Status >= 300 && r.Status < 400:
		return "the server sends us elsewhere, and secrets do not follow: give the final URL"
	case r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed:
		return "there is no token endpoint at this path: API Manager's is /oauth2/token on 9443"
	}
	return ""
}
