package study

import (
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Conditions of --fail-on.
const (
	FailOnFail         = "fail"
	FailOnInconclusive = "inconclusive"
	FailOnNoData       = "nodata"
	FailOnReference    = "reference"
)

// Exit codes of a finished analysis. 1 and 2 belong to the program: work that
// failed, and a wrong command.
const (
	ExitPass         = 0
	ExitFail         = 10
	ExitInconclusive = 11
	ExitNoData       = 12
	ExitReference    = 13
)

// ExitCode maps a report to the exit status that failOn asks for: the gravest
// of the listed conditions that holds for any grant, in the order fail, nodata,
// inconclusive, reference. A condition that is not listed does not hide another:
// with nodata alone, a grant without data is reported even when a second grant
// fails.
func ExitCode(r report.Report, failOn []string) int {
	for _, c := range []struct {
		condition string
		verdict   report.Verdict
		code      int
	}{
		{FailOnFail, report.Fail, ExitFail},
		{FailOnNoData, report.NoData, ExitNoData},
		{FailOnInconclusive, report.Inconclusive, ExitInconclusive},
	} {
		holds := r.Verdict == c.verdict || slices.ContainsFunc(r.Grants, func(g report.Grant) bool { return g.Verdict == c.verdict })
		if holds && slices.Contains(failOn, c.condition) {
			return c.code
		}
	}
	differs := slices.ContainsFunc(r.Reference, func(ref report.Reference) bool { return ref.Result == resultDiffers })
	if differs && slices.Contains(failOn, FailOnReference) {
		return ExitReference
	}
	return ExitPass
}
