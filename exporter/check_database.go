package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// database looks at the server and at our rights there, on a connection of its
// own. lost is why it did not get in.
func (r *report) database(ctx context.Context, t *target, gate *collector.Gate, set *collector.Set) (lost, err error) {
	d, given, err := t.database()
	if err != nil || !given {
		return nil, err
	}
	r.address, r.schema = d.Address, d.Schema
	link, err := collector.NewLink(d, gate)
	if err != nil {
		return nil, err
	}
	defer func() { _ = link.Close() }() // nothing was written
	ctx, cancel := context.WithTimeout(ctx, loginBudget)
	defer cancel()
	s, err := link.Session(ctx)
	if err == nil {
		err = r.look(ctx, s, set)
	}
	if err == nil {
		return nil, nil
	}
	if s == nil && collector.ClassOf(err) == collector.Auth || collector.RefusedHost(err) != "" {
		r.createAccount(d, err, set)
	}
	return err, nil
}

// look fills in the server's facts and the rights that are missing.
func (r *report) look(ctx context.Context, s *collector.Session, set *collector.Set) error {
	f, err := s.Facts(ctx)
	if err != nil {
		return err
	}
	r.facts = &f
	tables := f.Tables
	if !f.AllVisible {
		tables = guess(f.Tables)
	}
	r.missing = map[string][]collector.Need{}
	var needs, known []collector.Need
	for _, n := range set.Needs(tables) {
		known = append(known, n.Needs...)
		missing, err := s.Missing(ctx, n.Needs)
		if err != nil {
			return err
		}
		for _, need := range missing {
			if need.Optional == "" {
				r.missing[n.Collector] = append(r.missing[n.Collector], need)
			}
		}
		if r.everything {
			missing = s.Suiting(n.Needs)
		}
		needs = append(needs, missing...)
	}
	r.grants(s, needs)
	if !f.AllVisible && len(r.statements) > 0 {
		r.notes = append(r.notes, lookAgain)
	}
	// PROCESS is nobody's need: who has it sees the statements of all sessions.
	known = slices.DeleteFunc(known, func(n collector.Need) bool { return n.Privilege == "PROCESS" })
	if r.excess, err = s.Excess(ctx, known); err != nil {
		return err
	}
	r.notice()
	return nil
}

// lookAgain tells an administrator that one round of statements is not enough.
const lookAgain = "Run check again after that: it then sees which other token tables there are, and asks for what it needs of them."

// guess returns the tables that are visible or that every generation of both
// products has. Others are not asked for: a GRANT on a table that is not there fails.
func guess(visible []string) []string {
	seen := map[string]bool{}
	for _, name := range visible {
		seen[strings.ToUpper(name)] = true
	}
	unseen := slices.DeleteFunc(tokentable.Common(), func(name string) bool { return seen[name] })
	return append(slices.Clone(visible), unseen...)
}

// grants writes the statements. What shows other sessions' statements is named
// and not among them.
func (r *report) grants(s *collector.Session, needs []collector.Need) {
	for _, n := range collector.MergeNeeds(needs) {
		switch {
		case n.Privilege == "PROCESS":
			r.notes = append(r.notes, fmt.Sprintf("Not asked for: %s would add %s, and show token values in the statements of other sessions.", s.Grant(n), n.Optional))
		case n.Optional != "":
			r.statements = append(r.statements, "-- for "+n.Optional+"\n"+s.Grant(n)+";")
		default:
			r.statements = append(r.statements, s.Grant(n)+";")
		}
	}
}

// createAccount writes the statements for an account that the server does not
// let in, as it sees it.
func (r *report) createAccount(d collector.Database, refusal error, set *collector.Set) {
	account := collector.QuoteAccount(d.User, cmp.Or(collector.RefusedHost(refusal), "HOST"))
	if d.Token {
		r.wantsPolicy = true
		r.statements = append(r.statements, "-- If the account exists, the policy below is missing; else create it:\n"+
			"CREATE USER "+account+" IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'\n  REQUIRE SSL WITH MAX_USER_CONNECTIONS 3;")
	} else {
		r.statements = append(r.statements, "-- If the account exists, its password is another; else give it one here:\n"+
			"CREATE USER "+account+" IDENTIFIED BY <a password>\n  WITH MAX_USER_CONNECTIONS 3;")
	}
	var needs []collector.Need
	for _, n := range set.Needs(guess(nil)) {
		needs = append(needs, n.Needs...)
	}
	// Flavour and version are not known: what only some servers have comes with
	// the next check.
	needs = slices.DeleteFunc(needs, func(n collector.Need) bool { return n.Flavor != "" })
	r.grants(collector.Draft(collector.Server{}, d.Schema, account), needs)
	r.notes = append(r.notes, "Run check again when the account can log in: it then sees the server and its tables, and asks for what is left.")
}

// notice turns facts into warnings and settings.
func (r *report) notice() {
	f := r.facts
	if f.Connections > 0 && f.Connections < 3 {
		r.warnings = append(r.warnings, fmt.Sprintf("The account may have %d connections at a time: the exporter keeps 2, and a third helps to replace one.", f.Connections))
	}
	if f.Ahead.Abs() > 2*time.Second {
		r.warnings = append(r.warnings, fmt.Sprintf("The server's clock is %v %s ours: synchronise both (NTP).", f.Ahead.Abs().Round(100*time.Millisecond), aheadOrBehind(f.Ahead)))
	}
	if host, _, err := net.SplitHostPort(r.address); f.Cipher == "" && err == nil && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		r.warnings = append(r.warnings, "The connection is not encrypted: what we read, and the password where the server asks for it in clear, can be overheard.")
	}
	for _, statement := range f.Histograms {
		r.warnings = append(r.warnings, "An optimizer histogram shows values of a column that the account may not read: the statement below drops it.")
		r.statements = append(r.statements, statement+";")
	}
	if f.Server.Flavor == "mariadb" {
		r.warnings = append(r.warnings, "MariaDB's HANDLER statement passes over rights on columns: with this account's password it reads whole rows of every table of which a column is granted. The exporter never uses it; keep the password from people and bind the account to this host.")
	}
	for _, right := range r.excess {
		r.warnings = append(r.warnings, "The account has more than it needs: "+right.String())
	}
	r.parameters = append(r.parameters, f.Disabled...)
	if f.NoCPU {
		r.notes = append(r.notes, "Optional: performance-schema-consumer-events-statements-cpu=ON in the server's configuration adds the processor time of statements.")
	}
}

func aheadOrBehind(d time.Duration) string {
	if d < 0 {
		return "behind"
	}
	return "ahead of"
}
