package estimate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// Names of the assumptions, as --assume takes them.
const (
	signature        = "signature"
	verification     = "verification"
	secondToken      = "second-token"
	statementCPU     = "statement-cpu"
	apimOther        = "apim-other"
	refreshTokens    = "refresh-tokens"
	refreshes        = "refreshes"
	renewing         = "renewing"
	transactionShare = "transactions"
	unclearShare     = "unclear"
	renewalShare     = "revoked-jwt"
	lookupCost       = "look-up"
	insertCost       = "insert"
	unseenShare      = "unseen"
	othersShare      = "others"
	monitoringShare  = "monitoring"
	seenShare        = "seen"
	commitWeight     = "commit-weight"
)

// Origins of an assumption.
const (
	measured = "measured"
	given    = "given"
	assumed  = "assumed"
)

// limits are what an assumption may be set to at most; at least is 0.
var limits = map[string]float64{
	signature: 1000, verification: 1000, secondToken: 1000, statementCPU: 1000,
	apimOther: 0.95, refreshTokens: 1, refreshes: 1, renewing: 1,
	transactionShare: 1, unclearShare: 1, renewalShare: 1,
	lookupCost: 1000, insertCost: 1000, unseenShare: 1, othersShare: 1, monitoringShare: 1, seenShare: 1, commitWeight: 1,
}

// Names lists the assumptions that a user may set, sorted.
func Names() []string { return slices.Sorted(maps.Keys(limits)) }

// InputError says which flag to change.
type InputError struct{ Text string }

// Error is the text as it is: it names the assumption.
func (e *InputError) Error() string { return e.Text }

// Check refuses assumptions that do not exist or cannot be true. Its error is an
// *InputError.
func (o Options) Check() error {
	for _, name := range slices.Sorted(maps.Keys(o.Given)) {
		most, ok := limits[name]
		if !ok {
			return &InputError{fmt.Sprintf("there is no assumption %q: %s", name, nearest.Hint(name, Names()))}
		}
		if b := o.Given[name]; !(b.Lo >= 0 && b.Lo <= b.Hi && b.Hi <= most) {
			return &InputError{fmt.Sprintf("%s is %g to %g: give two numbers from 0 to %g, the lower one first", name, b.Lo, b.Hi, most)}
		}
	}
	return nil
}

// assumption is one of them with its value in the middle.
type assumption struct{ report.Assumption }

func middles(all []assumption) values {
	v := values{}
	for _, a := range all {
		v[a.Name] = a.Middle
	}
	return v
}

// assumptions are those that matter for this system.
func assumptions(m model, o Options) ([]assumption, error) {
	var out []assumption
	add := func(name, unit, origin string, b Bounds, text string) {
		if g, ok := o.Given[name]; ok {
			b, origin = g, given
		}
		out = append(out, assumption{report.Assumption{Name: name, Unit: unit, Origin: origin, Lo: b.Lo, Middle: (b.Lo + b.Hi) / 2, Hi: b.Hi, Text: text}})
	}
	sign, err := m.signatures(o)
	if err != nil {
		return nil, err
	}
	add(signature, "core-ms", assumed, sign, "CPU of one RS256 signature; analyze calibrate measures it on API Manager's host")
	m.statementAssumptions(sign, add)
	m.mixAssumptions(o, add)
	m.databaseAssumptions(add)
	return out, nil
}

// Defaults of what a server's CPU takes, in core-ms: a JVM on hosts of the last
// ten years. See docs/estimate.md for where they come from.
var (
	defaultSignature    = Bounds{0.5, 2}
	defaultVerification = Bounds{0.015, 0.08}
	defaultSecondToken  = Bounds{0.02, 0.15}
	defaultStatementCPU = Bounds{0.03, 0.12}
	defaultUnseen       = Bounds{0.5, 1}
	defaultSeen         = Bounds{0.4, 0.9}
	defaultCommitWeight = Bounds{0.1, 1}
)

// signatures bounds the cost of a signature by what a token costs altogether:
// with persistence on it has one already.
func (m model) signatures(o Options) (Bounds, error) {
	b, ok := o.Given[signature]
	if !ok {
		b = defaultSignature
	}
	if b.Lo > m.apim {
		return b, fmt.Errorf("API Manager takes %.3g core-ms per token, less than the %.3g of one signature: is that the CPU of its host, is --apim-vcpus right, does the access log hold all requests, and are the tokens JWT? A faster host needs --signature from analyze calibrate", m.apim, b.Lo)
	}
	if !ok {
		b.Hi = min(b.Hi, m.apim)
	}
	return b, nil
}

type adder func(name, unit, origin string, b Bounds, text string)

