package estimate

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

func num(v float64) report.Number { return &v }

// perToken makes a kind of so many executions and core-ms per token.
func perToken(n, ms float64) Work {
	const tokens = 60_000
	return Work{Executions: n * tokens, Seconds: 3 * ms * tokens / 1000, CPUSeconds: ms * tokens / 1000}
}

// clientCredentials is a system whose numbers can be followed by hand: 100
// tokens/s of client_credentials, 4 core-ms each at API Manager with 4 vCPUs and
// 2 at the database with 2, of which the statements see 1.2: 1.02 of five token
// statements, 0.08 of monitoring, 0.1 of others.
func clientCredentials() Present {
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	return Present{
		From: start, To: start.Add(10 * time.Minute), Readings: 40, Gap: 15 * time.Second, Step: 15 * time.Second, Seconds: 600,
		Tokens: 60_000,
		Kinds: map[string]Work{
			"select_latest": perToken(1, 0.2), "insert_token": perToken(1, 0.5), "insert_scope": perToken(1, 0.1),
			"commit": perToken(1, 0.2), "transaction": perToken(1, 0.02), "monitoring": perToken(0.1, 0.08), "deactivate": {},
		},
		Purposes: map[string]string{
			"select_latest": persistence, "insert_token": persistence, "insert_scope": persistence,
			"commit": transaction, "transaction": transaction, "monitoring": monitoring, "deactivate": persistence,
			"select_by_refresh_token": persistence, "revoke_jwt": "revocation", "other_token": unclear,
		},
		All: perToken(7.1, 1.2), CPUMeasured: true,
		Rows:       map[string]float64{"client_credentials": 60_000},
		Throughput: num(100), APIManagerCPU: num(0.1), DatabaseCPU: num(0.1), APIManagerCoreMS: num(4), DatabaseCoreMS: num(2),
		APIManagerPoints: 40, DatabasePoints: 40, APIManagerVCPUs: 4, DatabaseVCPUs: 2,
	}
}

// withRefreshes makes every fourth token a refresh.
func withRefreshes(p Present) Present {
	p.Kinds["select_by_refresh_token"] = perToken(0.25, 0.05)
	p.Kinds["deactivate"] = perToken(0.25, 0.04)
	p.Kinds["revoke_jwt"] = perToken(0.25, 0.03)
	p.Kinds["select_token"] = perToken(0.25, 0.01)
	p.Purposes["select_token"] = persistence
	p.All = p.All.plus(perToken(1, 0.13))
	p.Rows["password"] = p.Rows["client_credentials"]
	return p
}

func (w Work) plus(o Work) Work {
	return Work{w.Executions + o.Executions, w.Seconds + o.Seconds, w.LockSeconds + o.LockSeconds, w.CPUSeconds + o.CPUSeconds}
}

func near(got report.Number, want float64) bool {
	return got != nil && math.Abs(*got-want) <= 1e-9*math.Abs(want)
}

