// Package calibrate measures what one RS256 signature and one verification take
// of a processor, on one thread and with all of them busy: what a token without
// persistence costs more. It measures processor time, not wall time, with the
// JVM that API Manager runs on, or with Go's crypto/rsa where there is none. It
// reads nothing and connects to nothing.
//
//	r, err := calibrate.Java(ctx, "/usr/bin/java", calibrate.Settings{Bits: 2048, Round: 500 * time.Millisecond, Rounds: 7, Threads: 4})
package calibrate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Settings say how to measure.
type Settings struct {
	Bits    int           // of the RSA key: 2048, 3072 or 4096
	Round   time.Duration // of one measurement
	Rounds  int           // of each operation, on one and on all threads
	Threads int           // that keep all vCPUs busy
	WarmUp  time.Duration // of each operation
}

// Bits are the sizes of key that are measured.
func Bits() []int { return []int{2048, 3072, 4096} }

// Operations by their name.
const (
	signing   = "signature"
	verifying = "verification"
)

func (s Settings) check() error {
	if !slices.Contains(Bits(), s.Bits) || s.Round <= 0 || s.Rounds < 1 || s.Threads < 1 || s.WarmUp < 0 {
		return fmt.Errorf("calibrate with %d bits, %d rounds of %s on %d threads: want 2048, 3072 or 4096 bits and at least one of the others", s.Bits, s.Rounds, s.Round, s.Threads)
	}
	return nil
}

// rounds collects what the rounds of an operation took, in core-ms.
type rounds map[string]map[int][]float64

func (r rounds) add(operation string, threads int, ms float64) {
	if r[operation] == nil {
		r[operation] = map[int][]float64{}
	}
	r[operation][threads] = append(r[operation][threads], ms)
}

var errImplausible = errors.New("a round took no processor time, or a signature less than a verification: the clock of this machine cannot be used")

// calibration makes the document of the rounds.
func (r rounds) calibration(engine string, s Settings) (report.Calibration, error) {
	c := report.Calibration{SchemaVersion: report.SchemaVersion, Engine: engine, Bits: s.Bits, VCPUs: s.Threads, Rounds: s.Rounds}
	one, all := 1, s.Threads
	for _, into := range []struct {
		operation string
		threads   int
		cost      *report.Cost
	}{{signing, one, &c.Signature.One}, {signing, all, &c.Signature.All}, {verifying, one, &c.Verification.One}, {verifying, all, &c.Verification.All}} {
		values := slices.Sorted(slices.Values(r[into.operation][into.threads]))
		if len(values) == 0 || values[0] <= 0 {
			return c, errImplausible
		}
		*into.cost = report.Cost{Median: values[len(values)/2], Lo: values[0], Hi: values[len(values)-1]}
	}
	if c.Signature.One.Median <= c.Verification.One.Median {
		return c, errImplausible
	}
	c.Signature.Flag = flag(c.Signature)
	c.Verification.Flag = flag(c.Verification)
	return c, nil
}

// flag is the range that estimate takes: from the smallest round to the largest.
func flag(o report.Operation) string {
	lo, hi := min(o.One.Lo, o.All.Lo), max(o.One.Hi, o.All.Hi)
	return fmt.Sprintf("%.3gms..%.3gms", lo, hi)
}
