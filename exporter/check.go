package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// How long check waits for the database to let it in, and for every collector's
// first reading.
const (
	loginBudget = 5 * time.Second
	trialBudget = 15 * time.Second
)

// check tries every collector of every target and prints what it found and what
// an administrator has to paste. Its error says that something fails.
func check(ctx context.Context, o *options, stdout io.Writer) error {
	targets, err := o.targets()
	if err != nil {
		return err
	}
	var failed, all int
	for i, t := range targets {
		r, err := inspect(ctx, t, o.checkAll)
		if err != nil {
			return t.locate(err)
		}
		if i > 0 {
			_, _ = fmt.Fprintln(stdout)
		}
		if err := r.write(stdout); err != nil {
			return fmt.Errorf("print the report: %w", err)
		}
		for _, res := range r.results {
			if res.state == stateFail {
				failed++
			}
			if res.state != stateOff {
				all++
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d collectors fail", failed, all)
	}
	return nil
}

// inspect looks at one target. An error means that it could not be looked at.
func inspect(ctx context.Context, t *target, everything bool) (*report, error) {
	gate := &collector.Gate{}
	set, err := newSet(ctx, t, gate, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	r := &report{target: t.name, everything: everything}
	lost, err := r.database(ctx, t, gate, set)
	if err == nil {
		r.try(ctx, t, set, lost)
		r.warnings = append(r.warnings, set.Notes()...)
		r.logs(t)
		r.cloud(t)
	}
	return r, errors.Join(err, set.Close())
}

// try runs the collectors. Those that want the database fail with lost, if that
// is why we did not get in.
func (r *report) try(ctx context.Context, t *target, set *collector.Set, lost error) {
	trials := set.Try(ctx, trialBudget)
	needy := map[string]bool{}
	for _, n := range set.Needs(nil) {
		needy[n.Collector] = true
	}
	for _, name := range collectorNames {
		at := slices.IndexFunc(trials, func(trial collector.Trial) bool { return trial.Collector == name })
		if at < 0 {
			r.add(name, stateOff, whyOff(t, name))
			continue
		}
		err := trials[at].Err
		if lost != nil && needy[name] {
			err = lost
		}
		switch {
		case err != nil:
			// The statements stand below, once.
			text, _, _ := strings.Cut(err.Error(), collector.ToAllow)
			r.add(name, stateFail, fmt.Sprintf("%s: %s", collector.ClassOf(err), text))
		case len(r.missing[name]) > 0:
			r.add(name, stateFail, "permission: it works, but what it may not see is absent; the statements below change that")
		default:
			r.add(name, stateOK, "")
		}
	}
}

// whyOff says why a collector does not take part.
func whyOff(t *target, name string) string {
	if !*t.enabled[name] {
		return "switched off"
	}
	switch name {
	case "cloudwatch":
		return "give --cloudwatch.rds-instance or --cloudwatch.ec2-instance"
	case "endpoint":
		return "give --collector.endpoint.access-log"
	case "carbonlog":
		return "give --collector.carbonlog.log"
	}
	return "give --mysqld.address"
}