// TestByHand recomputes the first system with pencil and paper.
//
// Database: unseen 2 − 1.2 = 0.8, of which 0.75 go with the statements: factor
// 1 + 0.75·0.8/1.12. Without the token statements those of others are left, 0.1·
// factor; half of them come with tokens, which makes no difference at the present
// load. Beside them 0.25·0.8 that nobody sees, and half of 0.08 of monitoring.
// API Manager: 4 − 5·0.075. Capacity: 4000/4 with, 4000/3.625 without.
func TestByHand(t *testing.T) {
	c := Run("all", clientCredentials(), Options{})
	if c.Refused != "" {
		t.Fatal(c.Refused)
	}
	factor := 1 + 0.75*0.8/1.12
	for _, x := range []struct {
		what string
		got  report.Number
		want float64
	}{
		{"API Manager off, middle", c.APIManager.DemandOff.Middle, 3.625},
		{"API Manager off, low", c.APIManager.DemandOff.Lo, 4 - 5*0.12},
		{"API Manager off, high", c.APIManager.DemandOff.Hi, 4 - 5*0.03},
		{"database off, middle", c.Database.DemandOff.Middle, 0.24 + 0.1*factor},
		{"database off, low", c.Database.DemandOff.Lo, 0.1 * (1 + 0.8/1.12)},
		{"database off, high", c.Database.DemandOff.Hi, 0.48 + 0.1*(1+0.4/1.12)},
		{"capacity on", c.CapacityOn.Middle, 1000},
		{"capacity off", c.CapacityOff.Middle, 4000 / 3.625},
		{"ratio, low", c.Ratio.Lo, 4 / 3.85},
		{"ratio, high", c.Ratio.Hi, 4 / 3.4},
		{"API Manager busy", c.APIManager.BusyOff.Middle, 0.090625},
		{"database busy", c.Database.BusyOff.Middle, (0.24 + 0.1*factor) * 100 / 2000},
		{"rows of IDN_INVALID_TOKENS", c.Growth.Hi, 0},
	} {
		if !near(x.got, x.want) {
			t.Errorf("%s: %v, want %v", x.what, show(x.got), x.want)
		}
	}
	if c.LimitOn != apimName || c.LimitOff != apimName || c.Direction != gain {
		t.Errorf("limits %s, %s, direction %s", c.LimitOn, c.LimitOff, c.Direction)
	}
	if c.Assumptions[0].Name != statementCPU || !near(c.Assumptions[0].AtLo, 4/3.85) || !near(c.Assumptions[0].AtHi, 4/3.4) {
		t.Errorf("the first assumption is %+v", c.Assumptions[0])
	}
	if want := "Without persistence the hosts could carry 4 % to 18 % more tokens: 1039 to 1176/s instead of 1000/s."; c.Answer[0] != want {
		t.Errorf("answer %q, want %q", c.Answer[0], want)
	}
}

func show(n report.Number) any {
	if n == nil {
		return nil
	}
	return *n
}

// TestSecondSignature adds the password grant: nothing else changes.
func TestSecondSignature(t *testing.T) {
	p := clientCredentials()
	p.Rows = map[string]float64{"password": 1}
	c := Run("all", p, Options{Given: map[string]Bounds{signature: {1, 1.4}}})
	if !near(c.APIManager.DemandOff.Lo, 4-5*0.12+1+0.02) || !near(c.APIManager.DemandOff.Hi, 4-5*0.03+1.4+0.15) {
		t.Errorf("API Manager off %v to %v", show(c.APIManager.DemandOff.Lo), show(c.APIManager.DemandOff.Hi))
	}
	if c.Direction != loss || c.Growth.Hi == nil || *c.Growth.Hi != 0 {
		t.Errorf("direction %s, growth %v", c.Direction, show(c.Growth.Hi))
	}
	p.Rows = map[string]float64{"other": 1}
	c = Run("all", p, Options{})
	i := slices.IndexFunc(c.Assumptions, func(a report.Assumption) bool { return a.Name == refreshTokens })
	if a := c.Assumptions[i]; a.Lo != 0 || a.Hi != 1 || c.Direction != undecided {
		t.Errorf("an unknown grant: %+v, %s", a, c.Direction)
	}
}

