package estimate

import (
	"math"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Kinds of statements as the exporter names them, those that the model treats
// by themselves. All others go by their purpose.
const (
	insertToken          = "insert_token"
	selectByRefreshToken = "select_by_refresh_token"
	selectByAccessToken  = "select_by_access_token"
	selectLatest         = "select_latest"
	selectToken          = "select_token"
	deactivate           = "deactivate"
	auditCopy            = "audit_copy"
	deleteToken          = "delete_token"
	cleanup              = "cleanup"
	refreshTokenTable    = "refresh_token_table"
	revokeJWT            = "revoke_jwt"
	revocationCheck      = "revocation_check"
	commit               = "commit"

	persistence = "persistence"
	unclear     = "unclear"
	transaction = "transaction"
	monitoring  = "monitoring"
)

// cost is executions per token and the database's core-ms per token that they
// take, as far as the server's statement summaries see them.
type cost struct{ n, ms float64 }

func (c cost) plus(o cost) cost           { return cost{c.n + o.n, c.ms + o.ms} }
func (c cost) times(share float64) cost   { return cost{c.n * share, c.ms * share} }
func (c cost) each() float64              { return c.ms / c.n } // not to be asked without executions
func (c cost) repeated(n float64) cost    { return cost{n, n * c.each()} }
func ratioOf(part, whole float64) float64 { return part / max(whole, math.SmallestNonzeroFloat64) }

// model is a system with persistence on, per token, ready to be evaluated.
type model struct {
	p        Present
	x        float64 // tokens/s
	apim     float64 // core-ms per token
	database float64
	refresh  float64 // look-ups by a refresh token, per token
	lookups  float64 // introspections per token
	sorted   []string
	measured map[string]cost // by kind, where the server measures processor time
}

func newModel(p Present) model {
	m := model{
		sorted: executedKinds(p), measured: map[string]cost{},
		p: p, x: *p.Throughput, apim: *p.APIManagerCoreMS, database: *p.DatabaseCoreMS,
		refresh: min(1, p.Kinds[selectByRefreshToken].Executions/p.Tokens),
		lookups: p.Introspections / p.Tokens,
	}
	if p.CPUMeasured {
		for _, kind := range m.sorted {
			m.measured[kind] = m.costOf(p.Kinds[kind], false, nil)
		}
	}
	return m
}

// values are those of all assumptions by name.
type values map[string]float64

// of is the cost of a kind. Where the server does not measure processor time, it
// is the kind's part of the time that statements took, locks left out and
// COMMIT with less weight, scaled to the part of the database's CPU that is
// assumed to be theirs.
func (m model) of(kind string, v values) cost {
	if m.p.CPUMeasured {
		return m.measured[kind]
	}
	return m.costOf(m.p.Kinds[kind], m.p.Purposes[kind] == transaction, v)
}

func (m model) costOf(w Work, control bool, v values) cost {
	c := cost{n: w.Executions / m.p.Tokens}
	if m.p.CPUMeasured {
		c.ms = 1000 * w.CPUSeconds / m.p.Tokens
		return c
	}
	seconds := max(0, w.Seconds-w.LockSeconds)
	if control {
		seconds *= v[commitWeight]
	}
	c.ms = m.database * v[seenShare] * ratioOf(seconds, m.statementSeconds(v))
	return c
}

// statementSeconds is the time of all statements, weighted in the same way.
func (m model) statementSeconds(v values) float64 {
	all := max(0, m.p.All.Seconds-m.p.All.LockSeconds)
	for _, kind := range m.kinds() {
		if w := m.p.Kinds[kind]; m.p.Purposes[kind] == transaction {
			all -= (1 - v[commitWeight]) * max(0, w.Seconds-w.LockSeconds)
		}
	}
	return all
}

// purpose adds the kinds of one purpose.
func (m model) purpose(name string, v values) cost {
	var sum cost
	for _, kind := range m.kinds() {
		if m.p.Purposes[kind] == name {
			sum = sum.plus(m.of(kind, v))
		}
	}
	return sum
}

// kinds that were executed, sorted: sums depend on their order.
func (m model) kinds() []string { return m.sorted }

func executedKinds(p Present) []string {
	var out []string
	for kind, w := range p.Kinds {
		if w.Executions > 0 {
			out = append(out, kind)
		}
	}
	slices.Sort(out)
	return out
}

// outcome is the system without persistence under one set of assumptions.
type outcome struct {
	apimOff, databaseOff         float64 // core-ms per token at the present load
	apimBusyOff, databaseBusyOff float64
	capacityOn, capacityOff      float64 // tokens/s
	limitOn, limitOff            string
	gone, come, lookup, insert   cost // statements per token; look-ups and inserts are part of come
	invalidTokens                float64
	fixedDatabase, perToken      float64 // core-ms/s, core-ms per token without persistence
}

// Names of the hosts.
const (
	apimName     = "API Manager"
	databaseName = "database"
)

// at evaluates the model.
func (m model) at(v values) outcome {
	var o outcome
	o.gone = m.gone(v)
	o.lookup = m.lookupBase(v).repeated(3 * (v[refreshes] + m.lookups)).scaled(v[lookupCost])
	o.insert = m.insertBase(v).repeated(v[refreshes] * v[renewing]).scaled(v[insertCost])
	o.come = o.lookup.plus(o.insert)
	o.invalidTokens = o.insert.n

	// Database: what the summaries see carries a part of what they do not see.
	seen, own, others := m.seen(v)
	unseen := max(0, m.database-seen)
	factor := 1 + v[unseenShare]*ratioOf(unseen, seen-own)
	switch {
	case seen <= own:
		factor = 1
	case seen > m.database: // two clocks: warnings says so where it is much
		factor = ratioOf(m.database, seen)
	}
	on := max(0, seen-own-(1-v[othersShare])*others) * factor
	off := max(0, on+(o.come.ms-o.gone.ms)*factor)
	fixed := max(0, m.database-on)
	fixedOff := max(0, fixed-v[monitoringShare]*own)
	o.databaseOff, o.fixedDatabase, o.perToken = fixedOff+off, fixedOff*m.x, off

	// API Manager: fewer statements, more signatures.
	change := v[statementCPU]*(o.come.n-o.gone.n) + v[refreshes]*v[verification] + v[refreshTokens]*(v[signature]+v[secondToken])
	other := v[apimOther] * m.apim
	o.apimOff = max(m.leastAPIM(v)+other, m.apim+change)

	o.apimBusyOff = queueing.Utilisation(m.x, o.apimOff/1000, m.p.APIManagerVCPUs)
	o.databaseBusyOff = queueing.Utilisation(m.x, o.databaseOff/1000, m.p.DatabaseVCPUs)
	o.capacityOn, o.limitOn = m.capacity(m.apim-other, other, on, fixed)
	o.capacityOff, o.limitOff = m.capacity(o.apimOff-other, other, off, fixedOff)
	return o
}

// seen is the database's CPU inside of statements, in core-ms per token: of all of
// them, of those of monitoring, and of those that are neither that nor about tokens.
func (m model) seen(v values) (all, own, others float64) {
	all, own = m.costOf(m.p.All, false, v).ms, m.purpose(monitoring, v).ms
	if !m.p.CPUMeasured {
		all = m.database * v[seenShare]
	}
	others = all
	for _, kind := range m.kinds() {
		others -= m.of(kind, v).ms
	}
	return all, own, max(0, others)
}

// scaled changes what executions cost, not how many there are.
func (c cost) scaled(by float64) cost { return cost{c.n, c.ms * by} }

// leastAPIM is what a token takes of API Manager at the very least: its signature.
func (m model) leastAPIM(v values) float64 { return min(m.apim, v[signature]) }

// capacity is the most tokens/s that the hosts can carry, and the host that
// limits them. What does not grow with the tokens takes its part beforehand; it
// is given per token of the present load.
func (m model) capacity(apim, apimFixed, database, databaseFixed float64) (float64, string) {
	most := func(vcpus int, demand, fixed float64) float64 {
		return ratioOf(max(0, 1000*float64(vcpus)-fixed*m.x), demand)
	}
	a, d := most(m.p.APIManagerVCPUs, apim, apimFixed), most(m.p.DatabaseVCPUs, database, databaseFixed)
	if d < a {
		return d, databaseName
	}
	return a, apimName
}

// gone are the statements that disappear.
func (m model) gone(v values) cost {
	sum := m.purpose(persistence, v).plus(m.purpose(unclear, v).times(v[unclearShare]))
	sum = sum.plus(m.purpose(transaction, v).times(v[transactionShare]))
	return sum.plus(m.of(revokeJWT, v).times(v[renewalShare] * m.renewed()))
}

// renewed is the largest share of the rows of AM_REVOKED_JWT that can come from
// tokens which a new one replaced.
func (m model) renewed() float64 {
	return min(1, ratioOf(m.p.Kinds[deactivate].Executions, m.p.Kinds[revokeJWT].Executions))
}

// lookupBases are the kinds that a look-up of a revocation can be compared with,
// the likest first, with the factor between the two.
var lookupBases = []struct {
	kind string
	Bounds
	text string
}{
	{revocationCheck, Bounds{0.8, 1.2}, "as those measured"},
	{selectToken, Bounds{0.8, 1.7}, "compared with a look-up of a token by its primary key within a transaction, the cheapest there is"},
	{selectByAccessToken, Bounds{0.5, 1.2}, "compared with a look-up of an access token"},
	{selectLatest, Bounds{0.3, 1}, "compared with the look-up of the latest token, which also joins and sorts"},
	{selectByRefreshToken, Bounds{0.15, 0.8}, "compared with the look-up of a refresh token, which also joins and sorts"},
}

// lookupBase is the likest kind that was executed often enough to know its cost.
func (m model) lookupBase(v values) cost {
	if i := m.lookupKind(); i >= 0 {
		return m.of(lookupBases[i].kind, v)
	}
	return cost{n: 1}
}

// fewExecutions of a kind say nothing about what one costs.
const fewExecutions = 100

func (m model) lookupKind() int {
	for i, b := range lookupBases {
		if m.p.Kinds[b.kind].Executions >= fewExecutions {
			return i
		}
	}
	return -1
}

// insertBase is what a row that commits by itself is compared with.
func (m model) insertBase(v values) cost {
	if m.insertByRevoked() {
		return m.of(revokeJWT, v)
	}
	token, end := m.of(insertToken, v), m.of(commit, v)
	if token.n == 0 {
		return cost{n: 1}
	}
	each := cost{1, token.each()}
	if end.n > 0 {
		each.ms += end.each()
	}
	return each
}

func (m model) insertByRevoked() bool { return m.p.Kinds[revokeJWT].Executions >= fewExecutions }

// number is v for the report, nil when JSON could not hold it.
func number(v float64) report.Number {
	if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e300 {
		return nil
	}
	return &v
}
