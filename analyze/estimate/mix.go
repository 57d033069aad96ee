package estimate

import (
	"maps"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

const refreshGrant = "refresh_token"

// Grants whose answer has no refresh token, and grants whose answer may have one
// or not, by the product's version and settings. All others have one.
var (
	withoutRefresh = []string{"client_credentials", "implicit"}
	perhapsRefresh = []string{"urn:ietf:params:oauth:grant-type:token-exchange", "organization_switch", "iwa:ntlm", "other"}
)

// fewRows is the part of the tokens whose grant may be unknown without a doubt
// about the mix.
const fewRows = 0.05

// refreshTokens bounds the part of the tokens that come with a refresh token.
// Refreshes are known by their look-ups: the row of a refreshed token is gone
// before anybody counts it. The grants of the others are those of the rows seen.
func (m model) refreshTokens() Bounds {
	others, rest := m.rowsBesides(), 1-m.refresh
	if others == 0 {
		return Bounds{m.refresh, m.refresh + rest}
	}
	var sure, perhaps float64
	for _, grant := range slices.Sorted(maps.Keys(m.p.Rows)) {
		switch {
		case grant == refreshGrant || slices.Contains(withoutRefresh, grant):
		case slices.Contains(perhapsRefresh, grant):
			perhaps += m.p.Rows[grant]
		default:
			sure += m.p.Rows[grant]
		}
	}
	lo := m.refresh + rest*sure/others
	return Bounds{lo, lo + rest*perhaps/others}
}

// rowsBesides counts the rows of all grants but refreshes.
func (m model) rowsBesides() float64 {
	sum := 0.0
	for _, grant := range slices.Sorted(maps.Keys(m.p.Rows)) {
		if grant != refreshGrant {
			sum += m.p.Rows[grant]
		}
	}
	return sum
}

// mix is the part of each grant, and "unknown" for tokens of which no row tells.
func (m model) mix() []report.GrantShare {
	var out []report.GrantShare
	add := func(grant string, share float64) {
		if share > 0 {
			out = append(out, report.GrantShare{Grant: grant, Share: report.Range{Lo: number(share), Middle: number(share), Hi: number(share)}})
		}
	}
	add(refreshGrant, m.refresh)
	others := m.rowsBesides()
	if others == 0 {
		add("unknown", 1-m.refresh)
		return out
	}
	for _, grant := range slices.Sorted(maps.Keys(m.p.Rows)) {
		if grant != refreshGrant {
			add(grant, (1-m.refresh)*m.p.Rows[grant]/others)
		}
	}
	return out
}
