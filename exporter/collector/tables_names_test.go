package collector

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// checkNames holds that every statement works however the server spells the
// names, and that the labels are in upper case all the same. The tables hold no
// rows yet; table spells a name.
func checkNames(t *testing.T, d Database, db *sql.DB, table func(string) string) {
	t.Helper()
	exec(t, db, "CREATE TABLE "+table("IDN_OAUTH2_ACCESS_TOKEN_ACME")+" LIKE "+table("IDN_OAUTH2_ACCESS_TOKEN"))
	exec(t, db, "CREATE TABLE "+table("IDN_OAUTH2_ACCESS_TOKEN_SCOPE_ACME")+" LIKE "+table("IDN_OAUTH2_ACCESS_TOKEN_SCOPE"))
	tables := &Tables{}
	s := openSession(t, d)
	c := NewTokens(30*time.Second, newBackground(t, d), tables)
	collectTokens(t, c, s)
	insertInto(t, db, table("IDN_OAUTH2_ACCESS_TOKEN"), 3, 0)
	insertInto(t, db, table("IDN_OAUTH2_ACCESS_TOKEN_ACME"), 2, 0)
	if v := collectTokens(t, c, s); v[rowsOfPassword] != 5 || v["wso2_token_access_token_tables"] != 2 {
		t.Errorf("tokens: %v", v)
	}
	if err := c.background.Do(t.Context(), settleBudget, c.settlePass); err != nil {
		t.Error(err)
	}
	metrics, err := TableSize{tables}.Collect(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	sizes := collectortest.Values(t, metrics)
	if metrics, err = (TableIO{tables}).Collect(soon(t), s); err != nil {
		t.Fatal(err)
	}
	io := collectortest.Values(t, metrics)
	for _, name := range []string{"IDN_OAUTH2_ACCESS_TOKEN", "IDN_OAUTH2_ACCESS_TOKEN_ACME", "IDN_OAUTH2_ACCESS_TOKEN_SCOPE", "IDN_OAUTH2_ACCESS_TOKEN_SCOPE_ACME"} {
		if sizes["wso2_token_table_data_bytes{"+name+"}"] == 0 {
			t.Errorf("no size of %s: %v", name, sizes)
		}
		if _, ok := io["wso2_token_table_io_operations_total{insert,"+name+"}"]; !ok && !strings.Contains(name, "SCOPE") {
			t.Errorf("no operations of %s: %v", name, io)
		}
	}
	if n := io["wso2_token_table_io_operations_total{insert,IDN_OAUTH2_ACCESS_TOKEN_ACME}"]; n != 2 {
		t.Errorf("%v inserts into the partition, want 2", n)
	}
	exec(t, db, "ALTER TABLE "+table("IDN_OAUTH2_ACCESS_TOKEN")+" DROP KEY IDX_TC")
	if _, err := c.Collect(soon(t), s); ClassOf(err) != Guard || !strings.Contains(err.Error(), table("`IDN_OAUTH2_ACCESS_TOKEN`")) {
		t.Errorf("the index to create must be that of the table as it is called: %v", err)
	}
}

func TestNamesInLowerCase(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	for _, name := range tokentable.Watched() {
		if !strings.HasPrefix(name, "IDN_OAUTH2_RE") {
			exec(t, db, "RENAME TABLE "+name+" TO "+strings.ToLower(name))
		}
	}
	checkNames(t, account(server, schema), db, strings.ToLower)
}

// TestNamesWithoutCase: on a server with lower_case_table_names=1 everybody
// spells names as they like.
func TestNamesWithoutCase(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{LowerCaseNames: true})
	_, db := tokenDatabase(t, server)
	for _, schema := range []string{"t_testnameswithoutcase", "T_TestNamesWithoutCase"} {
		t.Run(schema, func(t *testing.T) {
			checkNames(t, account(server, schema), db, strings.ToLower)
			exec(t, db, "DROP TABLE IDN_OAUTH2_ACCESS_TOKEN_ACME, IDN_OAUTH2_ACCESS_TOKEN_SCOPE_ACME")
			exec(t, db, "CREATE INDEX IDX_TC ON IDN_OAUTH2_ACCESS_TOKEN (TIME_CREATED)")
		})
	}
}

// identityServer is what Identity Server adds when it keeps refresh tokens and
// no access tokens (docs-is, token persistence); columns that only it has.
var identityServer = []string{
	`CREATE TABLE IDN_OAUTH2_REFRESH_TOKEN (REFRESH_TOKEN_ID VARCHAR(255) NOT NULL, REFRESH_TOKEN VARCHAR(2048), CONSUMER_KEY_ID INTEGER,
 GRANT_TYPE VARCHAR(50), REFRESH_TOKEN_TIME_CREATED TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, REFRESH_TOKEN_VALIDITY_PERIOD BIGINT,
 TOKEN_STATE VARCHAR(25) DEFAULT 'ACTIVE', REFRESH_TOKEN_HASH VARCHAR(512), PRIMARY KEY (REFRESH_TOKEN_ID)) ENGINE=InnoDB`,
	`CREATE TABLE IDN_OAUTH2_REFRESH_TOKEN_SCOPE (REFRESH_TOKEN_ID VARCHAR(255) NOT NULL, TOKEN_SCOPE VARCHAR(100) NOT NULL,
 TENANT_ID INTEGER DEFAULT -1, PRIMARY KEY (REFRESH_TOKEN_ID, TOKEN_SCOPE)) ENGINE=InnoDB`,
	`CREATE TABLE IDN_OAUTH2_REVOKED_TOKENS (UUID VARCHAR(255) NOT NULL, TOKEN_IDENTIFIER VARCHAR(2048) NOT NULL, CONSUMER_KEY VARCHAR(255) NOT NULL,
 TIME_CREATED TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, EXPIRY_TIMESTAMP TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (UUID)) ENGINE=InnoDB`,
}

func TestIdentityServerTables(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	for _, statement := range identityServer {
		exec(t, db, statement)
	}
	exec(t, db, "INSERT INTO IDN_OAUTH2_REFRESH_TOKEN (REFRESH_TOKEN_ID) VALUES ('a'), ('b')")
	exec(t, db, "INSERT INTO IDN_OAUTH2_REVOKED_TOKENS (UUID, TOKEN_IDENTIFIER, CONSUMER_KEY) VALUES ('a', 'b', 'c')")
	tables, s := &Tables{}, openSession(t, account(server, schema))
	metrics, err := TableSize{tables}.Collect(soon(t), s)
	if err != nil {
		t.Fatal(err)
	}
	v := collectortest.Values(t, metrics)
	if metrics, err = (TableIO{tables}).Collect(soon(t), s); err != nil {
		t.Fatal(err)
	}
	io := collectortest.Values(t, metrics)
	for table, inserts := range map[string]float64{"IDN_OAUTH2_REFRESH_TOKEN": 2, "IDN_OAUTH2_REVOKED_TOKENS": 1} {
		if v["wso2_token_table_data_bytes{"+table+"}"] == 0 || io["wso2_token_table_io_operations_total{insert,"+table+"}"] != inserts {
			t.Errorf("%s: %v %v", table, v, io)
		}
	}
	if v["wso2_token_table_data_bytes{IDN_OAUTH2_REFRESH_TOKEN_SCOPE}"] == 0 {
		t.Errorf("no size of the scopes: %v", v)
	}
	if _, err := NewTokens(time.Second, newBackground(t, account(server, schema)), tables).Collect(soon(t), s); err != nil {
		t.Error(err)
	}
}
