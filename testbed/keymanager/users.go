package keymanager

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
)

// HashPassword is the form in which a JDBC user store keeps a password: the
// SHA-256 digest of password and salt in base64 (PasswordDigest SHA-256).
func HashPassword(password, salt string) string {
	sum := sha256.Sum256([]byte(password + salt))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// authenticate checks a resource owner and returns his unique id: two reads of
// the user store, which API Manager does not cache for passwords.
func (s *store) authenticate(ctx context.Context, name, password string) (string, error) {
	denied := badRequest("invalid_grant", "Authentication failed for the resource owner.")
	var stored, salt string
	var mustChange bool
	err := s.db.QueryRowContext(ctx, selectPassword, name, tenantID).Scan(&stored, &salt, &mustChange)
	if errors.Is(err, sql.ErrNoRows) {
		return "", denied
	}
	if err != nil {
		return "", fmt.Errorf("read the user's password: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(stored), []byte(HashPassword(password, salt))) != 1 || mustChange {
		return "", denied
	}
	var id string
	if err := s.db.QueryRowContext(ctx, selectUserID, name, tenantID).Scan(&id); err != nil {
		return "", fmt.Errorf("read the user's id: %w", err)
	}
	return id, nil
}
