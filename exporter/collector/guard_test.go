package collector

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

func TestParseExplain(t *testing.T) {
	columns := []string{"TIME_CREATED"}
	for _, tc := range []struct {
		name, answer string
		want         access
		fails        bool
	}{
		{"mariadb", `{"query_block":{"select_id":1,"nested_loop":[{"table":{"table_name":"t","access_type":"range","key":"IDX_TC","used_key_parts":["TIME_CREATED"],"rows":30,"filtered":100}}]}}`,
			access{"range", "IDX_TC", columns, 30, false}, false},
		{"mariadb 10.3", `{"query_block":{"select_id":1,"table":{"access_type":"range","key":"IDX_TC","used_key_parts":["TIME_CREATED"],"rows":30}}}`,
			access{"range", "IDX_TC", columns, 30, false}, false},
		{"mariadb sort", `{"query_block":{"nested_loop":[{"read_sorted_file":{"filesort":{"sort_key":"x","table":{"access_type":"ALL","rows":4998}}}}]}}`,
			access{"ALL", "", nil, 4998, true}, false},
		{"mysql", `{"query_block":{"ordering_operation":{"using_filesort":false,"table":{"access_type":"range","key":"IDX_TC","used_key_parts":["TIME_CREATED"],"rows_examined_per_scan":7}}}}`,
			access{"range", "IDX_TC", columns, 7, false}, false},
		{"mysql sort", `{"query_block":{"ordering_operation":{"using_filesort":true,"table":{"access_type":"ALL","rows_examined_per_scan":7}}}}`,
			access{"ALL", "", nil, 7, true}, false},
		{"mysql version 2", `{"query_plan":{"access_type":"limit","inputs":[{"access_type":"index","index_access_type":"index_range_scan","index_name":"IDX_TC","key_columns":["TIME_CREATED"],"estimated_rows":1.0}]},"json_schema_version":"2.0"}`,
			access{"range", "IDX_TC", columns, 1, false}, false},
		{"mysql version 2 sort", `{"query_plan":{"access_type":"limit","inputs":[{"access_type":"sort","inputs":[{"access_type":"table","estimated_rows":4830.0}]}]}}`,
			access{"table ", "", nil, 4830, true}, false},
		{"two tables", `{"query_block":{"nested_loop":[{"table":{"rows":1}},{"table":{"rows":1}}]}}`, access{}, true},
		{"no table", `{"query_block":{"message":"Impossible WHERE"}}`, access{}, true},
		{"no estimate", `{"query_block":{"table":{"access_type":"range","key":"IDX_TC"}}}`, access{}, true},
		{"two inputs", `{"query_plan":{"inputs":[{"access_type":"table"},{"access_type":"table"}]}}`, access{}, true},
		{"another shape", `{"plan":[]}`, access{}, true},
		{"another type", `{"query_block":{"table":{"rows":"many"}}}`, access{}, true},
		{"no JSON", `-> Index range scan`, access{}, true},
		{"empty", ``, access{}, true},
	} {
		got, err := parseExplain([]byte(tc.answer))
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(access{})); diff != "" || (err != nil) != tc.fails {
			t.Errorf("%s: %v (-want +got):\n%s", tc.name, err, diff)
		}
	}
}

