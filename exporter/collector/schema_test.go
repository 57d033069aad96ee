package collector

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// lookAt makes one pass of a fresh schema collector.
func lookAt(t *testing.T, d Database) (got map[string]float64, notes []string) {
	t.Helper()
	metrics, notes, err := NewSchema(time.Hour, newBackground(t, d), &Tables{}).pass(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return collectortest.Values(t, metrics), notes
}

func indexName(index, table string) string {
	return "wso2_token_schema_index_present{" + index + "," + table + "}"
}

const refreshIndex = "wso2_token_schema_index_present{IDX_AT_RTH,IDN_OAUTH2_ACCESS_TOKEN}"

func TestSchemaIndexes(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_PARTNERS LIKE IDN_OAUTH2_ACCESS_TOKEN")
	exec(t, db, "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN_PARTNERS DROP INDEX IDX_ATH")
	exec(t, db, "RENAME TABLE AM_REVOKED_JWT TO am_revoked_jwt")
	d := account(server, schema)
	got, _ := lookAt(t, d)
	checkValues(t, got, map[string]float64{"schema_info{api_manager,4.3}": 1})
	tables := []string{tokentable.AccessToken + "_PARTNERS"}
	for _, table := range tokentable.Watched() {
		if !strings.HasPrefix(table, "IDN_OAUTH2_RE") {
			tables = append(tables, table)
		}
	}
	expected := 0
	for _, table := range tables {
		for _, index := range tokentable.Indexes(table) {
			expected++
			want := 1.0
			if index.Name == "IDX_ATH" && table != tokentable.AccessToken {
				want = 0
			}
			if v, ok := got[indexName(index.Name, table)]; !ok || v != want {
				t.Errorf("%s of %s: %v (there: %v), want %v", index.Name, table, v, ok, want)
			}
		}
	}
	shown := 0
	for name := range got {
		if strings.Contains(name, "index_present") {
			shown++
		}
	}
	if shown != expected {
		t.Errorf("%d indexes are shown, want %d", shown, expected)
	}

	exec(t, db, "DROP INDEX IDX_AT_RTH ON IDN_OAUTH2_ACCESS_TOKEN")
	if got, _ = lookAt(t, d); got[refreshIndex] != 0 {
		t.Error("a missing index does not show")
	}
	exec(t, db, "CREATE INDEX OTHER_NAME ON IDN_OAUTH2_ACCESS_TOKEN (REFRESH_TOKEN_HASH, TENANT_ID)")
	if got, _ = lookAt(t, d); got[refreshIndex] != 1 {
		t.Error("an index under another name does not count")
	}
	ignore := map[string]string{flavorMySQL: "INVISIBLE", flavorMariaDB: "IGNORED"}[server.Flavor]
	exec(t, db, "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN ALTER INDEX OTHER_NAME "+ignore)
	if got, _ = lookAt(t, d); got[refreshIndex] != 0 {
		t.Error("an index that the optimizer ignores counts")
	}
	exec(t, db, "CREATE INDEX IDX_AT_RTH ON IDN_OAUTH2_ACCESS_TOKEN (TENANT_ID)")
	if got, _ = lookAt(t, d); got[refreshIndex] != 0 {
		t.Error("the name of an index over another column is enough")
	}
}

func TestSchemaProducts(t *testing.T) {
	const (
		isRefresh     = "CREATE TABLE IDN_OAUTH2_REFRESH_TOKEN (REFRESH_TOKEN_ID VARCHAR(255) PRIMARY KEY, REFRESH_TOKEN VARCHAR(2048), REFRESH_TOKEN_HASH VARCHAR(512))"
		withoutEvents = "DROP TABLE IDN_INVALID_TOKENS, IDN_APP_REVOKED_EVENT, IDN_SUBJECT_ENTITY_REVOKED_EVENT, AM_APP_REVOKED_EVENT, AM_SUBJECT_ENTITY_REVOKED_EVENT"
	)
	for name, c := range map[string]struct {
		change []string
		want   string
	}{
		"later":    {nil, "api_manager,4.3"},
		"earlier":  {[]string{withoutEvents}, "api_manager,4.2"},
		"is5":      {[]string{withoutEvents, "DROP TABLE AM_REVOKED_JWT", isRefresh}, "identity_server,5.11"},
		"is7":      {[]string{withoutEvents, "DROP TABLE AM_REVOKED_JWT", isRefresh, "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN ADD COLUMN AUTHORIZED_ORGANIZATION VARCHAR(36) NOT NULL DEFAULT 'NONE'"}, "identity_server,7"},
		"anything": {[]string{withoutEvents, "DROP TABLE AM_REVOKED_JWT"}, "unknown,unknown"},
		"lower":    {[]string{withoutEvents, "RENAME TABLE AM_REVOKED_JWT TO am_revoked_jwt", "CREATE TABLE idn_invalid_tokens (UUID INT PRIMARY KEY)"}, "api_manager,4.3"},
	} {
		t.Run(name, func(t *testing.T) {
			server := sharedServer(t)
			schema, db := tokenDatabase(t, server)
			for _, statement := range c.change {
				exec(t, db, statement)
			}
			got, _ := lookAt(t, account(server, schema))
			checkValues(t, got, map[string]float64{"schema_info{" + c.want + "}": 1})
			if name == "is5" {
				checkValues(t, got, map[string]float64{"schema_index_present{PRIMARY,IDN_OAUTH2_REFRESH_TOKEN}": 1, "schema_index_present{IDX_REFRESH_TOKEN_HASH,IDN_OAUTH2_REFRESH_TOKEN}": 0})
			}
		})
	}
	server := sharedServer(t)
	_, _, err := NewSchema(time.Hour, newBackground(t, account(server, "nowhere")), &Tables{}).pass(soon(t))
	if ClassOf(err) != Schema || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a schema that is not there: %v", err)
	}
}

