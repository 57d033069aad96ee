package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/users"
)

// silentLimit is how long a server may answer nothing but failures.
const silentLimit = time.Minute

// run makes the load and says what came of it.
func (d *drive) run(ctx context.Context, stdout, stderr io.Writer) error {
	set, err := d.credentials(stderr)
	if err != nil {
		return err
	}
	target, err := d.target(ctx)
	if err != nil {
		return err
	}
	population := users.NewAt(target, set, d.users, d.seed)
	defer population.Close()
	first, err := population.First(ctx, d.grant)
	if err != nil {
		if r, ok := errors.AsType[*users.Refusal](err); ok && ctx.Err() == nil {
			return d.refused(r)
		}
		return err
	}
	fmt.Fprintf(stdout, "%s at %s\n", d.grant, d.url)
	fmt.Fprintf(stdout, "  load      %d users over %d applications, %s, %s, seed %d\n",
		d.users, min(d.users, len(set.Applications)), d.offered(), d.duration, d.seed)
	fmt.Fprintf(stdout, "  first     %d tokens before the measurement; they are not in the file\n", first)
	tally, err := d.load(ctx, population, stderr)
	if err != nil && tally.Tokens+tally.Failures == 0 {
		return err
	}
	d.summary(stdout, tally)
	if err == nil && tally.Tokens == 0 {
		err = errors.New("no request brought a token")
	}
	return err
}

// offered says what load is meant.
func (d *drive) offered() string {
	if d.rate > 0 {
		return fmt.Sprintf("%g tokens/s offered", d.rate)
	}
	return "closed loop"
}

// load runs the burst under watch.
func (d *drive) load(ctx context.Context, p *users.Population, stderr io.Writer) (users.Tally, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{out: stderr, start: time.Now(), length: d.duration, seen: p.Seen, give: cancel, lastToken: time.Now()}
	w.show = isTerminal(stderr)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { w.run(done) })
	tally, err := p.Load(ctx, users.Burst{Grant: d.grant, Duration: d.duration, Rate: d.rate, JTL: d.out})
	close(done)
	watching.Wait()
	if errors.Is(context.Cause(ctx), errSilent) {
		return tally, errSilent
	}
	return tally, err
}

var errSilent = fmt.Errorf("gave up: requests have failed for %s and none brought a token", silentLimit)

// watch shows how far a load is and ends one that brings nothing.
type watch struct {
	out       io.Writer
	show      bool
	start     time.Time
	length    time.Duration
	seen      func() (tokens, failures int64)
	give      context.CancelCauseFunc
	lastToken time.Time
	tokens    int64 // at lastToken
	failures  int64
	width     int
}

func (w *watch) run(done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			w.look(now)
		case <-done:
			if w.width > 0 {
				fmt.Fprintf(w.out, "\r%*s\r", w.width, "")
			}
			return
		}
	}
}

// look is one glance at the counts.
func (w *watch) look(now time.Time) {
	tokens, failures := w.seen()
	if tokens > w.tokens {
		w.lastToken, w.tokens, w.failures = now, tokens, failures
	} else if failures > w.failures && now.Sub(w.lastToken) > silentLimit {
		w.give(errSilent)
	}
	if !w.show {
		return
	}
	past := min(now.Sub(w.start), w.length)
	text := fmt.Sprintf("  %3.0f %%  %s of %s  %d tokens, %.0f/s, %d failures",
		100*past.Seconds()/w.length.Seconds(), past.Round(time.Second), w.length, tokens, float64(tokens)/max(past.Seconds(), 1), failures)
	fmt.Fprint(w.out, "\r"+text+strings.Repeat(" ", max(0, w.width-len(text))))
	w.width = max(w.width, len(text))
}

// summary says what the file holds.
func (d *drive) summary(out io.Writer, t users.Tally) {
	rows := t.Tokens + t.Failures
	length := t.Last.Sub(t.First)
	fmt.Fprintf(out, "  tokens    %d in %s, %.1f per second\n", t.Tokens, length.Round(time.Millisecond), float64(t.Tokens)/max(length.Seconds(), 1e-3))
	fmt.Fprintf(out, "  failures  %d of %d requests (%.2f %%)\n", t.Failures, rows, 100*float64(t.Failures)/float64(max(rows, 1)))
	if t.Failures > 0 {
		fmt.Fprintf(out, "            the first: %s\n", printable(t.Failure))
	}
	signatures := "signatures not (--jwks)"
	if d.jwks != "" {
		signatures = "and signature"
	}
	fmt.Fprintf(out, "  checked   structure, times, client, scope of every JWT; %s\n", signatures)
	if t.Opaque > 0 {
		fmt.Fprintf(out, "  opaque    %d access tokens are no JWT: only their presence was checked\n", t.Opaque)
	}
	if t.Chains > 0 {
		fmt.Fprintf(out, "  chains    %d refresh chains broke; each began anew with a password request\n            that is not in the file\n", t.Chains)
	}
	if t.Abandoned > 0 {
		fmt.Fprintf(out, "  broken    %d requests were in flight and not waited for; not in the file\n", t.Abandoned)
	}
	fmt.Fprintf(out, "  file      %s, %d rows, label %s\n", d.out, rows, users.Label(d.grant))
}

// printable keeps a server's text from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
