package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// schedule draws the order of the modes in every block and that of the grants.
// Half of the blocks start with each mode, so that a steady drift cancels; which
// they are is chance, so that no other pattern can follow it.
func schedule(blocks int, grants []string, seed uint64) []report.PlannedBlock {
	random := rand.New(rand.NewPCG(seed, uint64(blocks)))
	onFirst := make([]bool, blocks)
	extra := random.IntN(2) // which mode starts the odd block
	for i := range onFirst {
		onFirst[i] = (i+extra)%2 == 0
	}
	random.Shuffle(blocks, func(i, j int) { onFirst[i], onFirst[j] = onFirst[j], onFirst[i] })
	out := make([]report.PlannedBlock, blocks)
	for i := range out {
		b := report.PlannedBlock{Block: i + 1, First: "off", Then: "on", Grants: slices.Clone(grants)}
		if onFirst[i] {
			b.First, b.Then = b.Then, b.First
		}
		random.Shuffle(len(b.Grants), func(i, j int) { b.Grants[i], b.Grants[j] = b.Grants[j], b.Grants[i] })
		out[i] = b
	}
	return out
}

// checklist is what every switch of the mode needs. Each step removes one way in
// which the second window of a pair could differ from the first.
func checklist(r report.Report) []string {
	warmup := "the warm-up"
	if s := r.Hypothesis.WarmupSeconds; s > 0 {
		warmup = fmt.Sprintf("the warm-up of %g s", s)
	}
	load := "Load with the same grant, users and applications."
	if atRate(r) {
		load = "Load with the same grant, tokens/s, users and applications."
	}
	return []string{
		"Restore the database from the same snapshot, so that every window starts with the same rows in the token tables. A restored RDS volume is slow until its blocks have been read once.",
		"Set the mode in deployment.toml of every API Manager node: [oauth.token_persistence] enable = true or false, with what goes with it. On a test system only: WSO2 says not to revert a production system, because tokens issued become invalid.",
		"Restart every node. The newest start in wso2carbon.log says which mode is on (wso2_token_persistence_log_mode).",
		"Wait until nothing else runs: purge, backups, statistics, the token clean-up, other users.",
		load + " For refresh_token issue fresh refresh tokens in this mode first: those of the other mode are not valid.",
		"Discard " + warmup + ": the JVM compiles, connection pools fill, the buffer pool warms.",
		"Keep the window's length, and write down start and end (UTC) and the block for the experiment file.",
		"Note the rows of the token tables afterwards (wso2_token_census_rows): with persistence on they grow, and the next window must not inherit them.",
	}
}
