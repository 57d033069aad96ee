package keymanager

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
)

// Token states.
const (
	stateActive   = "ACTIVE"
	stateInactive = "INACTIVE"
	stateExpired  = "EXPIRED"
	stateRevoked  = "REVOKED"
)

// on is persistence on: every token has a row, and one signature.
type on struct {
	store  *store
	signer *signer
	locks  *locks
}

// row is what the statements select of a stored token.
type row struct {
	id, jti, user, state, subject, scope string
	created, refreshCreated              time.Time
	validity, refreshValidity            int64 // ms; negative: infinite
}

// expiry is the end of the access token of a row with a finite validity.
func (r row) expiry() time.Time { return r.created.Add(time.Duration(r.validity) * time.Millisecond) }

// expired reports whether a period of validity milliseconds from start is over.
func expired(start time.Time, validity int64, now time.Time) bool {
	return validity >= 0 && now.After(start.Add(time.Duration(validity)*time.Millisecond))
}

// recoveries is how often a violation of CON_APP_KEY is recovered from
// (retry_count_on_persistence_failures).
const recoveries = 5

// issue serves client_credentials and password: S1, then I1 and I2 in one
// transaction. TIME_CREATED has whole seconds, so that S1 may overlook the
// active token among several of one second; the unique key then refuses the
// insert and the active token is looked for by its state.
func (m *on) issue(ctx context.Context, r request) (response, error) {
	defer m.locks.acquire(strings.Join([]string{r.app.key, r.user, r.scope, noBinding}, ":"))()
	old, err := m.latest(ctx, selectLatest, r)
	for attempt := 0; err == nil; attempt++ {
		now := time.Now().UTC()
		var out response
		if out, err = m.create(ctx, r, now, func(tx *sql.Tx) error { return retire(ctx, tx, old, now) }); err == nil {
			return out, m.announce(ctx, old, now)
		}
		if e, ok := errors.AsType[*mysql.MySQLError](err); !ok || e.Number != duplicateKey || attempt == recoveries {
			break
		}
		old, err = m.latest(ctx, selectActive, r)
	}
	return response{}, err
}

// duplicateKey is MySQL's ER_DUP_ENTRY.
const duplicateKey = 1062

// latest runs S1 or its variant for recovery; the zero row means none.
func (m *on) latest(ctx context.Context, statement string, r request) (row, error) {
	var old row
	var refresh, subject, userType sql.NullString
	err := m.store.db.QueryRowContext(ctx, statement, r.app.key, r.user, tenantID, userDomain, scopeHash(r.scope), noBinding, idpName, tenantID).
		Scan(&old.jti, &refresh, &old.created, &old.refreshCreated, &old.validity, &old.refreshValidity, &old.state, &userType, &old.id, &subject)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return row{}, fmt.Errorf("select the latest token: %w", err)
	}
	return old, nil
}

// retire ends an active token that a new one of the same scope replaces: a JWT
// is renewed by every request.
func retire(ctx context.Context, tx *sql.Tx, old row, now time.Time) error {
	switch {
	case old.state != stateActive:
		return nil
	case expired(old.created, old.validity, now):
		return setState(ctx, tx, old.id, stateExpired)
	default:
		return setState(ctx, tx, old.id, stateRevoked)
	}
}

// announce tells the gateways of a token that retire revoked.
func (m *on) announce(ctx context.Context, old row, now time.Time) error {
	if old.state != stateActive || expired(old.created, old.validity, now) {
		return nil
	}
	return m.store.insertRevoked(ctx, old.jti, old.expiry())
}

// create signs an access token and stores it, after retire, in one transaction.
// A grant with a user gets an opaque refresh token.
func (m *on) create(ctx context.Context, r request, now time.Time, retire func(*sql.Tx) error) (response, error) {
	claims := m.signer.claims(r, now, r.seconds())
	access, err := m.signer.sign(accessType, claims)
	if err != nil {
		return response{}, err
	}
	out := response{AccessToken: access, Scope: r.scope, TokenType: "Bearer", ExpiresIn: r.seconds()}
	var refresh, refreshHash sql.NullString
	if r.grant != ClientCredentials {
		out.RefreshToken = uuid.NewString()
		refresh = sql.NullString{String: out.RefreshToken, Valid: true}
		refreshHash = sql.NullString{String: hashed(out.RefreshToken), Valid: true}
	}
	id := uuid.NewString()
	err = m.store.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := retire(tx); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, insertToken, claims.ID, refresh, r.user, tenantID, userDomain, now, now,
			r.seconds()*1000, r.app.refreshSeconds*1000, scopeHash(r.scope), stateActive, r.userType, id, r.grant, r.subject,
			hashed(claims.ID), refreshHash, noBinding, r.app.key, idpName, tenantID)
		if err != nil {
			return fmt.Errorf("insert token: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("insert token: %d rows, want 1 (is the identity provider %s of tenant %d there?): %w", n, idpName, tenantID, err)
		}
		for scope := range strings.FieldsSeq(r.scope) {
			if _, err := tx.ExecContext(ctx, insertScope, id, scope, tenantID); err != nil {
				return fmt.Errorf("insert scope: %w", err)
			}
		}
		return nil
	})
	return out, err
}