// TestRefreshes counts what a refresh costs without persistence.
func TestRefreshes(t *testing.T) {
	p := withRefreshes(clientCredentials())
	exact := map[string]Bounds{
		signature: {1, 1}, verification: {0.05, 0.05}, secondToken: {0.1, 0.1}, statementCPU: {0.1, 0.1}, unseenShare: {0, 0},
		lookupCost: {1, 1}, insertCost: {1, 1}, othersShare: {1, 1}, monitoringShare: {0, 0}, renewalShare: {1, 1}, transactionShare: {1, 1},
	}
	c := Run("all", p, Options{Given: exact})
	// 1.02 of before, and 0.05 + 0.04 + 0.01 + 0.03 of the refreshes; three look-ups
	// of 0.04 each (0.01 for a quarter of the tokens) and a row of 0.12 for a quarter.
	gone, come := 1.02+0.13, 0.25*(3*0.04+0.12)
	if want := 2 - gone + come; !near(c.Database.DemandOff.Middle, want) {
		t.Errorf("database off %v, want %v", show(c.Database.DemandOff.Middle), want)
	}
	// Half of the other three quarters are passwords: 0.25 + 0.375 refresh tokens.
	if want := 4 - 0.1*(6-1) + 0.25*0.05 + 0.625*1.1; !near(c.APIManager.DemandOff.Middle, want) {
		t.Errorf("API Manager off %v, want %v", show(c.APIManager.DemandOff.Middle), want)
	}
	if !near(c.Growth.Middle, 25*86400) {
		t.Errorf("growth %v a day, want 25 a second", show(c.Growth.Middle))
	}
	if c.Ratio.Lo == nil || *c.Ratio.Lo != *c.Ratio.Hi {
		t.Errorf("without a doubt the range is %v to %v", show(c.Ratio.Lo), show(c.Ratio.Hi))
	}
	index := false
	p.InvalidTokensIndex = &index
	if c = Run("all", p, Options{}); !slices.ContainsFunc(c.Warnings, func(w report.Warning) bool { return w.ID == "no-index" }) {
		t.Error("no warning of the missing index")
	}
}

// TestStatementTime: where the server measures no processor time, the estimate
// has more assumptions, says so, and never gets narrower.
func TestStatementTime(t *testing.T) {
	p := clientCredentials()
	with := Run("all", p, Options{})
	p.CPUMeasured = false
	without := Run("all", p, Options{})
	if width(without.Database.DemandOff) <= width(with.Database.DemandOff) {
		t.Errorf("the range of the database is %v wide without processor time, %v with it", width(without.Database.DemandOff), width(with.Database.DemandOff))
	}
	if !slices.ContainsFunc(without.Warnings, func(w report.Warning) bool { return w.ID == "statement-time" }) || !strings.Contains(without.StatementBy, "statement time") {
		t.Error("nothing says that statement time stands for processor time")
	}
}

func width(r report.Range) float64 { return *r.Hi - *r.Lo }

// TestRefusals lists what leaves no estimate, each with the fix.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*Present)
	}{
		{"a problem", "the samples are partial", func(p *Present) { p.Problems = []string{"the samples are partial"} }},
		{"no readings", "collector statements", func(p *Present) { p.Readings = 0 }},
		{"few readings", "longer range", func(p *Present) { p.Readings = 2 }},
		{"a restart", "without a restart", func(p *Present) { p.Resets = 1 }},
		{"a gap", "without the gap", func(p *Present) { p.Gap = 3 * time.Minute }},
		{"no tokens", "access log", func(p *Present) { p.Tokens = 0 }},
		{"no throughput", "access log", func(p *Present) { p.Throughput = nil }},
		{"endpoint gap", "gaps in the scrapes", func(p *Present) { p.Uncovered = 2 * time.Minute }},
		{"no totals", "mysql_statement_executions_total", func(p *Present) { p.All = Work{} }},
		{"persistence off", "persistence is off", func(p *Present) { p.Kinds["insert_token"] = perToken(0.1, 0.05) }},
		{"the log says off", "log of 1 API Manager nodes", func(p *Present) { p.NodesOff = 1 }},
		{"half of the nodes", "all API Manager nodes", func(p *Present) { p.Kinds["insert_token"] = perToken(2, 1) }},
		{"unattributed", "unattributed", func(p *Present) { p.Unattributed = p.All.Executions / 10 }},
		{"no vCPUs", "--apim-vcpus", func(p *Present) { p.APIManagerVCPUs = 0 }},
		{"no database vCPUs", "--database-vcpus", func(p *Present) { p.DatabaseVCPUs = 0 }},
		{"no CPU", "ec2_cpu_utilization_ratio", func(p *Present) { p.APIManagerCoreMS = nil }},
		{"no database CPU", "rds_cpu_utilization_ratio", func(p *Present) { p.DatabaseCPU = nil }},
		{"few points", "2 points", func(p *Present) { p.DatabasePoints = 2 }},
		{"cheaper than a signature", "--signature", func(p *Present) { p.APIManagerCoreMS = num(0.2) }},
	} {
		p := clientCredentials()
		c.change(&p)
		got := Run("all", p, Options{})
		if !strings.Contains(got.Refused, c.want) {
			t.Errorf("%s: refused %q, want %q in it", c.name, got.Refused, c.want)
		}
		if len(got.Answer) > 0 || got.Ratio.Middle != nil {
			t.Errorf("%s: refused and answered %v", c.name, got.Answer)
		}
	}
}

