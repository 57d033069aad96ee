package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRights(t *testing.T) {
	for line, want := range map[string][]string{
		"GRANT USAGE ON *.* TO `e`@`%` IDENTIFIED BY PASSWORD '*7B9E'":                     nil,
		"GRANT SELECT, PROCESS ON *.* TO `e`@`%`":                                          {"SELECT ON *.*", "PROCESS ON *.*"},
		"GRANT ALL PRIVILEGES ON `apim\\_db`.* TO `e`@`%` WITH GRANT OPTION":               {"ALL PRIVILEGES ON `apim\\_db`.*"},
		"GRANT SELECT, SELECT (`A`, `b,) ON ``c`), REFERENCES (`A`) ON `s`.`t` TO `e`@`%`": {"SELECT ON `s`.`t`", "SELECT (A, b,) ON `c) ON `s`.`t`", "REFERENCES (A) ON `s`.`t`"},
		"GRANT SELECT (`A`, `b``c`), REFERENCES (`A`), INSERT ON `s``.`.`t` TO `e`@`%`":    {"SELECT (A, b`c) ON `s``.`.`t`", "REFERENCES (A) ON `s``.`.`t`", "INSERT ON `s``.`.`t`"},
		"GRANT SELECT (a), SHOW VIEW ON s.t TO 'e'@'%'":                                    {"SELECT (a) ON `s`.`t`", "SHOW VIEW ON `s`.`t`"},
		"GRANT EXECUTE ON PROCEDURE `s`.`p` TO `e`@`%`":                                    {"EXECUTE ON `s`.`p`"},
		"GRANT `r1`@`%` TO `e`@`127.0.0.1`":                                                nil,
		"GRANT PROXY ON ``@`%` TO 'root'@'localhost' WITH GRANT OPTION":                    nil,
		"GRANT APPLICATION_PASSWORD_ADMIN,AUDIT_ABORT_EXEMPT ON *.* TO `root`@`localhost`": {"APPLICATION_PASSWORD_ADMIN ON *.*", "AUDIT_ABORT_EXEMPT ON *.*"},
	} {
		var got []string
		for _, r := range parseRights([]string{line}) {
			got = append(got, r.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
}

func TestLikeSchema(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"apimdb", "apimdb", true}, {"apim_db", "apim_db", true}, {`apim\_db`, "apim_db", true}, {`apim\_db`, "apimxdb", false},
		{"apim_db", "apimxdb", true}, {"apim%", "apimdb", true}, {"%db", "apimdb", true}, {"%x%", "apimdb", false},
		{"%", "", true}, {"a", "", false}, {"", "a", false}, {`a\`, `a\`, true}, {"a__", "ab", false},
	} {
		if got := likeSchema(c.pattern, c.name); got != c.want {
			t.Errorf("likeSchema(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestQuoteAccount(t *testing.T) {
	for account, want := range map[string]string{
		"exporter@10.0.0.7":         "'exporter'@'10.0.0.7'",
		"a@b@%":                     "'a@b'@'%'",
		"o'brien@localhost":         "`o'brien`@'localhost'",
		"a`; DROP@h":                "`a``; DROP`@'h'",
		`a\@h`:                      "`a\\`@'h'",
		"e@192.168.0.0/255.255.0.0": "'e'@'192.168.0.0/255.255.0.0'",
	} {
		if got := quoteAccount(account); got != want {
			t.Errorf("%s: %s, want %s", account, got, want)
		}
	}
}

func TestMergeNeeds(t *testing.T) {
	s := &Session{Schema: "apim_db", account: "'e'@'h'"}
	var got []string
	for _, n := range MergeNeeds([]Need{
		{Privilege: "SELECT", Table: "T", Columns: []string{"A", "B"}},
		{Privilege: "SHOW VIEW"},
		{Privilege: "SELECT", Table: "T", Columns: []string{"B", "C"}},
		{Privilege: "SELECT", Table: "T", Columns: []string{"C", "D"}, Optional: "something"},
		{Privilege: "SELECT", Table: "T", Columns: []string{"A"}, Optional: "something else"},
		{Privilege: "PROCESS", Schema: "*", Optional: "more"},
		{Privilege: "SHOW VIEW"},
	}) {
		got = append(got, s.Grant(n))
	}
	want := []string{
		"GRANT SHOW VIEW ON `apim\\_db`.* TO 'e'@'h'",
		"GRANT SELECT (A, B, C) ON `apim_db`.`T` TO 'e'@'h'",
		"GRANT SELECT (D) ON `apim_db`.`T` TO 'e'@'h'",
		"GRANT PROCESS ON *.* TO 'e'@'h'",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
