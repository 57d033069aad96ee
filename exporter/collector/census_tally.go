package collector

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// stateOther stands for every state outside tokenStates, NULL too.
const stateOther = "other"

// tokenStates are the values of TOKEN_STATE, one of them Identity Server's
// alone, and codeStates those of an authorization code's STATE.
var (
	tokenStates = [...]string{"ACTIVE", "INACTIVE", "EXPIRED", "REVOKED", "GRACEFULLY_ROTATED", stateOther}
	codeStates  = [...]string{"ACTIVE", "INACTIVE", "EXPIRED", "REVOKED", stateOther}
)

// stateIndex returns the position of a raw column value among states, byte by
// byte; the last one stands for all others.
func stateIndex(states []string, raw []byte) int {
	if i := slices.Index(states, string(raw)); i >= 0 {
		return i
	}
	return len(states) - 1
}

const passCaveat = " Counted chunk by chunk over the whole pass: rows that came or went meanwhile may be in it or not."

var (
	censusRowsDesc = family("wso2_token_census_rows",
		"Rows of IDN_OAUTH2_ACCESS_TOKEN and its partitions by state and grant type; only grant types that have rows, and other."+passCaveat, "grant_type", "state")
	censusOldestDesc = family("wso2_token_census_oldest_row_timestamp_seconds",
		"Creation time of the oldest row of IDN_OAUTH2_ACCESS_TOKEN and its partitions by state, in UTC. Absent for a state without rows.", "state")
	censusExpiredDesc = family("wso2_token_census_expired_active_rows",
		"Rows of IDN_OAUTH2_ACCESS_TOKEN and its partitions that are ACTIVE although their access token has expired, by whether the refresh token has expired too "+
			"(expired) or has not, has no end or is unknown (not_expired): such a row may still be of use.", "refresh_token")
	censusCleanableDesc = family("wso2_token_census_cleanable_rows",
		"Rows of IDN_OAUTH2_ACCESS_TOKEN and its partitions that WSO2_TOKEN_CLEANUP_SP as shipped would remove: its condition, its safe period of 2 hours, "+
			"and like it the server's clock without correction of the clock offset. The procedure itself leaves partitions alone.")
	revocationRowsDesc = family("wso2_token_census_revocation_rows",
		"Rows of a table of revoked tokens. Absent where the table is or our rights on it are missing.", "table")
	revocationExpiredDesc = family("wso2_token_census_revocation_expired_rows",
		"Rows of a table of revoked tokens whose token has expired, so that nobody needs them any more.", "table")
	codeRowsDesc = family("wso2_token_census_authorization_code_rows",
		"Rows of IDN_OAUTH2_AUTHORIZATION_CODE by state. Absent where the table is or our rights on it are missing.", "state")
	codeExpiredDesc = family("wso2_token_census_authorization_code_expired_active_rows",
		"Rows of IDN_OAUTH2_AUTHORIZATION_CODE that are ACTIVE although the code has expired.")

	censusTimeDesc = family("wso2_token_census_timestamp_seconds",
		"Database time at which the last complete pass of the census began; expiry was judged as of then. Absent, with all that the pass found, when the pass is more than three intervals old.")
	censusDurationDesc = family("wso2_token_census_duration_seconds",
		"Seconds that the last complete pass of the census took, pauses for --collector.census.rows-per-second included.")
	censusReadDesc = family("wso2_token_census_rows_read",
		"Rows that the last complete pass of the census counted, of all its tables.")
	censusRunningDesc = family("wso2_token_census_running_rows",
		"Rows that the pass of the census under way has counted so far; 0 between passes. Its end is near wso2_token_census_rows_read.")
)

func censusDescs() []*prometheus.Desc {
	return []*prometheus.Desc{
		censusRowsDesc, censusOldestDesc, censusExpiredDesc, censusCleanableDesc, revocationRowsDesc, revocationExpiredDesc,
		codeRowsDesc, codeExpiredDesc, censusTimeDesc, censusDurationDesc, censusReadDesc, censusRunningDesc,
	}
}

// censusTally is what a pass has counted.
type censusTally struct {
	tokens struct {
		rows                     [len(grantTypes)][len(tokenStates)]float64
		oldest                   [len(tokenStates)]float64 // 0 for none
		expired, gone, toCleanUp float64                   // expired: access token; gone: refresh token too
	}
	revocations map[string]revocations // by table
	codes       *authorizationCodes    // nil without the table
}

