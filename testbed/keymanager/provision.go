package keymanager

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

// owner is the developer to whom the testbed's applications belong.
const owner = "admin"

// Provision registers the applications, for all three grants and with the
// product's default validity periods, and the users in the user store. It adds
// rows and changes none; a user whose name is taken is an error.
func Provision(ctx context.Context, db *sql.DB, set credentials.Set) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	defer tx.Rollback() // without effect after Commit
	grants := strings.Join([]string{ClientCredentials, Password, RefreshToken}, " ")
	for _, a := range set.Applications {
		name := owner + "_" + uuid.NewString() + "_PRODUCTION"
		if _, err := tx.ExecContext(ctx, `INSERT INTO IDN_OAUTH_CONSUMER_APPS (CONSUMER_KEY, CONSUMER_SECRET, USERNAME, TENANT_ID,
			USER_DOMAIN, APP_NAME, OAUTH_VERSION, GRANT_TYPES) VALUES (?, ?, ?, ?, ?, ?, 'OAuth-2.0', ?)`,
			a.Key, a.Secret, owner, tenantID, userDomain, name, grants); err != nil {
			return fmt.Errorf("provision application: %w", err)
		}
	}
	for _, u := range set.Users {
		salt := rand.Text()
		if _, err := tx.ExecContext(ctx, `INSERT INTO UM_USER (UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_SALT_VALUE, UM_TENANT_ID)
			VALUES (?, ?, ?, ?, ?)`, uuid.NewString(), u.Name, HashPassword(u.Password, salt), salt, tenantID); err != nil {
			return fmt.Errorf("provision user %s: %w", u.Name, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	return nil
}
