package collector

import (
	"math"
	"testing"
)

// TestTaxInterval: the two ends, by hand, for the mixes that differ.
func TestTaxInterval(t *testing.T) {
	type kinds map[statementKind][2]float64 // executions and seconds
	for name, c := range map[string]struct {
		kinds        kinds
		lower, upper float64
	}{
		"nothing of ours": {kinds{}, 0, 0},
		"every commit is a token's": {kinds{
			kindInsertToken: {10, 20}, kindInsertScope: {10, 10}, kindCommit: {10, 30}, kindTransactionControl: {10, 5},
		}, 0.30, 0.65},
		"half of the commits":         {kinds{kindInsertToken: {10, 20}, kindCommit: {20, 30}}, 0.20, 0.35},
		"tokens commit by themselves": {kinds{kindInsertToken: {10, 20}}, 0.20, 0.20},
		"nobody knows what for":       {kinds{kindInsertToken: {10, 20}, kindOtherToken: {1, 7}}, 0.20, 0.27},
		"others' work": {kinds{
			kindInsertInvalidToken: {10, 20}, kindRevocationCheck: {10, 20}, kindRevokeJWT: {10, 20}, kindSelectCode: {1, 1}, kindMonitor: {1, 1},
		}, 0, 0},
		"refresh": {kinds{
			kindSelectByRefreshToken: {10, 10}, kindSelectToken: {10, 2}, kindInsertToken: {10, 20}, kindDeactivate: {10, 10},
			kindAuditCopy: {10, 10}, kindDeleteToken: {10, 5}, kindRevokeJWT: {10, 8}, kindCommit: {20, 20},
		}, 0.57 - 0.08 - 3*0.02, 0.57 + 0.08 + 0.20},
		"half of the notices are renewals": {kinds{kindDeactivate: {5, 10}, kindRevokeJWT: {10, 8}}, 0.10, 0.14},
		"revocations with a commit each":   {kinds{kindDeactivate: {5, 10}, kindCommit: {10, 10}}, 0.10, 0.15},
		"more than all":                    {kinds{kindInsertToken: {10, 120}}, 1, 1},
	} {
		value := func(i int) func(string) float64 {
			return func(kind string) float64 {
				for k, v := range c.kinds {
					if statementKinds[k].name == kind {
						return v[i]
					}
				}
				return 0
			}
		}
		lower, upper := TaxInterval(value(0), value(1), 100)
		if math.Abs(lower-c.lower) > 1e-9 || math.Abs(upper-c.upper) > 1e-9 {
			t.Errorf("%s: [%v, %v], want [%v, %v]", name, lower, upper, c.lower, c.upper)
		}
	}
}
