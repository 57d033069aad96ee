// Package rig runs the published experiment on one machine: a private database,
// two key managers, one with token persistence and one without, a closed loop of
// users, the real exporter scraped by a real Prometheus, and the analysis of
// what was recorded. Every number it yields was measured on real processes; none
// of them is evidence about API Manager, and every report says so.
//
// It refuses to touch token tables it did not create, and it ends with an error
// when the counts of tokens do not agree.
//
//	err := rig.Demo(ctx, rig.Options{Pairs: 5, Warmup: 2 * time.Second, Measure: 4 * time.Second}, os.Stdout)
package rig

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/internal/preload"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
)

// Banner heads every report made from the rig.
const Banner = "Demonstration rig: not evidence about API Manager"

// Options are the flags of the demo.
type Options struct {
	Out           string        // folder for everything that is kept; must be new or empty
	Serve         bool          // keep the parts running after the report
	Pairs         int           // pairs of windows per grant
	Warmup        time.Duration // discarded at the start of each window
	Measure       time.Duration // measured after it
	Users         int
	Applications  int
	Rate          float64 // offered tokens per second; 0: closed loop
	Grants        []string
	Seed          uint64
	Preload       int           // rows in the token table before the first window
	Quiesce       time.Duration // longest wait for the database between windows
	DSN           string        // the user's own server; empty: a private one
	UseExisting   bool          // use token tables that the testbed did not create
	PrometheusURL string        // the user's own Prometheus; empty: one in this process
	Exporter      string        // path of the exporter; empty: beside us, or built
	Analyze       string        // path of analyze; empty: beside us, or built
	Listen        string        // the exporter's address; empty: a free port, or :9851 for --prometheus-url
	WindowsListen string        // the test windows' address; empty: a free port, or :9852 for --prometheus-url
	CloudWatch    string        // the CloudWatch endpoint's address; empty: a free port
	CPUs          Layout        // parts given here override the default split
	PlainText     bool          // the analysis prints no colour
	Formats       []string      // what the analysis writes, in its own words
}

// Grants are the grants of the published experiment in its order.
func Grants() []string {
	return []string{keymanager.ClientCredentials, keymanager.Password, keymanager.RefreshToken}
}

// ErrOptions is wrapped by every error about a flag's value.
var ErrOptions = errors.New("wrong option")

// Check reports the first value that makes no sense, by its flag.
func (o Options) Check() error {
	for _, c := range []struct {
		wrong bool
		text  string
	}{
		{o.Pairs < 1 || o.Pairs > 1000, fmt.Sprintf("--pairs %d: want 1 to 1000", o.Pairs)},
		{o.Warmup < 0 || o.Warmup%time.Millisecond != 0, fmt.Sprintf("--warmup %s: want whole milliseconds, 0s or more", o.Warmup)},
		// A sample each second, a few milliseconds early or late, is sure to fall
		// into two seconds only.
		{o.Measure < 2*time.Second, fmt.Sprintf("--measure %s: want 2s or more", o.Measure)},
		{o.Users < 1 || o.Users > 10_000, fmt.Sprintf("--users %d: want 1 to 10000", o.Users)},
		{o.Applications < 1 || o.Applications > 10_000, fmt.Sprintf("--applications %d: want 1 to 10000", o.Applications)},
		{!(o.Rate >= 0) || o.Rate > 1e6, fmt.Sprintf("--rate %v: want tokens per second, or 0 for a closed loop", o.Rate)},
		{o.Preload < 0 || o.Preload > preload.Most, fmt.Sprintf("--preload %d: want 0 to %d rows", o.Preload, preload.Most)},
		{o.UseExisting && o.DSN == "", "--dsn-use-existing has a meaning with --dsn only"},
		{len(o.Grants) == 0, "--grants names no grant"},
	} {
		if c.wrong {
			return fmt.Errorf("%w: %s", ErrOptions, c.text)
		}
	}
	for i, grant := range o.Grants {
		if !slices.Contains(Grants(), grant) || slices.Contains(o.Grants[:i], grant) {
			return fmt.Errorf("%w: --grants %q: want distinct names out of %v", ErrOptions, grant, Grants())
		}
	}
	return nil
}
