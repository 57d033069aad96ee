package tokentable_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// keys are the indexes of carbon-apimgt's mysql.sql, by table and name.
func keys() map[string]map[string]string {
	return map[string]map[string]string{
		tokentable.AccessToken: {
			"PRIMARY": "unique TOKEN_ID",
			"CON_APP_KEY": "unique CONSUMER_KEY_ID,AUTHZ_USER,TENANT_ID,USER_DOMAIN,USER_TYPE,TOKEN_SCOPE_HASH," +
				"TOKEN_STATE,TOKEN_STATE_ID,IDP_ID,TOKEN_BINDING_REF",
			tokentable.CreatedIndex:        "TIME_CREATED",
			"IDX_ATH":                      "ACCESS_TOKEN_HASH",
			"IDX_AT_TI_UD":                 "AUTHZ_USER,TENANT_ID,TOKEN_STATE,USER_DOMAIN",
			"IDX_AT_RTH":                   "REFRESH_TOKEN_HASH",
			"IDX_AT_CKID_AU_TID_UD_TSH_TS": "CONSUMER_KEY_ID,AUTHZ_USER,TENANT_ID,USER_DOMAIN,TOKEN_SCOPE_HASH,TOKEN_STATE",
		},
		tokentable.AccessTokenScope: {"PRIMARY": "unique TOKEN_ID,TOKEN_SCOPE", "IDX_ATS_TID": "TOKEN_ID"},
		tokentable.AccessTokenAudit: {"PRIMARY": "unique ID"},
		tokentable.AuthorizationCode: {
			"PRIMARY":                      "unique CODE_ID",
			"IDX_AUTHORIZATION_CODE_HASH":  "AUTHORIZATION_CODE_HASH,CONSUMER_KEY_ID",
			"IDX_AUTHORIZATION_CODE_AU_TI": "AUTHZ_USER,TENANT_ID,USER_DOMAIN,STATE",
			"IDX_AC_CKID":                  "CONSUMER_KEY_ID",
			"IDX_AC_TID":                   "TOKEN_ID",
		},
		tokentable.AuthorizationCodeScope: {"PRIMARY": "unique CODE_ID,SCOPE"},
		tokentable.ConsumerApps: {
			"PRIMARY": "unique ID", "CONSUMER_KEY_CONSTRAINT": "unique CONSUMER_KEY",
			"IDX_OCA_UM_TID_UD_APN": "USERNAME,TENANT_ID,USER_DOMAIN,APP_NAME",
		},
		tokentable.InvalidTokens:               {"PRIMARY": "unique UUID", "IDX_TOKEN_CONSUMER": "TOKEN_IDENTIFIER,CONSUMER_KEY"},
		tokentable.AppRevokedEvent:             {"PRIMARY": "unique EVENT_ID", "CON_APP_EVT_KEY": "unique CONSUMER_KEY,ORGANIZATION"},
		tokentable.SubjectEntityRevokedEvent:   {"PRIMARY": "unique EVENT_ID", "CON_SUB_EVT_KEY": "unique ENTITY_ID,ENTITY_TYPE,ORGANIZATION"},
		tokentable.AMAppRevokedEvent:           {"PRIMARY": "unique CONSUMER_KEY,ORGANIZATION"},
		tokentable.AMSubjectEntityRevokedEvent: {"PRIMARY": "unique ENTITY_ID,ENTITY_TYPE,ORGANIZATION"},
		tokentable.RevokedJWT:                  {"PRIMARY": "unique UUID"},
	}
}

func TestCreateMakesEveryTableAndIndex(t *testing.T) {
	db := mysqltest.Run(t, mysqltest.Config{SQLOnly: true}).Database(t, "apimdb")
	ctx := t.Context()
	if err := tokentable.Create(ctx, db); err != nil {
		t.Fatal(err)
	}
	got := readKeys(t, db)
	for table, want := range keys() {
		if diff := cmp.Diff(want, got[table]); diff != "" {
			t.Errorf("indexes of %s (-want +got):\n%s", table, diff)
		}
	}
	for _, name := range tokentable.Watched() {
		if _, there := got[name]; !there && !strings.HasPrefix(name, "IDN_OAUTH2_RE") {
			t.Errorf("watched table %s was not created", name)
		}
	}
	checkDefaults(ctx, t, db)

	err := tokentable.Create(ctx, db)
	if e, ok := errors.AsType[*mysql.MySQLError](err); !ok || e.Number != 1050 {
		t.Errorf("creating over existing tables gave %v, want error 1050", err)
	}
}

// readKeys returns "unique a,b" or "a,b" per table and index.
func readKeys(t *testing.T, db *sql.DB) map[string]map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE,
		GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) FROM information_schema.STATISTICS
		WHERE TABLE_SCHEMA = DATABASE() GROUP BY TABLE_NAME, INDEX_NAME, NON_UNIQUE`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]map[string]string{}
	for rows.Next() {
		var table, name, columns string
		var many bool
		if err := rows.Scan(&table, &name, &many, &columns); err != nil {
			t.Fatal(err)
		}
		if !many {
			columns = "unique " + columns
		}
		if out[table] == nil {
			out[table] = map[string]string{}
		}
		out[table][name] = columns
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// checkDefaults inserts the least a token row can have.
func checkDefaults(ctx context.Context, t *testing.T, db *sql.DB) {
	t.Helper()
	if _, err := db.ExecContext(ctx, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID) VALUES ('t')"); err != nil {
		t.Fatal(err)
	}
	var state, stateID, binding string
	var idp int
	if err := db.QueryRowContext(ctx, `SELECT TOKEN_STATE, TOKEN_STATE_ID, TOKEN_BINDING_REF, IDP_ID
		FROM IDN_OAUTH2_ACCESS_TOKEN`).Scan(&state, &stateID, &binding, &idp); err != nil {
		t.Fatal(err)
	}
	got := []any{state, stateID, binding, idp}
	if diff := cmp.Diff([]any{"ACTIVE", "NONE", "NONE", -1}, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN_SCOPE VALUES ('absent', 'default', -1)"); err == nil {
		t.Error("a scope without its token was accepted")
	}
}

func TestWatchedIsSortedAndDistinct(t *testing.T) {
	names := tokentable.Watched()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("not sorted or not distinct: %v", names)
	}
}
