// Package projection says what a measured system would do with other hardware or
// another number of users. It takes the service demands of a report, run by run,
// builds a closed queueing network of API Manager's cores and the database's,
// and counts the rest of the response time as a delay. Before it says anything
// about hardware that nobody measured it gives back the throughput that was
// measured, and refuses a grant for which it is more than a tenth off.
//
// It refuses reports without users or vCPUs, and those of a fixed rate: there
// the throughput is what the load generator asked for.
//
//	p, err := projection.Run(r, projection.Options{APIManagerVCPUs: 8, Seed: 1})
package projection

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Tolerance is how far, as a ratio, the model may be off the measured throughput.
const Tolerance = 0.10

const level = 0.95 // of every interval

// Limits of what is solved. More is no API Manager, and takes minutes.
const (
	MostUsers = 10_000
	MostVCPUs = 1024
)

// Options say what to project to. 0 leaves as measured.
type Options struct {
	APIManagerVCPUs int
	DatabaseVCPUs   int
	Users           int
	Think           float64 // seconds between answer and next request, in the measured runs too
	Seed            uint64
	Draws           int // of the Monte Carlo intervals; 0 chooses by the size of the network
}

// InputError says what the report or the options lack: its reader has to change
// a flag, or the experiment file and run compare again.
type InputError struct{ Text string }

// Error is the text as it is: it names the flag or the key.
func (e *InputError) Error() string { return e.Text }

func input(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

// Run projects every grant of a report. Grants for which it cannot are refused
// one by one, with the reason; an error, always an *InputError, is about the
// whole. The same report and options give the same projection.
func Run(r report.Report, o Options) (report.Projection, error) {
	measured := report.Hardware{
		APIManagerVCPUs: r.Environment.APIManager.VCPUs, DatabaseVCPUs: r.Environment.Database.VCPUs,
		Users: r.Environment.Users, ThinkSeconds: o.Think,
	}
	if err := check(r, measured, o); err != nil {
		return report.Projection{}, err
	}
	then := measured
	for _, c := range []struct {
		field *int
		asked int
	}{{&then.APIManagerVCPUs, o.APIManagerVCPUs}, {&then.DatabaseVCPUs, o.DatabaseVCPUs}, {&then.Users, o.Users}} {
		if c.asked > 0 {
			*c.field = c.asked
		}
	}
	draws := o.Draws
	if draws == 0 {
		draws = affordable(then)
	}
	p := report.Projection{
		SchemaVersion: report.SchemaVersion, Title: r.Title, Banner: r.Banner,
		Measured: measured, Projected: then,
		Tolerance: Tolerance, Level: level, Draws: draws, Seed: o.Seed,
	}
	var known facts
	for _, g := range r.Grants {
		p.Grants = append(p.Grants, projectGrant(r, g.Grant, p, &known))
	}
	if !known.intervals {
		p.Draws = 0
	}
	p.Assumptions = assumptions(p, known)
	return p, nil
}

// check refuses what makes the whole impossible.
func check(r report.Report, measured report.Hardware, o Options) error {
	switch {
	case r.Hypothesis.Load == "rate":
		return input("the report is of load: rate, where the load generator sets the throughput: project needs load: closed")
	case measured.APIManagerVCPUs < 1:
		return input("the report does not say how many vCPUs API Manager had: add environment.apim.vcpus to the experiment file and compare again")
	case measured.Users < 1:
		return input("the report does not say how many users asked for tokens: add environment.users to the experiment file and compare again")
	case o.DatabaseVCPUs > 0 && measured.DatabaseVCPUs < 1:
		return input("--database-vcpus needs to know how many vCPUs the database had: add environment.database.vcpus to the experiment file and compare again")
	case !(o.Think >= 0) || math.IsInf(o.Think, 0):
		return input("--think %v s is no time to think", o.Think)
	case len(r.Grants) == 0:
		return input("the report has no grant")
	}
	for _, c := range []struct {
		name        string
		value, most int
	}{
		{"environment.apim.vcpus", measured.APIManagerVCPUs, MostVCPUs}, {"environment.database.vcpus", measured.DatabaseVCPUs, MostVCPUs},
		{"environment.users", measured.Users, MostUsers},
		{"--apim-vcpus", o.APIManagerVCPUs, MostVCPUs}, {"--database-vcpus", o.DatabaseVCPUs, MostVCPUs}, {"--users", o.Users, MostUsers},
	} {
		if c.value < 0 || c.value > c.most {
			return input("%s is %d: project takes 1 to %d", c.name, c.value, c.most)
		}
	}
	return nil
}

// affordable is how many draws take seconds rather than minutes: one solution
// takes time in proportion to users × servers.
func affordable(h report.Hardware) int {
	const (
		most  = 5000
		least = 200
		work  = 500_000_000
	)
	size := h.Users * (80 + min(h.APIManagerVCPUs, h.Users) + min(h.DatabaseVCPUs, h.Users))
	return max(least, min(most, work/size))
}

// number is v for the projection, nil when JSON could not hold it.
func number(v float64) report.Number {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
