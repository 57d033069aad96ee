// Package preload fills the access-token table with tokens of the past, fast,
// so that what is measured meets the table a production system has. It adds
// rows and changes none; the schema of package tokentable and one application
// of the owner admin must be there.
//
//	err := preload.Rows(ctx, db, 1_000_000, func(done int) {})
package preload

import (
	"context"
	"database/sql"
	"fmt"
	"math"
)

// Most keeps the row number within what MySQL's arithmetic here can hold.
const Most = math.MaxInt32

// chunk is the number of rows one statement inserts.
const chunk = 50_000

// Rows fills the token table of db's database with n active tokens, one device
// scope each. report is called with the number of rows so far.
func Rows(ctx context.Context, db *sql.DB, n int, report func(done int)) error {
	if n == 0 {
		return nil
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("preload: %w", err)
	}
	defer conn.Close() // returns the connection to the pool
	// The rows cannot violate what these switches leave unchecked: their keys
	// are fresh UUIDs and their application is read from its table.
	const fast, normal = "SET SESSION unique_checks=0, foreign_key_checks=0", "SET SESSION unique_checks=1, foreign_key_checks=1"
	if _, err := conn.ExecContext(ctx, fast); err != nil {
		return fmt.Errorf("preload: %w", err)
	}
	for done := 0; done < n; {
		next := min(chunk, n-done)
		for _, statement := range []string{insertTokens, insertScopes} {
			// Token ids number the rows, so that the scopes find the chunk they belong to.
			if _, err := conn.ExecContext(ctx, fmt.Sprintf(statement, done, next)); err != nil {
				return fmt.Errorf("preload: %w", err)
			}
		}
		done += next
		report(done)
	}
	if _, err := conn.ExecContext(ctx, normal); err != nil {
		return fmt.Errorf("preload: %w", err)
	}
	return nil
}

// Room returns the server's arguments for a table of n preloaded rows, with a
// buffer pool of at most mostMiB. Each row goes to random places of nine
// indexes: with a buffer pool that does not hold them, or a redo log that fills
// up in between, the disk sets the pace.
func Room(n, mostMiB int) []string {
	const rowKiB, leastMiB = 2, 256 // a row with all its index entries, rounded up
	pool := min(max(leastMiB, n*rowKiB/1024), mostMiB)
	if pool == leastMiB {
		return nil
	}
	return []string{
		fmt.Sprintf("--innodb-buffer-pool-size=%dM", pool),
		// The one that the other flavour does not know is ignored.
		fmt.Sprintf("--loose-innodb-log-file-size=%dM", pool), fmt.Sprintf("--loose-innodb-redo-log-capacity=%dM", pool),
	}
}

// numbers yields 0 … chunk-1 as column n.
const numbers = `(SELECT a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d AS n FROM ` + digits + ` a, ` + digits + ` b, ` + digits + ` c, ` +
	digits + ` e, (SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) f) AS numbers`

const digits = `(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5
 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)`

// insertTokens inserts rows %[1]d … %[1]d+%[2]d-1. Hashing the number spreads
// the keys over the indexes as random tokens do; MySQL 9 has no MD5 any more. The ages are between a day and
// three months, out of the exporter's sight.
const insertTokens = `INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, ACCESS_TOKEN, CONSUMER_KEY_ID, AUTHZ_USER, TENANT_ID, USER_DOMAIN,
 USER_TYPE, GRANT_TYPE, TIME_CREATED, REFRESH_TOKEN_TIME_CREATED, VALIDITY_PERIOD, REFRESH_TOKEN_VALIDITY_PERIOD, TOKEN_SCOPE_HASH,
 SUBJECT_IDENTIFIER, ACCESS_TOKEN_HASH, IDP_ID)
 SELECT LEFT(SHA2(%[1]d+n, 256), 36), UUID(), (SELECT MIN(ID) FROM IDN_OAUTH_CONSUMER_APPS), 'admin', -1234, 'PRIMARY',
 'APPLICATION', 'client_credentials', NOW() - INTERVAL 86400 + (n*151) %% 7776000 SECOND, NOW() - INTERVAL 1 DAY, 3600000, 84600000,
 LEFT(SHA2(CONCAT('device_', %[1]d+n), 256), 32), 'admin', CONCAT('{"hash":"', SHA2(CONCAT('preload ', %[1]d+n), 256), '","algorithm":"SHA-256"}'),
 (SELECT MIN(ID) FROM IDP WHERE NAME='LOCAL') FROM ` + numbers + ` WHERE n < %[2]d`

const insertScopes = `INSERT INTO IDN_OAUTH2_ACCESS_TOKEN_SCOPE (TOKEN_ID, TOKEN_SCOPE, TENANT_ID)
 SELECT LEFT(SHA2(%[1]d+n, 256), 36), CONCAT('device_', LPAD(%[1]d+n, 10, '0')), -1234 FROM ` + numbers + ` WHERE n < %[2]d`