type revocations struct{ rows, expired float64 }

type authorizationCodes struct {
	rows    [len(codeStates)]float64
	expired float64 // still ACTIVE
}

func newCensusTally() *censusTally { return &censusTally{revocations: map[string]revocations{}} }

// addTokens takes a group of the access-token table or a partition.
func (t *censusTally) addTokens(_ string, groups [][]byte, counts []float64) {
	state := stateIndex(tokenStates[:], groups[0])
	t.tokens.rows[grantIndex(groups[1])][state] += counts[0]
	t.tokens.expired += counts[1]
	t.tokens.gone += counts[2]
	t.tokens.toCleanUp += counts[3]
	if oldest := counts[4]; oldest > 0 && (t.tokens.oldest[state] == 0 || oldest < t.tokens.oldest[state]) {
		t.tokens.oldest[state] = oldest
	}
}

// addRevocations takes the counts of a table of revoked tokens.
func (t *censusTally) addRevocations(table string, _ [][]byte, counts []float64) {
	was := t.revocations[table]
	t.revocations[table] = revocations{was.rows + counts[0], was.expired + counts[1]}
}

// addCodes takes a group of the table of authorization codes.
func (t *censusTally) addCodes(_ string, groups [][]byte, counts []float64) {
	t.codes.rows[stateIndex(codeStates[:], groups[0])] += counts[0]
	t.codes.expired += counts[1]
}

// begin notes that a table is there, so that an empty one shows as zero.
func (t *censusTally) begin(table string) {
	switch table {
	case tokentable.RevokedJWT, tokentable.InvalidTokens, tokentable.ISRevokedTokens:
		t.revocations[table] = revocations{}
	case tokentable.AuthorizationCode:
		t.codes = &authorizationCodes{}
	}
}

// forget takes a table back that could not be read to its end.
func (t *censusTally) forget(table string) {
	delete(t.revocations, table)
	if table == tokentable.AuthorizationCode {
		t.codes = nil
	}
}

// metrics shows a complete censusTally.
func (t *censusTally) metrics(at moment, took time.Duration, read int64) []prometheus.Metric {
	metrics := append(t.tokenMetrics(at.offset),
		prometheus.MustNewConstMetric(censusTimeDesc, gauge, float64(at.now)),
		prometheus.MustNewConstMetric(censusDurationDesc, gauge, took.Seconds()),
		prometheus.MustNewConstMetric(censusReadDesc, gauge, float64(read)))
	for _, table := range slices.Sorted(maps.Keys(t.revocations)) {
		metrics = append(metrics,
			prometheus.MustNewConstMetric(revocationRowsDesc, gauge, t.revocations[table].rows, table),
			prometheus.MustNewConstMetric(revocationExpiredDesc, gauge, t.revocations[table].expired, table))
	}
	if t.codes == nil {
		return metrics
	}
	metrics = append(metrics, prometheus.MustNewConstMetric(codeExpiredDesc, gauge, t.codes.expired))
	for i, n := range t.codes.rows {
		metrics = append(metrics, prometheus.MustNewConstMetric(codeRowsDesc, gauge, n, codeStates[i]))
	}
	return metrics
}

func (t *censusTally) tokenMetrics(offset int64) []prometheus.Metric {
	metrics := []prometheus.Metric{
		prometheus.MustNewConstMetric(censusExpiredDesc, gauge, t.tokens.gone, "expired"),
		prometheus.MustNewConstMetric(censusExpiredDesc, gauge, t.tokens.expired-t.tokens.gone, "not_expired"),
		prometheus.MustNewConstMetric(censusCleanableDesc, gauge, t.tokens.toCleanUp),
	}
	for i, states := range t.tokens.rows {
		if states == ([len(tokenStates)]float64{}) && grantTypes[i] != grantOther {
			continue
		}
		for j, n := range states {
			metrics = append(metrics, prometheus.MustNewConstMetric(censusRowsDesc, gauge, n, grantTypes[i], tokenStates[j]))
		}
	}
	for i, oldest := range t.tokens.oldest {
		if oldest > 0 {
			metrics = append(metrics, prometheus.MustNewConstMetric(censusOldestDesc, gauge, oldest-float64(offset), tokenStates[i]))
		}
	}
	return metrics
}
