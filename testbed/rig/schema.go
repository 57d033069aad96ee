package rig

import (
	"context"
	"fmt"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// marker is a table that says the testbed created the token tables beside it
// and may therefore drop them.
const marker = "TOKEN_PERSISTENCE_TESTBED"

// schema creates the token tables. Tables of an earlier testbed are replaced,
// anybody else's are used as they are, and only when the user said so.
func (d *database) schema(ctx context.Context, useExisting bool) error {
	tables, err := d.tables(ctx)
	if err != nil {
		return err
	}
	if tables[marker] {
		if err := d.drop(ctx); err != nil {
			return err
		}
	} else if tables[tokentable.AccessToken] || tables[tokentable.ConsumerApps] {
		if !useExisting {
			return fmt.Errorf("--dsn: database %s holds token tables that the testbed did not create: name an empty database, "+
				"or pass --dsn-use-existing to add tokens, applications and users to these tables (nothing is deleted)", d.config.DBName)
		}
		return nil
	}
	if _, err := d.db.ExecContext(ctx, "CREATE TABLE "+marker+" (CREATED TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"); err != nil {
		return fmt.Errorf("mark the database as the testbed's: %w", err)
	}
	return tokentable.Create(ctx, d.db)
}

// tables lists the tables of the database in upper case.
func (d *database) tables(ctx context.Context) (map[string]bool, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		out[strings.ToUpper(name)] = true
	}
	return out, rows.Err()
}

// drop removes the tables of an earlier testbed; its marker goes last.
func (d *database) drop(ctx context.Context) error {
	names := []string{
		tokentable.AuthorizationCodeScope, tokentable.AuthorizationCode, tokentable.AccessTokenScope, tokentable.AccessTokenAudit,
		tokentable.AccessToken, tokentable.ConsumerApps, tokentable.IdentityProvider, tokentable.User, tokentable.InvalidTokens,
		tokentable.AppRevokedEvent, tokentable.SubjectEntityRevokedEvent, tokentable.AMAppRevokedEvent,
		tokentable.AMSubjectEntityRevokedEvent, tokentable.RevokedJWT, marker,
	}
	for _, name := range names {
		if _, err := d.db.ExecContext(ctx, "DROP TABLE IF EXISTS "+name); err != nil {
			return fmt.Errorf("drop the tables of an earlier testbed: %w", err)
		}
	}
	return nil
}
