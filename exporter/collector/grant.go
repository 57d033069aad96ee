package collector

// grantOther stands for every grant type outside grantTypes, so that custom
// grants, odd spellings and NULL cannot grow the number of series.
const grantOther = "other"

// grantTypes are the values of GRANT_TYPE that API Manager and Identity Server
// write themselves. A row made by the refresh grant says refresh_token.
var grantTypes = [...]string{
	"authorization_code",
	"client_credentials",
	"device_code",
	"implicit",
	"iwa:ntlm",
	"organization_switch",
	"password",
	"refresh_token",
	"urn:ietf:params:oauth:grant-type:device_code",
	"urn:ietf:params:oauth:grant-type:jwt-bearer",
	"urn:ietf:params:oauth:grant-type:saml2-bearer",
	"urn:ietf:params:oauth:grant-type:token-exchange",
	"urn:openid:params:grant-type:ciba",
	grantOther,
}

// grantIndex returns the position of a raw column value in grantTypes, byte by
// byte as API Manager compares it: another spelling is another grant type.
func grantIndex(raw []byte) int {
	for i, known := range grantTypes {
		if string(raw) == known {
			return i
		}
	}
	return len(grantTypes) - 1
}
