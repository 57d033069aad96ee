package tokentable

// Index is an index that a product's definitions give to a table.
type Index struct {
	Name    string
	Columns []string
}

// Indexes returns the indexes that every generation of the product's
// definitions gives to the table, which a partition shares; nil for a table that is not watched. Those that only some generations
// have are left out, with one exception: IDX_TOKEN_CONSUMER of IDN_INVALID_TOKENS,
// without which every refresh scans the table (see schema.sql).
func Indexes(table string) []Index {
	if _, partition := Partition(table); partition {
		table = AccessToken
	}
	if _, partition := ScopePartition(table); partition {
		table = AccessTokenScope
	}
	primary := func(columns ...string) Index { return Index{"PRIMARY", columns} }
	switch table {
	case AccessToken:
		return []Index{
			primary("TOKEN_ID"),
			{"CON_APP_KEY", []string{
				"CONSUMER_KEY_ID", "AUTHZ_USER", "TENANT_ID", "USER_DOMAIN", "USER_TYPE",
				"TOKEN_SCOPE_HASH", "TOKEN_STATE", "TOKEN_STATE_ID", "IDP_ID", "TOKEN_BINDING_REF",
			}},
			{CreatedIndex, []string{"TIME_CREATED"}},
			{"IDX_ATH", []string{"ACCESS_TOKEN_HASH"}},
			{"IDX_AT_TI_UD", []string{"AUTHZ_USER", "TENANT_ID", "TOKEN_STATE", "USER_DOMAIN"}},
			{"IDX_AT_RTH", []string{"REFRESH_TOKEN_HASH"}},
			{"IDX_AT_CKID_AU_TID_UD_TSH_TS", []string{
				"CONSUMER_KEY_ID", "AUTHZ_USER", "TENANT_ID", "USER_DOMAIN", "TOKEN_SCOPE_HASH", "TOKEN_STATE",
			}},
		}
	case AccessTokenScope:
		return []Index{primary("TOKEN_ID", "TOKEN_SCOPE")}
	case AccessTokenAudit:
		return []Index{primary("ID")}
	case AuthorizationCode:
		return []Index{
			primary("CODE_ID"),
			{"IDX_AUTHORIZATION_CODE_HASH", []string{"AUTHORIZATION_CODE_HASH", "CONSUMER_KEY_ID"}},
			{"IDX_AUTHORIZATION_CODE_AU_TI", []string{"AUTHZ_USER", "TENANT_ID", "USER_DOMAIN", "STATE"}},
			{"IDX_AC_CKID", []string{"CONSUMER_KEY_ID"}},
			{"IDX_AC_TID", []string{"TOKEN_ID"}},
		}
	case AuthorizationCodeScope:
		return []Index{primary("CODE_ID", "SCOPE")}
	case AppRevokedEvent, SubjectEntityRevokedEvent:
		return []Index{primary("EVENT_ID")}
	case AMAppRevokedEvent:
		return []Index{primary("CONSUMER_KEY", "ORGANIZATION")}
	case AMSubjectEntityRevokedEvent:
		return []Index{primary("ENTITY_ID", "ENTITY_TYPE", "ORGANIZATION")}
	case RevokedJWT:
		return []Index{primary("UUID")}
	case InvalidTokens, ISRevokedTokens:
		return []Index{primary("UUID"), {"IDX_TOKEN_CONSUMER", []string{"TOKEN_IDENTIFIER", "CONSUMER_KEY"}}}
	case ISRefreshToken:
		return []Index{
			primary("REFRESH_TOKEN_ID"),
			{"IDX_REFRESH_TOKEN_HASH", []string{"REFRESH_TOKEN_HASH"}},
			{"IDX_AUTHZ_USER_TENANT_DOMAIN_STATE", []string{"AUTHZ_USER", "TENANT_ID", "USER_DOMAIN", "TOKEN_STATE"}},
			{"IDX_CONSUMER_KEY_STATE", []string{"CONSUMER_KEY_ID", "TOKEN_STATE"}},
			{"IDX_CONSUMER_USER_SCOPE_IDP", []string{
				"CONSUMER_KEY_ID", "AUTHZ_USER", "TENANT_ID", "USER_DOMAIN", "TOKEN_SCOPE_HASH", "TOKEN_STATE", "IDP_ID",
			}},
		}
	case ISRefreshTokenScope:
		return []Index{primary("REFRESH_TOKEN_ID", "TOKEN_SCOPE")}
	}
	return nil
}
