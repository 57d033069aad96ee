package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// Tax measures, for each grant, the share of the database's processor time that
// disappears when persistence is switched off, and prints it beside the
// persistence tax that the exporter shows while it is on.
//
// What the server uses without any load, the exporter's reading included, is
// measured first and taken for the same under load. Purge after a window counts
// to the window.
func Tax(ctx context.Context, o Options, out io.Writer) (err error) {
	if err := o.Check(); err != nil {
		return err
	}
	if o.Out, err = prepareFolder(o.Out); err != nil {
		return err
	}
	var end closers
	defer func() {
		if left := end.close(); left != nil {
			err = errors.Join(err, fmt.Errorf("%w: %w", ErrLeft, left))
		}
	}()
	fmt.Fprintln(out, Banner)
	p, err := findPrograms(ctx, o, &end)
	if err != nil {
		return err
	}
	s, err := setUp(ctx, o, p, out, &end)
	if err != nil {
		return err
	}
	if s.database.pid == 0 {
		return fmt.Errorf("%w: the processor time of a database elsewhere cannot be read: run without --dsn", ErrOptions)
	}
	t := taxStudy{stand: s}
	if t.idle, err = t.idling(ctx, o.Measure); err != nil {
		return err
	}
	s.say("idle          %.1f ms of processor time per second, the exporter's readings included", 1000*t.idle.cpu/t.idle.seconds)
	random := rand.New(rand.NewPCG(o.Seed, 0))
	var grants []taxGrant
	for _, grant := range o.Grants {
		g, err := t.grant(ctx, grant, order(random, o.Pairs))
		if err != nil {
			return err
		}
		grants = append(grants, g)
	}
	return printTax(out, s.database.version, grants)
}

// taxStudy measures windows on a stand.
type taxStudy struct {
	*stand
	idle taxWindow
}

// taxWindow is what one stretch of time used.
type taxWindow struct {
	tokens  int
	load    float64 // seconds of load
	seconds float64 // from reading to reading
	cpu     float64 // processor seconds of the database
	taxSums
}

// add joins the windows of a mode.
func (w *taxWindow) add(o taxWindow) {
	w.tokens += o.tokens
	w.load += o.load
	w.seconds += o.seconds
	w.cpu += o.cpu
	w.taxSums = w.plus(o.taxSums, 1)
}

// perToken is the database's processor time per token, idling taken off.
func (w taxWindow) perToken(idle taxWindow) float64 {
	return (w.cpu - w.seconds*idle.cpu/idle.seconds) / float64(w.tokens)
}

// taxGrant is what was measured of a grant.
type taxGrant struct {
	grant   string
	pairs   [][2]taxWindow // on, off
	on, off taxWindow
	idle    taxWindow
}

// idling measures the database without load.
func (t taxStudy) idling(ctx context.Context, length time.Duration) (taxWindow, error) {
	return t.between(ctx, func() (int, error) {
		if !sleepUntil(ctx, time.Now().Add(length)) {
			return 0, ctx.Err()
		}
		return 0, nil
	})
}

// grant warms both modes up and measures the pairs.
func (t taxStudy) grant(ctx context.Context, grant string, pairs [][2]string) (taxGrant, error) {
	g := taxGrant{grant: grant, idle: t.idle}
	for _, mode := range []string{on, off} {
		if _, err := t.window(ctx, grant, mode, 0, warmUp); err != nil {
			return g, err
		}
	}
	for i, modes := range pairs {
		var pair [2]taxWindow
		for _, mode := range modes {
			w, err := t.window(ctx, grant, mode, i+1, t.options.Measure)
			if err != nil {
				return g, err
			}
			if mode == on {
				pair[0] = w
				g.on.add(w)
			} else {
				pair[1] = w
				g.off.add(w)
			}
		}
		g.pairs = append(g.pairs, pair)
	}
	return g, nil
}

// window runs load against one key manager.
func (t taxStudy) window(ctx context.Context, grant, mode string, pair int, length time.Duration) (taxWindow, error) {
	name := fmt.Sprintf("%s-%s-%d", grant, mode, pair)
	b := users.Burst{URL: t.urls[mode], Grant: grant, Duration: length, Rate: t.options.Rate, JTL: t.path("jtl", name+".jtl")}
	if grant == keymanager.RefreshToken {
		prepare := b
		prepare.JTL, prepare.Rate = t.path("jtl", name+"-prepare.jtl"), 0
		if tally, err := t.load(ctx, users.Command{Prepare: true, Burst: prepare}); err != nil || tally.Failures > 0 {
			return taxWindow{}, fmt.Errorf("give users a refresh token: %d failures: %s: %w", tally.Failures, tally.Failure, err)
		}
	}
	w, err := t.between(ctx, func() (int, error) {
		tally, err := t.load(ctx, users.Command{Burst: b})
		if err == nil && (tally.Failures > 0 || tally.Tokens == 0) {
			err = fmt.Errorf("%s: %d tokens, %d failures: %s", name, tally.Tokens, tally.Failures, tally.Failure)
		}
		return tally.Tokens, err
	})
	w.load = length.Seconds()
	return w, err
}

// between measures what work uses, purge included.
func (t taxStudy) between(ctx context.Context, work func() (int, error)) (taxWindow, error) {
	var w taxWindow
	before, err := t.meter(ctx)
	if err != nil {
		return w, err
	}
	if w.tokens, err = work(); err != nil {
		return w, err
	}
	after, err := t.meter(ctx)
	w.seconds, w.cpu = after.at.Sub(before.at).Seconds(), after.cpu-before.cpu
	w.taxSums = after.plus(before.taxSums, -1)
	return w, err
}

// taxMeter is a reading of an idle rig.
type taxMeter struct {
	at  time.Time
	cpu float64
	taxSums
}

// meter waits for purge and for a reading of the exporter that is newer than
// everything before.
func (t taxStudy) meter(ctx context.Context) (taxMeter, error) {
	var m taxMeter
	if _, err := t.database.quiesce(ctx, t.options.Quiesce); err != nil {
		return m, err
	}
	since := float64(time.Now().UnixMilli()) / 1000
	for deadline := time.Now().Add(20 * time.Second); ; {
		families, err := t.exporter.succeeding(ctx, 10*time.Second, "statements")
		if err != nil {
			return m, err
		}
		if sum(families["wso2_token_statement_read_timestamp_seconds"], nil) > since {
			m.taxSums = readTaxSums(families)
			m.at = time.Now()
			m.cpu, err = processCPU(t.database.pid)
			return m, err
		}
		if time.Now().After(deadline) {
			return m, errors.New("the exporter reads no statement summaries any more")
		}
		if !sleepUntil(ctx, time.Now().Add(100*time.Millisecond)) {
			return m, ctx.Err()
		}
	}
}
