package collector

import (
	"strings"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// statementPurpose is why a kind of statement is there. The persistence tax is
// the share of the purpose persistence; unclear and transaction only widen its
// upper end.
type statementPurpose string

const (
	purposePersistence       statementPurpose = "persistence"        // gone when token persistence is switched off
	purposeUnclear           statementPurpose = "unclear"            // on a token table, by whom and what for we cannot tell
	purposeRevocation        statementPurpose = "revocation"         // with persistence on too, and the only writes with it off
	purposeAuthorizationCode statementPurpose = "authorization_code" // with persistence on and off
	purposeTransaction       statementPurpose = "transaction"        // of whatever was written in the token schema
	purposeMonitoring        statementPurpose = "monitoring"         // our own statements, and what looks like them
)

// statementKind is what a statement does, as an index into statementKinds.
type statementKind int

// The kinds in the order of the table below; kindNone is no statement of ours.
const (
	kindNone statementKind = iota
	kindInsertToken
	kindInsertScope
	kindSelectLatest
	kindSelectByRefreshToken
	kindSelectByAccessToken
	kindSelectToken
	kindDeactivate
	kindAuditCopy
	kindDeleteToken
	kindCleanup
	kindRefreshTokenTable
	kindOtherToken
	kindInsertInvalidToken
	kindRevocationCheck
	kindRevokeJWT
	kindRevocationEvent
	kindOtherRevocation
	kindInsertCode
	kindSelectCode
	kindOtherCode
	kindCommit
	kindTransactionControl
	kindMonitor
	kindCount
)

// statementKinds names every kind and says what it is for: the values of the
// labels kind and purpose.
var statementKinds = [kindCount]struct {
	name    string
	purpose statementPurpose
}{
	kindInsertToken:          {"insert_token", purposePersistence},
	kindInsertScope:          {"insert_scope", purposePersistence},
	kindSelectLatest:         {"select_latest", purposePersistence},
	kindSelectByRefreshToken: {"select_by_refresh_token", purposePersistence},
	kindSelectByAccessToken:  {"select_by_access_token", purposePersistence},
	kindSelectToken:          {"select_token", purposePersistence},
	kindDeactivate:           {"deactivate", purposePersistence},
	kindAuditCopy:            {"audit_copy", purposePersistence},
	kindDeleteToken:          {"delete_token", purposePersistence},
	kindCleanup:              {"cleanup", purposePersistence},
	kindRefreshTokenTable:    {"refresh_token_table", purposePersistence}, // Identity Server keeps refresh tokens apart
	kindOtherToken:           {"other_token", purposeUnclear},
	kindInsertInvalidToken:   {"insert_invalid_token", purposeRevocation},
	kindRevocationCheck:      {"revocation_check", purposeRevocation},
	kindRevokeJWT:            {"revoke_jwt", purposeRevocation},
	kindRevocationEvent:      {"revocation_event", purposeRevocation},
	kindOtherRevocation:      {"other_revocation", purposeRevocation},
	kindInsertCode:           {"insert_authorization_code", purposeAuthorizationCode},
	kindSelectCode:           {"select_authorization_code", purposeAuthorizationCode},
	kindOtherCode:            {"other_authorization_code", purposeAuthorizationCode},
	kindCommit:               {"commit", purposeTransaction},
	kindTransactionControl:   {"transaction", purposeTransaction},
	kindMonitor:              {"monitoring", purposeMonitoring},
}

// tableGroup is what the tables of a statement are to us.
type tableGroup int

const (
	groupNone tableGroup = iota
	groupTokens
	groupScopes
	groupAudit
	groupBackups
	groupRefreshTokens
	groupOtherTokenTables
	groupCodes
	groupInvalidTokens
	groupRevokedJWT
	groupRevokedEvents
	groupCount
)

// statementGroups lists the tables by exact name; see groupOf for partitions.
var statementGroups = map[string]tableGroup{
	tokentable.AccessToken:      groupTokens,
	tokentable.AccessTokenScope: groupScopes,
	tokentable.AccessTokenAudit: groupAudit,
	// Tables that hang on a token and that no other collector knows.
	"IDN_OAUTH2_TOKEN_BINDING":                    groupOtherTokenTables,
	"IDN_OAUTH2_ACCESS_TOKEN_EXTENDED_ATTRIBUTES": groupOtherTokenTables,
	tokentable.ISRefreshToken:                     groupRefreshTokens,
	tokentable.ISRefreshTokenScope:                groupRefreshTokens,
	tokentable.ISRefreshTokenBinding:              groupRefreshTokens,
	tokentable.AuthorizationCode:                  groupCodes,
	tokentable.AuthorizationCodeScope:             groupCodes,
	tokentable.InvalidTokens:                      groupInvalidTokens,
	tokentable.ISRevokedTokens:                    groupInvalidTokens,
	tokentable.RevokedJWT:                         groupRevokedJWT,
	tokentable.AppRevokedEvent:                    groupRevokedEvents,
	tokentable.SubjectEntityRevokedEvent:          groupRevokedEvents,
	tokentable.AMAppRevokedEvent:                  groupRevokedEvents,
	tokentable.AMSubjectEntityRevokedEvent:        groupRevokedEvents,
}

// groupOf returns the group of a table by its name in upper case. The copies
// that WSO2's cleanup procedure makes are the name of a table behind a prefix.
func groupOf(name string) tableGroup {
	if g, ok := statementGroups[name]; ok {
		return g
	}
	for _, prefix := range []string{"BAK_", "AUDITLOG_"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && groupOf(strings.TrimSuffix(rest, "_CLEANUP")) != groupNone {
			return groupBackups
		}
	}
	if strings.HasPrefix(name, tokentable.AccessTokenScope+"_") {
		return groupScopes
	}
	if _, ok := tokentable.Partition(name); ok {
		return groupTokens
	}
	return groupNone
}

// kindRule gives a kind to the statements with one of its verbs whose first
// token table, or the one written to, is of the group, and which compare or set
// one of the columns where any is named.
type kindRule struct {
	kind    statementKind
	verbs   string
	group   tableGroup
	columns string
}

// statementRules are tried from the top. A statement on a token table that none
// fits is of the kind restKinds says.
var statementRules = []kindRule{
	{kindInsertToken, "INSERT REPLACE", groupTokens, ""},
	{kindInsertScope, "INSERT REPLACE", groupScopes, ""},
	{kindAuditCopy, "INSERT REPLACE", groupAudit, ""},
	{kindSelectByRefreshToken, "SELECT", groupTokens, "REFRESH_TOKEN_HASH REFRESH_TOKEN"},
	{kindSelectByAccessToken, "SELECT", groupTokens, "ACCESS_TOKEN_HASH ACCESS_TOKEN"},
	{kindSelectLatest, "SELECT", groupTokens, "TOKEN_SCOPE_HASH"},
	{kindSelectToken, "SELECT", groupTokens, "TOKEN_ID CONSUMER_KEY_ID CONSUMER_KEY AUTHZ_USER"},
	{kindSelectToken, "SELECT", groupScopes, "TOKEN_ID"},
	{kindDeactivate, "UPDATE", groupTokens, "TOKEN_STATE"},
	{kindDeleteToken, "DELETE", groupTokens, "TOKEN_ID ACCESS_TOKEN_HASH ACCESS_TOKEN"},
	{kindDeleteToken, "DELETE", groupScopes, "TOKEN_ID"},
	{kindCleanup, "DELETE TRUNCATE OPTIMIZE", groupTokens, ""},
	{kindCleanup, "DELETE TRUNCATE OPTIMIZE", groupScopes, ""},
	{kindCleanup, "DELETE TRUNCATE OPTIMIZE", groupAudit, ""},
	{kindCleanup, "INSERT REPLACE SELECT DELETE CREATE DROP TRUNCATE OPTIMIZE", groupBackups, ""},
	{kindRefreshTokenTable, "INSERT REPLACE SELECT UPDATE DELETE", groupRefreshTokens, ""},
	{kindInsertInvalidToken, "INSERT REPLACE", groupInvalidTokens, ""},
	{kindRevocationCheck, "SELECT", groupInvalidTokens, "TOKEN_IDENTIFIER"},
	{kindRevocationCheck, "SELECT", groupRevokedEvents, "CONSUMER_KEY ENTITY_ID"},
	{kindRevokeJWT, "INSERT REPLACE", groupRevokedJWT, ""},
	{kindRevocationEvent, "INSERT REPLACE UPDATE", groupRevokedEvents, ""},
	{kindInsertCode, "INSERT REPLACE", groupCodes, ""},
	{kindSelectCode, "SELECT", groupCodes, ""},
}

// restKinds is the kind of a statement on a table of the group that no rule fits.
var restKinds = [groupCount]statementKind{
	groupTokens: kindOtherToken, groupScopes: kindOtherToken, groupAudit: kindOtherToken, groupBackups: kindOtherToken,
	groupRefreshTokens: kindOtherToken, groupOtherTokenTables: kindOtherToken,
	groupCodes: kindOtherCode, groupInvalidTokens: kindOtherRevocation, groupRevokedJWT: kindOtherRevocation, groupRevokedEvents: kindOtherRevocation,
}

// cleanupProcedure is WSO2's batch cleanup; the statements inside a procedure
// have no digests of their own.
const cleanupProcedure = "WSO2_TOKEN_CLEANUP_SP"
