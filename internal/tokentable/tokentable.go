// Package tokentable names the tables in which WSO2 API Manager and WSO2
// Identity Server keep OAuth2 tokens, and creates API Manager's generation 4.3
// of them with all their primary, unique and secondary indexes.
//
// It knows names and definitions only: it reads no rows, opens no connection
// and refuses to touch a table that is already there.
//
//	db.ExecContext(ctx, "CREATE DATABASE apimdb CHARACTER SET latin1")
//	// on a connection whose database is apimdb:
//	err := tokentable.Create(ctx, db)
package tokentable

import "slices"

// Tables that hold tokens, authorization codes and revocations in API Manager.
const (
	AccessToken                 = "IDN_OAUTH2_ACCESS_TOKEN"
	AccessTokenScope            = "IDN_OAUTH2_ACCESS_TOKEN_SCOPE"
	AccessTokenAudit            = "IDN_OAUTH2_ACCESS_TOKEN_AUDIT"
	AuthorizationCode           = "IDN_OAUTH2_AUTHORIZATION_CODE"
	AuthorizationCodeScope      = "IDN_OAUTH2_AUTHZ_CODE_SCOPE"
	InvalidTokens               = "IDN_INVALID_TOKENS"
	AppRevokedEvent             = "IDN_APP_REVOKED_EVENT"
	SubjectEntityRevokedEvent   = "IDN_SUBJECT_ENTITY_REVOKED_EVENT"
	AMAppRevokedEvent           = "AM_APP_REVOKED_EVENT"
	AMSubjectEntityRevokedEvent = "AM_SUBJECT_ENTITY_REVOKED_EVENT"
	RevokedJWT                  = "AM_REVOKED_JWT"
)

// Tables that only Identity Server's variant of token persistence uses; API
// Manager's own definitions have none of them.
const (
	ISRefreshToken        = "IDN_OAUTH2_REFRESH_TOKEN"
	ISRefreshTokenScope   = "IDN_OAUTH2_REFRESH_TOKEN_SCOPE"
	ISRefreshTokenBinding = "IDN_OAUTH2_REFRESH_TOKEN_BINDING"
	ISRevokedTokens       = "IDN_OAUTH2_REVOKED_TOKENS"
)

// Tables that the statements of a token request read besides the token tables.
const (
	ConsumerApps     = "IDN_OAUTH_CONSUMER_APPS"
	IdentityProvider = "IDP"
	User             = "UM_USER"
)

// CreatedIndex is the index on TIME_CREATED, the only one of the access-token
// table that supports a time window.
const CreatedIndex = "IDX_TC"

// Watched lists, sorted, every table that grows or shrinks with tokens and that
// a monitor may report on, in both products' variants. A database holds a
// subset of them.
func Watched() []string {
	names := []string{
		AccessToken, AccessTokenScope, AccessTokenAudit,
		AuthorizationCode, AuthorizationCodeScope,
		InvalidTokens, AppRevokedEvent, SubjectEntityRevokedEvent,
		AMAppRevokedEvent, AMSubjectEntityRevokedEvent, RevokedJWT,
		ISRefreshToken, ISRefreshTokenScope, ISRefreshTokenBinding, ISRevokedTokens,
	}
	slices.Sort(names)
	return names
}
