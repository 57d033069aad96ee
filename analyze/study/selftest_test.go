package study_test

import (
	"reflect"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// The gate proves itself under every sensible pair of limits, and all four
// verdicts occur.
func TestSelfTest(t *testing.T) {
	for _, maxLoss := range []float64{0, 0.01, 0.05, 0.3, 0.9} {
		for _, maxErrors := range []float64{0.00001, 0.005, 0.2, 0.9} {
			o := study.Defaults()
			o.MaxLoss, o.MaxErrorIncrease = maxLoss, maxErrors
			cases := study.SelfTest(o)
			seen := map[report.Verdict]bool{}
			for _, c := range cases {
				seen[c.Got] = true
				if !c.OK() {
					t.Errorf("max loss %g, max errors %g: %s: %s, want %s (%s)", maxLoss, maxErrors, c.Name, c.Got, c.Want, c.Why)
				}
			}
			if len(seen) != 4 || !study.CanFail(cases) {
				t.Errorf("max loss %g, max errors %g: verdicts %v, can fail %t", maxLoss, maxErrors, seen, study.CanFail(cases))
			}
		}
	}
}

// Without any allowance for errors no finite number of requests can pass; the
// self-test says so instead of calling such a gate proven.
func TestSelfTestOfAGateThatCannotPass(t *testing.T) {
	o := study.Defaults()
	o.MaxErrorIncrease = 0
	cases := study.SelfTest(o)
	if study.CanFail(cases) || cases[2].OK() || cases[2].Got != report.Inconclusive {
		t.Errorf("%+v", cases[2])
	}
}

// A gate that no verdict can stop is none.
func TestSelfTestNoticesAToothlessGate(t *testing.T) {
	o := study.Defaults()
	for _, c := range []struct {
		failOn []string
		want   bool
	}{{nil, false}, {[]string{"nodata", "inconclusive"}, false}, {[]string{"fail"}, true}} {
		o.FailOn = c.failOn
		if got := study.CanFail(study.SelfTest(o)); got != c.want {
			t.Errorf("--fail-on %v: can fail %t, want %t", c.failOn, got, c.want)
		}
	}
	cases := study.SelfTest(study.Defaults())
	cases[2].Got = report.Fail
	if study.CanFail(cases) {
		t.Error("a gate that fails a gain counts as one that works")
	}
	if study.CanFail(nil) {
		t.Error("nothing was tried and it counts as proof")
	}
	if again := study.SelfTest(study.Defaults()); !reflect.DeepEqual(again, study.SelfTest(study.Defaults())) {
		t.Error("the same options give other cases")
	}
}
