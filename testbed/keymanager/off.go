package keymanager

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// off is persistence off: tokens live in their signatures, a refresh token has
// one of its own, and the database knows only what has been revoked.
type off struct {
	store  *store
	signer *signer
}

// issue serves client_credentials and password without touching a token table.
func (m *off) issue(_ context.Context, r request) (response, error) {
	now := time.Now()
	access, err := m.sign(accessType, r, now, r.seconds())
	if err != nil {
		return response{}, err
	}
	out := response{AccessToken: access, Scope: r.scope, TokenType: "Bearer", ExpiresIn: r.seconds()}
	if r.grant != ClientCredentials {
		out.RefreshToken, err = m.sign(refreshType, r, now, r.app.refreshSeconds)
	}
	return out, err
}

// sign adds the claims that replace the row.
func (m *off) sign(typ string, r request, now time.Time, seconds int64) (string, error) {
	no := false
	claims := m.signer.claims(r, now, seconds)
	claims.SubjectID, claims.Federated, claims.Consented, claims.Tenant = r.subject, &no, &no, tenant
	return m.signer.sign(typ, claims)
}

// refresh checks the signed refresh token and the three revocation tables,
// issues a new pair, and voids the old refresh token: the one row per refresh
// that persistence off still writes.
func (m *off) refresh(ctx context.Context, app application, token string) (response, error) {
	claims, err := m.signer.verify(refreshType, token)
	if err != nil || claims.Client != app.key {
		return response{}, badRequest("invalid_grant", "Refresh token is not valid.")
	}
	void, err := m.revoked(ctx, claims)
	if err != nil {
		return response{}, err
	}
	if void {
		return response{}, badRequest("invalid_grant", "Refresh token is revoked.")
	}
	r := request{
		app: app, grant: RefreshToken, user: claims.Subject, userType: claims.Authorization,
		subject: claims.Subject, scope: claims.Scope,
	}
	out, err := m.issue(ctx, r)
	if err != nil {
		return response{}, err
	}
	return out, m.invalidate(ctx, claims)
}

// revoked runs the three look-ups.
func (m *off) revoked(ctx context.Context, c *Claims) (bool, error) {
	for _, look := range []struct {
		what, statement string
		args            []any
	}{
		{"invalid tokens", selectInvalid, []any{c.ID, c.Client}},
		{"revoked applications", selectAppRevoked, []any{c.Client, c.IssuedAt.UTC()}},
		{"revoked subjects", selectSubjectRevoked, []any{c.SubjectID, c.IssuedAt.UTC()}},
	} {
		var one int
		err := m.store.db.QueryRowContext(ctx, look.statement, look.args...).Scan(&one)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return false, fmt.Errorf("look up %s: %w", look.what, err)
		}
	}
	return false, nil
}

// invalidate records a token as void until it expires.
func (m *off) invalidate(ctx context.Context, c *Claims) error {
	if _, err := m.store.db.ExecContext(ctx, insertInvalid, uuid.NewString(), c.ID, c.Client, c.ExpiresAt.UTC()); err != nil {
		return fmt.Errorf("insert invalid token: %w", err)
	}
	return nil
}

// revoke voids an access or a refresh token of app. A token nobody knows is no
// error (RFC 7009, 2.2).
func (m *off) revoke(ctx context.Context, app application, token string) error {
	claims, err := m.signer.verify(accessType, token)
	if err != nil {
		claims, err = m.signer.verify(refreshType, token)
	}
	if err != nil || claims.Client != app.key {
		return nil //nolint:nilerr // as RFC 7009 asks for tokens that are not ours
	}
	if err := m.invalidate(ctx, claims); err != nil {
		return err
	}
	return m.store.insertRevoked(ctx, claims.ID, claims.ExpiresAt.Time)
}

// introspect reports whether an access token verifies and is not revoked.
func (m *off) introspect(ctx context.Context, app application, token string) (bool, error) {
	claims, err := m.signer.verify(accessType, token)
	if err != nil || claims.Client != app.key {
		return false, nil //nolint:nilerr // RFC 7662: a bad token is inactive
	}
	void, err := m.revoked(ctx, claims)
	return err == nil && !void, err
}
