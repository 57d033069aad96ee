package collector

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// grantee creates an account without rights.
func grantee(t *testing.T, server *mysqltest.Server, schema string) (d Database, quoted string) {
	t.Helper()
	name := "u" + fmt.Sprint(len(schema)) + schema[max(0, len(schema)-24):]
	quoted = server.Account(t, name, "secret", "")
	return Database{Network: "tcp", Address: server.Addr, User: name, Password: "secret", Schema: schema}, quoted
}

// grantNeeds gives the account what the collector says it needs.
func grantNeeds(t *testing.T, db *sql.DB, schema, account string, needs []Need) {
	t.Helper()
	s := &Session{Schema: schema, account: account}
	for _, n := range needs {
		exec(t, db, s.Grant(n))
	}
}

func TestCensusOtherSchemas(t *testing.T) {
	for name, c := range map[string]struct {
		change       []string
		want         map[string]float64
		absent       []string
		class        Class
		words, notes string
	}{
		"before IDN_INVALID_TOKENS": {
			change: []string{"DROP TABLE IDN_INVALID_TOKENS, IDN_APP_REVOKED_EVENT, IDN_SUBJECT_ENTITY_REVOKED_EVENT, AM_APP_REVOKED_EVENT, AM_SUBJECT_ENTITY_REVOKED_EVENT"},
			want:   map[string]float64{"census_rows{password,ACTIVE}": 1, "census_revocation_rows{AM_REVOKED_JWT}": 0},
			absent: []string{"IDN_INVALID_TOKENS"},
		},
		"Identity Server": {
			change: []string{
				"DROP TABLE AM_REVOKED_JWT, IDN_INVALID_TOKENS",
				"CREATE TABLE IDN_OAUTH2_REVOKED_TOKENS (UUID VARCHAR(255) PRIMARY KEY, EXPIRY_TIMESTAMP TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
				"INSERT INTO IDN_OAUTH2_REVOKED_TOKENS VALUES ('a', NOW() - INTERVAL 1 HOUR)",
			},
			want:   map[string]float64{"census_revocation_rows{IDN_OAUTH2_REVOKED_TOKENS}": 1, "census_revocation_expired_rows{IDN_OAUTH2_REVOKED_TOKENS}": 1},
			absent: []string{"IDN_INVALID_TOKENS", "AM_REVOKED_JWT"},
		},
		"lower case": {
			change: []string{
				"RENAME TABLE IDN_OAUTH2_ACCESS_TOKEN TO idn_oauth2_access_token, AM_REVOKED_JWT TO am_revoked_jwt",
				"ALTER TABLE idn_oauth2_access_token RENAME COLUMN TOKEN_STATE TO token_state",
			},
			want: map[string]float64{"census_rows{password,ACTIVE}": 1, "census_revocation_rows{AM_REVOKED_JWT}": 0},
		},
		"no table of codes": {
			change: []string{"DROP TABLE IDN_OAUTH2_AUTHZ_CODE_SCOPE, IDN_OAUTH2_AUTHORIZATION_CODE"},
			want:   map[string]float64{"census_rows{password,ACTIVE}": 1},
			absent: []string{"authorization_code"},
		},
		"no access-token table": {
			change: []string{"DROP TABLE IDN_OAUTH2_ACCESS_TOKEN_SCOPE, IDN_OAUTH2_ACCESS_TOKEN"},
			class:  Schema, words: "--mysqld.database",
		},
		"access tokens without a column": {
			change: []string{"ALTER TABLE IDN_OAUTH2_ACCESS_TOKEN DROP COLUMN REFRESH_TOKEN_VALIDITY_PERIOD"},
			class:  Schema, words: "REFRESH_TOKEN_VALIDITY_PERIOD",
		},
		"codes without a column": {
			change: []string{"ALTER TABLE IDN_OAUTH2_AUTHORIZATION_CODE DROP COLUMN VALIDITY_PERIOD"},
			want:   map[string]float64{"census_rows{password,ACTIVE}": 1, "census_revocation_rows{AM_REVOKED_JWT}": 0},
			absent: []string{"authorization_code"},
			notes:  "VALIDITY_PERIOD",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := sharedServer(t)
			schema, db := tokenDatabase(t, server)
			insertTokens(t, db, 1, "password", 0)
			for _, statement := range c.change {
				exec(t, db, statement)
			}
			metrics, notes, err := newCensus(t, account(server, schema)).pass(soon(t))
			if c.class != "" {
				if ClassOf(err) != c.class || !strings.Contains(err.Error(), c.words) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := collectortest.Values(t, metrics)
			checkValues(t, got, c.want)
			checkAbsent(t, got, c.absent...)
			if (c.notes != "") != (len(notes) == 1) || !strings.Contains(strings.Join(notes, ""), c.notes) {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

func TestCensusGrants(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	insertTokens(t, db, 1, "password", 0)
	d, quoted := grantee(t, server, schema)
	c := newCensus(t, d)

	_, _, err := c.pass(soon(t))
	if class := ClassOf(err); class != Schema && class != Permission {
		t.Errorf("without any right: %v", err)
	}
	exec(t, db, "GRANT SELECT (TOKEN_ID, GRANT_TYPE, TIME_CREATED) ON "+schema+".IDN_OAUTH2_ACCESS_TOKEN TO "+quoted)
	exec(t, db, "GRANT SELECT (UUID) ON "+schema+".IDN_INVALID_TOKENS TO "+quoted)
	c = newCensus(t, d)
	_, _, err = c.pass(soon(t))
	_, grant, _ := strings.Cut(fmt.Sprint(err), "to allow it: ")
	if ClassOf(err) != Permission || !strings.HasPrefix(grant, "GRANT SELECT (TOKEN_ID, GRANT_TYPE, TOKEN_STATE,") {
		t.Fatalf("got %v", err)
	}
	exec(t, db, grant)

	metrics, notes, err := c.pass(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	got := collectortest.Values(t, metrics)
	checkValues(t, got, map[string]float64{"census_rows{password,ACTIVE}": 1})
	checkAbsent(t, got, "IDN_INVALID_TOKENS", "AM_REVOKED_JWT", "authorization_code")
	if _, grant, ok := strings.Cut(strings.Join(notes, ""), "to allow it: "); len(notes) != 1 || !ok {
		t.Errorf("notes %q", notes)
	} else {
		exec(t, db, grant)
	}

	grantNeeds(t, db, schema, quoted, c.Needs(tokentable.Watched()[:0]))
	present := []string{tokentable.AccessToken, tokentable.RevokedJWT, tokentable.InvalidTokens, tokentable.AuthorizationCode}
	grantNeeds(t, db, schema, quoted, c.Needs(present))
	c = newCensus(t, d)
	checkValues(t, census(t, c), map[string]float64{
		"census_revocation_rows{IDN_INVALID_TOKENS}": 0, "census_revocation_rows{AM_REVOKED_JWT}": 0, "census_authorization_code_rows{ACTIVE}": 0,
	})
}

func TestCensusRefusesHugeTables(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	bulkInsert(t, db, 5000, "NOW()")
	exec(t, db, "ANALYZE TABLE IDN_OAUTH2_ACCESS_TOKEN")
	c := newCensus(t, account(server, schema))
	c.cfg.MaxRows = 1000
	_, _, err := c.pass(soon(t))
	if ClassOf(err) != Guard || !strings.Contains(err.Error(), "--collector.census.max-rows=1000") || !strings.Contains(err.Error(), tokentable.AccessToken) {
		t.Errorf("got %v", err)
	}
	if n := c.running.Load(); n != 0 {
		t.Errorf("%d rows were read", n)
	}
	c.cfg.MaxRows = 100_000
	checkValues(t, census(t, c), map[string]float64{"census_rows{password,ACTIVE}": 5000})

	// The estimate may be wrong.
	p := &censusPass{background: c.background, max: 1000, progress: func(int64) {}, pace: pace{perSecond: 1_000_000}, rows: firstChunk}
	err = c.background.Do(soon(t), pieceBudget, func(ctx context.Context, s *Session) error {
		p.instance = s.Server.Instance
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err = p.count(soon(t), censusTable{&censusSources()[0], tokentable.AccessToken}, newCensusTally()); ClassOf(err) != Guard || p.read > 4000 {
		t.Errorf("after %d rows: %v", p.read, err)
	}
}

// TestCensusInterrupted: a pass that is cut shows nothing of what it counted.
func TestCensusInterrupted(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	schema, db := tokenDatabase(t, server)
	bulkInsert(t, db, 4000, "NOW()")
	c := newCensus(t, account(server, schema))
	checkValues(t, census(t, c), map[string]float64{"census_rows{password,ACTIVE}": 4000})
	c.cfg.RowsPerSecond = 2000

	// passing starts a slow pass and returns when it is under way.
	passing := func(ctx context.Context) func() error {
		var err error
		var group sync.WaitGroup
		group.Go(func() {
			metrics, _, e := c.pass(ctx)
			if err = e; err == nil || metrics != nil {
				t.Errorf("an interrupted pass gave %d metrics and %v", len(metrics), e)
			}
		})
		waitFor(t, func() bool { return c.running.Load() > 0 })
		return func() error { group.Wait(); return err }
	}
	end := passing(t.Context())
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := end(); ClassOf(err) != Connection && ClassOf(err) != Timeout {
		t.Errorf("a restart: %v", err)
	}
	c.running.Store(0)
	ctx, cancel := context.WithCancel(t.Context())
	end = passing(ctx)
	start := time.Now()
	cancel()
	if err := end(); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("cancelled: %v after %v", err, time.Since(start))
	}
	c.cfg.RowsPerSecond = 1_000_000
	checkValues(t, census(t, c), map[string]float64{"census_rows{password,ACTIVE}": 4000})
}

// TestCensusNoticesAnotherServer: two halves of two servers are not a whole.
func TestCensusNoticesAnotherServer(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	bulkInsert(t, db, 100, "NOW()")
	c := newCensus(t, account(server, schema))
	p := &censusPass{background: c.background, instance: "another", progress: func(int64) {}, pace: pace{perSecond: 1_000_000}, rows: firstChunk}
	tally := newCensusTally()
	if err := p.count(soon(t), censusTable{&censusSources()[0], tokentable.AccessToken}, tally); ClassOf(err) != Connection || p.read != 0 {
		t.Errorf("got %v", err)
	}
}

// TestCensusPace: the budget is kept, and a chunk grows and shrinks with what it
// costs.
func TestCensusPace(t *testing.T) {
	p := &censusPass{rows: firstChunk}
	p.adapt(1000, time.Millisecond)
	if p.rows != 2000 {
		t.Errorf("after a fast chunk: %d rows", p.rows)
	}
	p.adapt(2000, time.Second)
	if p.rows != 500 {
		t.Errorf("after a slow chunk: %d rows", p.rows)
	}
	p.adapt(120, time.Second)
	if p.rows != minChunk {
		t.Errorf("the least chunk is %d", p.rows)
	}
	p.adapt(maxChunk, time.Millisecond)
	if p.rows != maxChunk {
		t.Errorf("the largest chunk is %d", p.rows)
	}
	for rate, want := range map[int]int{1: 1, 100: 50, 1_000_000: 1000} {
		if n := (&pace{perSecond: rate}).atMost(1000); n != want {
			t.Errorf("%d a second: chunks of %d", rate, n)
		}
	}
}
