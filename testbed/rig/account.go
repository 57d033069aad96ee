package rig

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// exporterUser is the account of the exporter on a private server.
const exporterUser = "exporter"

// visible names, per table, the columns the exporter may read: the three of the
// access-token table that it counts rows by, and of every other table a key
// without meaning, which makes the table's size visible. No token, hash, user
// or consumer key is among them.
func visible() []struct{ table, columns string } {
	return []struct{ table, columns string }{
		{tokentable.AccessToken, "TOKEN_ID, GRANT_TYPE, TIME_CREATED"},
		{tokentable.AccessTokenScope, "TOKEN_ID"},
		{tokentable.AccessTokenAudit, "ID"},
		{tokentable.AuthorizationCode, "CODE_ID"},
		{tokentable.AuthorizationCodeScope, "CODE_ID"},
		{tokentable.InvalidTokens, "UUID"},
		{tokentable.AppRevokedEvent, "EVENT_ID"},
		{tokentable.SubjectEntityRevokedEvent, "EVENT_ID"},
		{tokentable.AMAppRevokedEvent, "TIME_REVOKED"},
		{tokentable.AMSubjectEntityRevokedEvent, "TIME_REVOKED"},
		{tokentable.RevokedJWT, "UUID"},
	}
}

// exporterAccount returns the settings the exporter connects with. On a private
// server they are those of an account of its own with the least privileges; on
// a server of the user's they are the user's, since nobody asked us to create
// accounts there.
func (d *database) exporterAccount(ctx context.Context) (*mysql.Config, error) {
	config := d.config.Clone()
	if !d.own {
		return config, nil
	}
	config.User, config.Passwd = exporterUser, rand.Text()
	account := "'" + config.User + "'@'127.0.0.1'"
	statements := []string{
		"CREATE USER " + account + " IDENTIFIED BY '" + config.Passwd + "' WITH MAX_USER_CONNECTIONS 3",
		"GRANT SELECT ON performance_schema.table_io_waits_summary_by_table TO " + account,
	}
	for _, v := range visible() {
		statements = append(statements, fmt.Sprintf("GRANT SELECT (%s) ON %s.%s TO %s", v.columns, quote(config.DBName), v.table, account))
	}
	for _, statement := range statements {
		if _, err := d.db.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("create the exporter's account: %w", err)
		}
	}
	return config, nil
}