// TestSchemaSaysNothingOfTheInvisible: what our rights hide is absent, not 0,
// and the account that Needs asks for sees all of it.
func TestSchemaSaysNothingOfTheInvisible(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "DROP INDEX IDX_ATH ON IDN_OAUTH2_ACCESS_TOKEN")
	exec(t, db, "DROP INDEX IDX_AC_TID ON IDN_OAUTH2_AUTHORIZATION_CODE")
	d, quoted := grantee(t, server, schema)
	exec(t, db, "GRANT SELECT (TOKEN_ID, GRANT_TYPE, TIME_CREATED) ON "+schema+".IDN_OAUTH2_ACCESS_TOKEN TO "+quoted)
	exec(t, db, "GRANT SELECT (UUID) ON "+schema+".AM_REVOKED_JWT TO "+quoted)
	mariadb := server.Flavor == flavorMariaDB

	got, notes := lookAt(t, d)
	checkValues(t, got, map[string]float64{
		"schema_index_present{PRIMARY,IDN_OAUTH2_ACCESS_TOKEN}": 1, "schema_index_present{IDX_TC,IDN_OAUTH2_ACCESS_TOKEN}": 1,
		"schema_info{api_manager,unknown}": 1,
	})
	for index, want := range map[string]float64{"IDX_AT_RTH": 1, "IDX_ATH": 0, "CON_APP_KEY": 1} {
		v, ok := got[indexName(index, tokentable.AccessToken)]
		if ok == mariadb || ok && v != want {
			t.Errorf("%s: %v (there: %v)", index, v, ok)
		}
	}
	for _, kind := range excessKinds {
		checkValues(t, map[string]float64{"wso2_token_x": got["token_persistence_exporter_excess_privileges{"+kind+"}"]}, map[string]float64{"x": 0})
	}
	if len(notes) > 0 {
		t.Errorf("notes: %q", notes)
	}

	// A right on each of its columns makes an index visible, one on a part of them does not.
	exec(t, db, "GRANT REFERENCES (ACCESS_TOKEN_HASH, REFRESH_TOKEN_HASH, AUTHZ_USER, TENANT_ID) ON "+schema+".IDN_OAUTH2_ACCESS_TOKEN TO "+quoted)
	got, _ = lookAt(t, d)
	checkValues(t, got, map[string]float64{
		"schema_index_present{IDX_AT_RTH,IDN_OAUTH2_ACCESS_TOKEN}": 1, "schema_index_present{IDX_ATH,IDN_OAUTH2_ACCESS_TOKEN}": 0,
	})
	if _, ok := got[indexName("IDX_AT_TI_UD", tokentable.AccessToken)]; ok == mariadb {
		t.Errorf("IDX_AT_TI_UD, of which we may see two columns of four, is there: %v", ok)
	}

	grantNeeds(t, db, schema, quoted, NewSchema(time.Hour, nil, nil).Needs(nil))
	got, notes = lookAt(t, d)
	checkValues(t, got, map[string]float64{
		"schema_info{api_manager,4.3}": 1, "schema_index_present{IDX_AT_TI_UD,IDN_OAUTH2_ACCESS_TOKEN}": 1,
		"schema_index_present{IDX_AC_TID,IDN_OAUTH2_AUTHORIZATION_CODE}": 0,
		"schema_index_present{IDX_TOKEN_CONSUMER,IDN_INVALID_TOKENS}":    1, "schema_index_present{CON_APP_KEY,IDN_OAUTH2_ACCESS_TOKEN}": 1,
	})
	if len(notes) > 0 || got["token_persistence_exporter_excess_privileges{other}"] != 0 {
		t.Errorf("what we ask for is called too much: %v, %q", got, notes)
	}
}

