package tokentable

import "testing"

func TestPartition(t *testing.T) {
	for name, want := range map[string]string{
		"IDN_OAUTH2_ACCESS_TOKEN":          "",
		"IDN_OAUTH2_ACCESS_TOKEN_":         "",
		"IDN_OAUTH2_ACCESS_TOKEN_AUDIT":    "",
		"IDN_OAUTH2_ACCESS_TOKEN_SCOPE":    "",
		"IDN_OAUTH2_ACCESS_TOKEN_SCOPE_A":  "",
		"IDN_OAUTH2_ACCESS_TOKENS":         "",
		"BAK_IDN_OAUTH2_ACCESS_TOKEN_A":    "",
		"IDN_OAUTH2_ACCESS_TOKEN_A":        "A",
		"IDN_OAUTH2_ACCESS_TOKEN_AUDITORS": "AUDITORS",
		"IDN_OAUTH2_ACCESS_TOKEN_B_SCOPE":  "B_SCOPE",
	} {
		domain, ok := Partition(name)
		if domain != want || ok != (want != "") {
			t.Errorf("Partition(%s) = %q, %v; want %q", name, domain, ok, want)
		}
	}
}

func TestScopePartition(t *testing.T) {
	for name, want := range map[string]string{
		"IDN_OAUTH2_ACCESS_TOKEN_SCOPE":   "",
		"IDN_OAUTH2_ACCESS_TOKEN_SCOPE_":  "",
		"IDN_OAUTH2_ACCESS_TOKEN_A":       "",
		"IDN_OAUTH2_ACCESS_TOKEN_SCOPE_A": "A",
	} {
		domain, ok := ScopePartition(name)
		if domain != want || ok != (want != "") {
			t.Errorf("ScopePartition(%s) = %q, %v; want %q", name, domain, ok, want)
		}
		if _, both := Partition(name); ok && both {
			t.Errorf("%s is a partition of both tables", name)
		}
	}
}
