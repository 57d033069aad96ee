package tokentable

// Common lists the tables of Watched that every generation of both products has.
func Common() []string {
	return []string{AccessToken, AccessTokenScope, AccessTokenAudit, AuthorizationCode, AuthorizationCodeScope}
}