// TestGuard holds what rule 5 asks, for an account with the least rights: no
// window is read before the optimizer said how.
func TestGuard(t *testing.T) {
	server := sharedServer(t)
	for _, tc := range []struct {
		name, change string
		index        string // that is used; empty: refused
		says         string
	}{
		{"wso2", "SELECT 1", tokentable.CreatedIndex, ""},
		{"another_name", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC, ADD KEY `times``created` (TIME_CREATED)", "times`created", ""},
		{"some_serve", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC, ADD KEY a (TIME_CREATED, GRANT_TYPE), ADD KEY b (TIME_CREATED)", "b", ""},
		{"none", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC", "", "CREATE INDEX IDX_TC ON"},
		{"wrong_order", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC, ADD KEY a (TIME_CREATED, GRANT_TYPE)", "", "CREATE INDEX IDX_TC ON"},
		{"second_column", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC, ADD KEY a (GRANT_TYPE, TIME_CREATED)", "", "CREATE INDEX IDX_TC ON"},
		{"another_column", "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC, ADD KEY IDX_TC (GRANT_TYPE)", "", "CREATE INDEX IDX_TC ON"},
		{"hidden", map[string]string{
			flavorMariaDB: "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN ALTER KEY IDX_TC IGNORED",
			flavorMySQL:   "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN ALTER INDEX IDX_TC INVISIBLE",
		}[server.Flavor], "", "CREATE INDEX IDX_TC ON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			schema, db := tokenDatabase(t, server)
			bulkInsert(t, db, 2000, "NOW() - INTERVAL i MINUTE")
			exec(t, db, tc.change)
			user := "guard_" + tc.name
			quoted := server.Account(t, user, "low", "")
			exec(t, db, "GRANT SELECT (TOKEN_ID, GRANT_TYPE, TIME_CREATED) ON IDN_OAUTH2_ACCESS_TOKEN TO "+quoted)
			d := account(server, schema)
			d.User, d.Password = user, "low"
			s, c := openSession(t, d), newTokens(t, d, 30*time.Second)
			_, err := c.Collect(soon(t), s)
			if tc.index == "" {
				if ClassOf(err) != Guard || !strings.Contains(fmt.Sprint(err), tc.says) {
					t.Errorf("got class %s: %v", ClassOf(err), err)
				}
				exec(t, db, "CREATE INDEX made_since ON IDN_OAUTH2_ACCESS_TOKEN (TIME_CREATED)")
				tc.index = "made_since"
				_, err = c.Collect(soon(t), s)
			}
			if err != nil || s.indexes[tokentable.AccessToken] != tc.index {
				t.Errorf("index %q, want %q: %v", s.indexes[tokentable.AccessToken], tc.index, err)
			}
			insertTokens(t, db, 2, "password", 0)
			if v := collectTokens(t, c, s); v[rowsOfPassword] != 2 {
				t.Errorf("counted %v of 2 rows", v[rowsOfPassword])
			}
		})
	}
}

// TestGuardForgets: an index that goes away under a session is asked for anew.
func TestGuardForgets(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	s, c := openSession(t, account(server, schema)), newTokens(t, account(server, schema), 30*time.Second)
	collectTokens(t, c, s)
	exec(t, db, "ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP KEY IDX_TC")
	if _, err := c.Collect(soon(t), s); ClassOf(err) != Guard || !strings.Contains(err.Error(), "CREATE INDEX IDX_TC ON") {
		t.Errorf("without the index: %v", err)
	}
	exec(t, db, "CREATE INDEX other ON IDN_OAUTH2_ACCESS_TOKEN (TIME_CREATED)")
	collectTokens(t, c, s)
}

// TestGuardEstimates: EXPLAIN sees how many rows the window holds, in each form
// that the server knows; with FORCE INDEX alone MySQL would say 1.
func TestGuardEstimates(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	bulkInsert(t, db, 20_000, "NOW() - INTERVAL 1 DAY - INTERVAL i SECOND")
	bulkInsert(t, db, 5000, "NOW()")
	s := openSession(t, account(server, schema))
	forms := []string{"DO 0"}
	if server.Flavor == flavorMySQL {
		forms = []string{"SET explain_json_format_version = 1", "SET explain_json_format_version = 2"}
	}
	for _, form := range forms {
		if _, err := s.Conn.ExecContext(soon(t), form); err != nil {
			t.Fatal(err)
		}
		if err := s.try(soon(t), tokentable.AccessToken, tokentable.CreatedIndex, 30*time.Second, 0); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		a, err := s.explain(soon(t), fmt.Sprintf(estimateQuery, s.fullName(tokentable.AccessToken), "IDX_TC"), -30, 61)
		if err != nil || a.rows < 1000 || a.rows > 12_000 {
			t.Errorf("%s: estimated %v of 5000 rows, %v", form, a.rows, err)
		}
		if err := s.try(soon(t), tokentable.AccessToken, "nothing", 30*time.Second, 0); !errors.Is(err, errUnusable) {
			t.Errorf("%s: an index that is not there: %v", form, err)
		}
	}
}