// refresh replaces a token: S2, one transaction that deactivates the old row
// and stores the new one, a second that moves the old row to the audit table,
// and the notice for the gateways.
func (m *on) refresh(ctx context.Context, app application, token string) (response, error) {
	hash := hashed(token)
	defer m.locks.acquire(app.key + ":" + hash)()
	old, err := m.byRefreshToken(ctx, app, hash)
	if err != nil {
		return response{}, err
	}
	now := time.Now().UTC()
	if old.state != stateActive || expired(old.refreshCreated, old.refreshValidity, now) {
		return response{}, badRequest("invalid_grant", "Persisted access token data not found")
	}
	r := request{app: app, grant: RefreshToken, user: old.user, userType: userTypeUser, subject: old.subject, scope: old.scope}
	out, err := m.create(ctx, r, now, func(tx *sql.Tx) error {
		var consented sql.NullString
		if err := tx.QueryRowContext(ctx, selectConsent, old.id).Scan(&consented); err != nil {
			return fmt.Errorf("select consent: %w", err)
		}
		return setState(ctx, tx, old.id, stateInactive)
	})
	if err != nil {
		return response{}, err
	}
	if err := m.cleanUp(ctx, old.id, now); err != nil {
		return response{}, err
	}
	return out, m.store.insertRevoked(ctx, old.jti, old.expiry())
}

// byRefreshToken is S2: one row per scope of the token.
func (m *on) byRefreshToken(ctx context.Context, app application, hash string) (row, error) {
	rows, err := m.store.db.QueryContext(ctx, selectByRefresh, app.key, hash)
	if err != nil {
		return row{}, fmt.Errorf("select by refresh token: %w", err)
	}
	defer rows.Close()
	var old row
	var scopes []string
	for rows.Next() {
		var scope sql.NullString
		var idp string
		if err := rows.Scan(&old.jti, &old.user, &old.state, &old.refreshCreated, &old.refreshValidity, &old.id,
			&old.subject, &old.created, &old.validity, &scope, &idp); err != nil {
			return row{}, fmt.Errorf("select by refresh token: %w", err)
		}
		if scope.Valid {
			scopes = append(scopes, scope.String)
		}
	}
	if err := rows.Err(); err != nil {
		return row{}, fmt.Errorf("select by refresh token: %w", err)
	}
	old.scope = strings.Join(scopes, " ")
	return old, nil
}

// cleanUp is the event-driven cleanup with retain_access_tokens_for_auditing.
func (m *on) cleanUp(ctx context.Context, id string, now time.Time) error {
	return m.store.inTransaction(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, insertAudit, now, id); err != nil {
			return fmt.Errorf("copy token for audit: %w", err)
		}
		if _, err := tx.ExecContext(ctx, deleteToken, id); err != nil {
			return fmt.Errorf("delete token: %w", err)
		}
		return nil
	})
}

// revoke ends an access token of app. A token nobody knows is no error
// (RFC 7009, 2.2).
func (m *on) revoke(ctx context.Context, app application, token string) error {
	claims, err := m.signer.verify(accessType, token)
	if err != nil {
		return nil //nolint:nilerr // as RFC 7009 asks for tokens that are not ours
	}
	old, found, err := m.byAccessToken(ctx, app, claims.ID)
	if err != nil || !found || old.state != stateActive {
		return err
	}
	if err := m.store.inTransaction(ctx, func(tx *sql.Tx) error { return setState(ctx, tx, old.id, stateRevoked) }); err != nil {
		return err
	}
	if err := m.store.insertRevoked(ctx, old.jti, claims.ExpiresAt.Time); err != nil {
		return err
	}
	return m.cleanUp(ctx, old.id, time.Now().UTC())
}

// introspect reports whether an access token is stored, active and unexpired.
func (m *on) introspect(ctx context.Context, app application, token string) (bool, error) {
	claims, err := m.signer.verify(accessType, token)
	if err != nil {
		return false, nil //nolint:nilerr // RFC 7662: a bad token is inactive
	}
	old, found, err := m.byAccessToken(ctx, app, claims.ID)
	return found && old.state == stateActive && !expired(old.created, old.validity, time.Now()), err
}

func (m *on) byAccessToken(ctx context.Context, app application, jti string) (row, bool, error) {
	var old row
	err := m.store.db.QueryRowContext(ctx, selectByAccess, app.key, hashed(jti)).
		Scan(&old.id, &old.jti, &old.state, &old.created, &old.validity)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, false, nil
	}
	if err != nil {
		return row{}, false, fmt.Errorf("select by access token: %w", err)
	}
	return old, true, nil
}

// setState deactivates a row; the random state id keeps CON_APP_KEY unique.
func setState(ctx context.Context, tx *sql.Tx, id, state string) error {
	if _, err := tx.ExecContext(ctx, updateState, state, uuid.NewString(), id); err != nil {
		return fmt.Errorf("set token state %s: %w", state, err)
	}
	return nil
}

// insertRevoked tells the gateways that a JWT is void until it expires.
func (s *store) insertRevoked(ctx context.Context, jti string, expiry time.Time) error {
	if _, err := s.db.ExecContext(ctx, insertRevokedJWT, uuid.NewString(), jti, expiry.UnixMilli(), tenantID, "JWT"); err != nil {
		return fmt.Errorf("insert revoked JWT: %w", err)
	}
	return nil
}