func TestSchemaExcess(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	exec(t, db, "CREATE TABLE BAK_IDN_OAUTH2_ACCESS_TOKEN SELECT * FROM IDN_OAUTH2_ACCESS_TOKEN")
	d, quoted := grantee(t, server, schema)
	exec(t, db, "GRANT SHOW VIEW ON "+schema+".* TO "+quoted)
	role := "r_" + schema
	exec(t, db, "CREATE ROLE "+role)
	exec(t, db, "GRANT SELECT (ACCESS_TOKEN) ON "+schema+".BAK_IDN_OAUTH2_ACCESS_TOKEN TO "+role)
	defaultRole := map[string]string{flavorMySQL: " TO ", flavorMariaDB: " FOR "}[server.Flavor]
	steps := []struct {
		grant, revoke string
		kinds         []string
		words         string
	}{
		{"GRANT SELECT (CONSUMER_SECRET) ON " + schema + ".IDN_OAUTH_CONSUMER_APPS TO " + quoted, "SELECT (CONSUMER_SECRET) ON " + schema + ".IDN_OAUTH_CONSUMER_APPS", []string{"token_values"}, "CONSUMER_SECRET"},
		{"GRANT SELECT ON performance_schema.events_statements_history TO " + quoted, "SELECT ON performance_schema.events_statements_history", []string{"token_values"}, "SQL_TEXT"},
		{"GRANT SELECT ON performance_schema.threads TO " + quoted, "SELECT ON performance_schema.threads", []string{"token_values"}, "PROCESSLIST_INFO"},
		{"GRANT SELECT ON mysql.general_log TO " + quoted, "SELECT ON mysql.general_log", []string{"token_values"}, "mysql.general_log"},
		{"GRANT PROCESS ON *.* TO " + quoted, "PROCESS ON *.*", []string{"process"}, "PROCESS"},
		{"GRANT INSERT (TENANT_ID) ON " + schema + ".IDN_OAUTH2_ACCESS_TOKEN TO " + quoted, "INSERT (TENANT_ID) ON " + schema + ".IDN_OAUTH2_ACCESS_TOKEN", []string{"write"}, ""},
		{"GRANT FILE ON *.* TO " + quoted, "FILE ON *.*", []string{"other"}, ""},
		{"GRANT SELECT ON *.* TO " + quoted, "SELECT ON *.*", []string{"token_values"}, "ACCESS_TOKEN"},
		{"GRANT ALL ON " + schema + ".* TO " + quoted, "ALL PRIVILEGES ON " + schema + ".*", []string{"all", "token_values", "write"}, "other columns"},
		{"GRANT ALL ON *.* TO " + quoted, "ALL PRIVILEGES ON *.*", []string{"all", "other", "process", "token_values", "write"}, "ACCESS_TOKEN"},
		{"GRANT " + role + " TO " + quoted, role, []string{"token_values"}, "BAK_IDN_OAUTH2_ACCESS_TOKEN.ACCESS_TOKEN"},
	}
	for _, step := range steps {
		exec(t, db, step.grant)
		if step.revoke == role {
			exec(t, db, "SET DEFAULT ROLE "+role+defaultRole+quoted)
		}
		got, notes := lookAt(t, d)
		var kinds []string
		for _, kind := range excessKinds {
			if got["token_persistence_exporter_excess_privileges{"+kind+"}"] == 1 {
				kinds = append(kinds, kind)
			}
		}
		if !slices.Equal(kinds, step.kinds) {
			t.Errorf("%s: %v, want %v", step.grant, kinds, step.kinds)
		}
		if text := strings.Join(notes, "\n"); (step.words == "") != (text == "") || !strings.Contains(text, step.words) {
			t.Errorf("%s: notes %q", step.grant, notes)
		}
		exec(t, db, "REVOKE "+step.revoke+" FROM "+quoted)
		if strings.HasPrefix(step.revoke, "ALL") {
			exec(t, db, "GRANT SHOW VIEW ON "+schema+".* TO "+quoted)
		}
	}
}
