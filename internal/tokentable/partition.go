package tokentable

import "strings"

// Partition reports whether name, in upper case, is a partition of the
// access-token table for a user store, as API Manager has them when access-token
// partitioning is on, and for which user-store domain. The audit table and the
// scope tables are no partitions.
func Partition(name string) (domain string, ok bool) {
	domain, ok = strings.CutPrefix(name, AccessToken+"_")
	if !ok || domain == "" || name == AccessTokenAudit || name == AccessTokenScope || strings.HasPrefix(name, AccessTokenScope+"_") {
		return "", false
	}
	return domain, true
}

// ScopePartition reports whether name, in upper case, is the scope table beside
// a partition, and of which user-store domain. A user store called SCOPE_A
// cannot be told from the scopes of user store A: its table counts as those.
func ScopePartition(name string) (domain string, ok bool) {
	domain, ok = strings.CutPrefix(name, AccessTokenScope+"_")
	if !ok || domain == "" {
		return "", false
	}
	return domain, true
}
