package collector

import (
	"strconv"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// censusSource is a kind of table that the census goes through. To add one, add
// a row to censusSources and a method that takes its counts.
type censusSource struct {
	table   string   // name in upper case; the partitions of the access-token table are of its kind
	key     string   // the primary key, one column
	groups  []string // columns by whose raw values rows are counted
	counts  []string // aggregates of a group, after its number of rows
	columns []string // every column that the above read, the key too
	missing string   // what cannot be shown without the table; empty where the census fails without it
	add     func(t *censusTally, table string, groups [][]byte, counts []float64)
}

// Periods of the cleanup procedure WSO2_TOKEN_CLEANUP_SP as it is shipped. A
// validity from maxValidity on stands for ever.
const (
	safePeriod  = 2 * 3600 // seconds
	maxValidity = 99_999_999_999_990
)

// Conditions of the access-token table. Times are compared in milliseconds on
// the table's clock; a zero timestamp is no time. The names of states are
// compared as the procedure does, by the column's collation.
const (
	tokenActive    = "TOKEN_STATE = 'ACTIVE'"
	accessExpired  = "VALIDITY_PERIOD > 0 AND VALIDITY_PERIOD < $max AND 1000 * NULLIF(UNIX_TIMESTAMP(TIME_CREATED), 0) + VALIDITY_PERIOD < $now"
	refreshExpired = "REFRESH_TOKEN_VALIDITY_PERIOD > 0 AND REFRESH_TOKEN_VALIDITY_PERIOD < $max" +
		" AND 1000 * NULLIF(UNIX_TIMESTAMP(REFRESH_TOKEN_TIME_CREATED), 0) + REFRESH_TOKEN_VALIDITY_PERIOD < $now"

	// The procedure's own condition: it adds whole minutes, rounded, and takes
	// the server's clock for the table's.
	cleanable = "TOKEN_STATE IN ('INACTIVE', 'REVOKED', 'EXPIRED') OR (" + tokenActive +
		" AND VALIDITY_PERIOD > 0 AND VALIDITY_PERIOD < $max" +
		" AND REFRESH_TOKEN_VALIDITY_PERIOD > 0 AND REFRESH_TOKEN_VALIDITY_PERIOD < $max" +
		" AND FROM_UNIXTIME($till) > DATE_ADD(TIME_CREATED, INTERVAL (VALIDITY_PERIOD / 60000) MINUTE)" +
		" AND FROM_UNIXTIME($till) > DATE_ADD(REFRESH_TOKEN_TIME_CREATED, INTERVAL (REFRESH_TOKEN_VALIDITY_PERIOD / 60000) MINUTE))"
)

// Conditions of the other tables.
const (
	timestampPast = "1000 * NULLIF(UNIX_TIMESTAMP(EXPIRY_TIMESTAMP), 0) < $now"
	epochPast     = "EXPIRY_TIMESTAMP < $utc" // milliseconds since the epoch know no time zone
	codeExpired   = "STATE = 'ACTIVE' AND VALIDITY_PERIOD > 0 AND VALIDITY_PERIOD < $max AND 1000 * NULLIF(UNIX_TIMESTAMP(TIME_CREATED), 0) + VALIDITY_PERIOD < $now"
)

func countIf(condition string) string { return "COUNT(CASE WHEN " + condition + " THEN 1 END)" }

// censusSources returns what the census goes through, in this order.
func censusSources() []censusSource {
	revocations := func(table, past string) censusSource {
		return censusSource{
			table: table, key: "UUID", counts: []string{countIf(past)},
			columns: []string{"UUID", "EXPIRY_TIMESTAMP"},
			missing: "its rows in wso2_token_census_revocation_rows", add: (*censusTally).addRevocations,
		}
	}
	return []censusSource{
		{
			table: tokentable.AccessToken, key: "TOKEN_ID", groups: []string{"TOKEN_STATE", "GRANT_TYPE"},
			counts: []string{
				countIf(tokenActive + " AND " + accessExpired),
				countIf(tokenActive + " AND " + accessExpired + " AND " + refreshExpired),
				countIf(cleanable),
				"MIN(NULLIF(UNIX_TIMESTAMP(TIME_CREATED), 0))",
			},
			columns: []string{
				"TOKEN_ID", "GRANT_TYPE", "TOKEN_STATE", "TIME_CREATED", "VALIDITY_PERIOD",
				"REFRESH_TOKEN_TIME_CREATED", "REFRESH_TOKEN_VALIDITY_PERIOD",
			},
			add: (*censusTally).addTokens,
		},
		revocations(tokentable.RevokedJWT, epochPast),
		revocations(tokentable.InvalidTokens, timestampPast),
		revocations(tokentable.ISRevokedTokens, timestampPast),
		{
			table: tokentable.AuthorizationCode, key: "CODE_ID", groups: []string{"STATE"},
			counts:  []string{countIf(codeExpired)},
			columns: []string{"CODE_ID", "STATE", "TIME_CREATED", "VALIDITY_PERIOD"},
			missing: "wso2_token_census_authorization_code_rows", add: (*censusTally).addCodes,
		},
	}
}

// of reports whether the table, by its name in upper case, is of this kind.
func (c *censusSource) of(table string) bool {
	if table == c.table {
		return true
	}
	_, partition := tokentable.Partition(table)
	return partition && c.table == tokentable.AccessToken
}

// need is what a pass wants to read of the table.
func (c *censusSource) need(name string) Need {
	return Need{Privilege: privilegeSelect, Columns: c.columns, Table: name, Optional: c.missing}
}

// moment is the time against which a pass judges expiry, by the server's clock.
type moment struct {
	now    int64 // Unix time in seconds
	offset int64 // seconds by which the table's clock is ahead of UTC
}

// edgeQuery finds the key at the end of a chunk. The rows that it steps over
// are those that countQuery reads next, so the second reading finds their pages
// in memory and, being soon, does not make InnoDB keep them there.
func (c *censusSource) edgeQuery(name, from string) string {
	return "SELECT " + c.key + " FROM " + name + " FORCE INDEX (PRIMARY) WHERE " + c.key + from + " ORDER BY " + c.key + " LIMIT 1 OFFSET ?"
}

// countQuery counts the rows between two keys, or from one to the end. Groups
// are compared byte by byte, and there are no more of them than rows in a chunk.
func (c *censusSource) countQuery(name, from string, last bool, at moment) string {
	list, by := "", []string{}
	for i, column := range c.groups {
		alias := "g" + strconv.Itoa(i)
		list += "CAST(" + column + " AS BINARY) AS " + alias + ", "
		by = append(by, alias)
	}
	query := "SELECT " + list + strings.Join(append([]string{"COUNT(*)"}, c.counts...), ", ") +
		" FROM " + name + " FORCE INDEX (PRIMARY) WHERE " + c.key + from
	if !last {
		query += " AND " + c.key + " <= ?"
	}
	if len(by) > 0 {
		query += " GROUP BY " + strings.Join(by, ", ") + " ORDER BY NULL"
	}
	return strings.NewReplacer(
		"$max", strconv.Itoa(maxValidity),
		"$till", strconv.FormatInt(at.now-safePeriod, 10),
		"$now", strconv.FormatInt(1000*(at.now+at.offset), 10),
		"$utc", strconv.FormatInt(1000*at.now, 10),
	).Replace(query)
}
