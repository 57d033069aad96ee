package tokentable

import "slices"

// Common lists the tables of Watched that every generation of API Manager has.
func Common() []string {
	return []string{AccessToken, AccessTokenScope, AccessTokenAudit, AuthorizationCode, AuthorizationCodeScope, RevokedJWT}
}

// Varying lists the tables of Watched that only some generations or only
// Identity Server have, sorted.
func Varying() []string {
	return slices.DeleteFunc(Watched(), func(name string) bool { return slices.Contains(Common(), name) })
}