// statementAssumptions are those about API Manager's part in a statement.
func (m model) statementAssumptions(sign Bounds, add adder) {
	var all cost
	for _, kind := range m.kinds() {
		if m.p.Purposes[kind] != monitoring {
			all.n += m.p.Kinds[kind].Executions / m.p.Tokens
		}
	}
	b, text := defaultStatementCPU, "CPU that API Manager spends on one statement: driver, pool, rows, system calls"
	if most := ratioOf(m.apim-sign.Lo, all.n); most < b.Hi {
		b.Hi = most
		b.Lo = min(b.Lo, b.Hi)
		text += "; its upper end is what a token leaves beside a signature"
	}
	add(statementCPU, "core-ms", assumed, b, text)
	add(apimOther, "of its CPU", assumed, Bounds{}, "part of API Manager's CPU that does not grow with the tokens, such as API calls; 0 scales all of it with them")
}

// mixAssumptions are those about grants and what they get.
func (m model) mixAssumptions(o Options, add adder) {
	share := m.refreshTokens()
	if g, ok := o.Given[refreshTokens]; ok {
		share = g
	}
	if share.Hi > 0 {
		add(refreshTokens, "of the tokens", measured, share, "tokens that come with a refresh token, which is signed too; grants by token rows and look-ups")
		add(secondToken, "core-ms", assumed, defaultSecondToken, "CPU to build and send the longer refresh token, without its signature")
	} else {
		add(refreshTokens, "of the tokens", measured, share, "no grant in the mix gives a refresh token, so there is no second signature")
	}
	add(refreshes, "per token", measured, Bounds{m.refresh, m.refresh}, "refreshes, by the look-ups of a refresh token")
	if m.refresh > 0 {
		add(renewing, "of the refreshes", assumed, Bounds{1, 1}, "refreshes that give a new refresh token and write the old one to IDN_INVALID_TOKENS (renew-refresh-token, the default)")
		add(verification, "core-ms", assumed, defaultVerification, "CPU to verify the signature of the old refresh token")
	}
}

// databaseAssumptions are those about the database.
func (m model) databaseAssumptions(add adder) {
	if share := m.transactions(); share.Hi > 0 {
		add(transactionShare, "of COMMIT and BEGIN", measured, share, "those of transactions that write tokens")
	}
	if m.executed(unclear) > 0 {
		add(unclearShare, "of them", assumed, Bounds{0, 1}, "statements on token tables whose purpose nobody can tell, and which go")
	}
	if m.renewed() > 0 && m.p.Kinds[revokeJWT].Executions > 0 {
		add(renewalShare, "of those rows", assumed, Bounds{0, 1}, "rows of AM_REVOKED_JWT written because a token was renewed, and which go")
	}
	if m.refresh+m.lookups > 0 {
		if i := m.lookupKind(); i >= 0 {
			add(lookupCost, "times", assumed, lookupBases[i].Bounds, "database CPU of a look-up of a revocation, "+lookupBases[i].text)
		}
	}
	if m.refresh > 0 {
		b, text := Bounds{0.3, 0.8}, "database CPU of a row of IDN_INVALID_TOKENS, compared with a token row and its COMMIT"
		if m.insertByRevoked() {
			b, text = Bounds{1, 2}, "database CPU of a row of IDN_INVALID_TOKENS, compared with one of AM_REVOKED_JWT, which has one index, and that a short one"
		}
		add(insertCost, "times", assumed, b, text)
	}
	add(unseenShare, "of it", assumed, defaultUnseen, "database CPU outside of statements (network, log, flushing, purge) that grows with them; the rest is there without any token")
	if m.others() > fewOthers {
		add(othersShare, "of them", assumed, Bounds{0, 1}, "other statements (user store, applications) that come with tokens; the rest are there without any token")
	}
	if m.executed(monitoring) > 0 {
		add(monitoringShare, "of it", assumed, Bounds{0, 1}, "the exporter's own work at the database that goes, since there are fewer token rows to read")
	}
	if !m.p.CPUMeasured {
		add(seenShare, "of its CPU", assumed, defaultSeen, "database CPU inside of statements, which this server does not measure")
		add(commitWeight, "times", assumed, defaultCommitWeight, "CPU in a second of COMMIT against a second of another statement, since COMMIT mostly waits for the disk")
	}
}

// executed counts the executions of a purpose.
func (m model) executed(purpose string) float64 {
	sum := 0.0
	for _, kind := range m.kinds() {
		if m.p.Purposes[kind] == purpose {
			sum += m.p.Kinds[kind].Executions
		}
	}
	return sum
}

// others counts the executions per token that are of no kind.
func (m model) others() float64 {
	sum := m.p.All.Executions
	for _, kind := range m.kinds() {
		sum -= m.p.Kinds[kind].Executions
	}
	return sum / m.p.Tokens
}

// transactions bounds the part of the COMMITs that end a transaction with token
// rows. A token is inserted in one; audit copy and delete share one. At the
// upper end all other writes of tokens have one of their own.
func (m model) transactions() Bounds {
	n := func(kind string) float64 { return m.p.Kinds[kind].Executions }
	if n(commit) == 0 {
		return Bounds{}
	}
	inserts := n(insertToken)
	least := inserts + min(n(auditCopy), n(deleteToken))
	most := inserts + max(n(auditCopy), n(deleteToken)) + n(cleanup) + n(refreshTokenTable) + max(0, n(deactivate)-inserts)
	return Bounds{min(1, least/n(commit)), min(1, most/n(commit))}
}