// TestGiven refuses assumptions that do not exist or cannot be.
func TestGiven(t *testing.T) {
	for _, c := range []struct {
		name string
		b    Bounds
		want string
	}{
		{"unsen", Bounds{0, 1}, "did you mean unseen?"},
		{unseenShare, Bounds{0.5, 1.5}, "from 0 to 1"},
		{signature, Bounds{2, 1}, "the lower one first"},
		{signature, Bounds{math.NaN(), 1}, "signature is NaN"},
	} {
		if err := (Options{Given: map[string]Bounds{c.name: c.b}}).Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %q in it", c.name, c.b, err, c.want)
		}
	}
	if err := (Options{Given: map[string]Bounds{unseenShare: {0, 1}}}).Check(); err != nil {
		t.Error(err)
	}
}

// TestWarnings lists what weakens an estimate without refusing it.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		id     string
		change func(*Present)
	}{
		{"low-load", func(*Present) {}},
		{"cpu-mismatch", func(p *Present) { p.All = perToken(7.1, 2.5) }},
		{"rows", func(p *Present) { p.Kinds["insert_token"] = perToken(0.9, 0.5) }},
		{"unattributed", func(p *Present) { p.Unattributed = 0.02 * p.All.Executions }},
		{"few-readings", func(p *Present) { p.Readings = 5 }},
		{"gap", func(p *Present) { p.Gap = time.Minute }},
		{"mix", func(p *Present) { p.Rows = nil }},
		{"relayed", func(p *Present) { p.Warnings = []report.Warning{{ID: "relayed"}} }},
	} {
		p := clientCredentials()
		c.change(&p)
		got := Run("all", p, Options{})
		if got.Refused != "" || !slices.ContainsFunc(got.Warnings, func(w report.Warning) bool { return w.ID == c.id }) {
			t.Errorf("%s: refused %q, warnings %+v", c.id, got.Refused, got.Warnings)
		}
	}
	p := clientCredentials()
	p.APIManagerCPU, p.Uncounted = num(0.5), 0.005*p.All.Executions // a tenth of a second in fifteen
	if got := Run("all", p, Options{}); len(got.Warnings) > 0 {
		t.Errorf("warnings %+v of a system that deserves none", got.Warnings)
	}
}

// TestMissingWidens: what is not known about the mix makes the range wider.
func TestMissingWidens(t *testing.T) {
	known := Run("all", clientCredentials(), Options{})
	p := clientCredentials()
	p.Rows = nil
	unknown := Run("all", p, Options{})
	if !(*unknown.Ratio.Lo < *known.Ratio.Lo && *unknown.Ratio.Hi >= *known.Ratio.Hi) {
		t.Errorf("%v to %v without rows, %v to %v with them", *unknown.Ratio.Lo, *unknown.Ratio.Hi, *known.Ratio.Lo, *known.Ratio.Hi)
	}
}
