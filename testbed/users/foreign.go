package users

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// acceptForeign checks what a real API Manager answered, as far as it can be
// checked: opaque tokens show nothing, and a refresh token may stay the same
// where renewal is switched off.
func (u *user) acceptForeign(b Burst, scope string, got answer) (opaque bool, err error) {
	if got.Access == "" {
		return false, errors.New("the response has no access_token")
	}
	if b.Grant == refreshToken {
		scope = "" // the chain keeps the scope it began with
	}
	if scope != "" && got.Scope != "" && !slices.Contains(strings.Fields(got.Scope), scope) {
		return false, fmt.Errorf("got scope %q instead of a device scope", got.Scope)
	}
	opaque = !isJWT(got.Access)
	if !opaque {
		if err := u.check.verify(got.Access, scope); err != nil {
			return false, fmt.Errorf("access token: %w", err)
		}
	}
	if b.Grant == clientCredentials {
		return opaque, nil
	}
	if isJWT(got.Refresh) {
		if err := u.check.verify(got.Refresh, ""); err != nil {
			return false, fmt.Errorf("refresh token: %w", err)
		}
	}
	if got.Refresh != "" {
		u.refresh = got.Refresh
	}
	return opaque, nil
}

// lost reports whether the server may have used up the refresh token that a
// failed request carried. An overloaded server has not looked at it.
func (s *sample) lost() bool { return s.status < 500 && s.status != 429 }

// begin gives a user whose chain of refresh tokens broke a new one by the
// password grant. That request is not of the grant under test and is not
// written; it reports whether it succeeded.
func (u *user) begin(ctx context.Context) bool {
	u.refresh = ""
	var s sample
	_, err := u.request(ctx, Burst{Grant: password}, &s)
	return err == nil && u.refresh != ""
}

// finishLimit is how long requests in flight may take after an interruption.
const finishLimit = 10 * time.Second

// finishing returns a context for the requests of a burst that lives on for a
// moment after ctx, so that an interruption lets them end.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(finishLimit, cancel) })
	return work, func() {
		stop()
		cancel()
	}
}
