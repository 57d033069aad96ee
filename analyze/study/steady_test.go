package study_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// shape is the level of a second of a window, as a ratio of its usual level.
type shape func(mode source.Mode, block int, second float64) float64

// shaped builds blocks of windows of 310 s, of which 300 are measured, with so
// much noise in each second and 10 % more throughput without persistence.
func shaped(blocks int, noise float64, f shape) source.Dataset {
	const seconds = 310
	random := rand.New(rand.NewPCG(3, 77))
	var d source.Dataset
	for i := range 2 * blocks {
		block := i/2 + 1
		mode := source.On
		if (i+block)%2 == 0 {
			mode = source.Off
		}
		start := noon.Add(time.Duration(i) * 10 * time.Minute)
		r := source.Run{
			Window:   source.Window{Grant: "password", Mode: mode, Block: block, Start: start, End: start.Add(seconds * time.Second)},
			Requests: &source.Requests{Seconds: make([]source.Second, seconds)},
			Series:   map[string]source.Series{},
		}
		level := 1000 * math.Exp(0.005*random.NormFloat64())
		if mode == source.Off {
			level *= 1.1
		}
		for s := range r.Requests.Seconds {
			v := level * f(mode, block, float64(s)) * (1 + noise*random.NormFloat64())
			r.Requests.Seconds[s].Successes = uint64(max(v, 0))
		}
		d.Runs = append(d.Runs, r)
	}
	return d
}

func flat(source.Mode, int, float64) float64 { return 1 }

// stepOf is a window of one mode that loses a part of its level after 150 s.
func stepOf(mode source.Mode, loss float64, blocks ...int) shape {
	return func(m source.Mode, block int, second float64) float64 {
		if m == mode && second >= 160 && slices.Contains(blocks, block) {
			return 1 - loss
		}
		return 1
	}
}

func slope(mode source.Mode, loss float64) shape {
	return func(m source.Mode, _ int, second float64) float64 {
		if m == mode || mode == "" {
			return 1 - loss*second/310
		}
		return 1
	}
}

// A step or a drift caps the verdict where it moves the ratio by more than half
// the margin, and only there.
func TestStepsAndDriftsCapTheVerdict(t *testing.T) {
	all := []int{1, 2, 3, 4, 5}
	for _, c := range []struct {
		name    string
		shape   shape
		warning string // "" for none
		want    report.Verdict
		why     string
	}{
		{"nothing moves", flat, "", report.Pass, "the loss is at most 5 %"},
		{"every window without persistence falls", stepOf(source.Off, 0.10, all...), "step", report.Inconclusive, "more than half the allowed loss"},
		{"every window with persistence falls", stepOf(source.On, 0.10, all...), "step", report.Inconclusive, "more than half the allowed loss"},
		{"one window of five falls", stepOf(source.Off, 0.10, 2), "step", report.Pass, "the loss is at most 5 %"},
		{"a step too small to matter", stepOf(source.Off, 0.03, all...), "", report.Pass, "the loss is at most 5 %"},
		{"what drifts without persistence", slope(source.Off, 0.12), "drift", report.Inconclusive, "throughput drifts by -1"},
		{"a drift common to both modes moves no ratio", slope("", 0.12), "drift", report.Pass, "the loss is at most 5 %"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := study.Run(shaped(5, 0.05, c.shape), options())
			if r.Verdict != c.want || !strings.Contains(r.Grants[0].Why, c.why) {
				t.Errorf("%s, %q; want %s with %q", r.Verdict, r.Grants[0].Why, c.want, c.why)
			}
			found := comparison(r, "password", "throughput").Warnings
			for _, id := range []string{"step", "drift"} {
				if warned(found, id) != (id == c.warning) {
					t.Errorf("warnings %+v; want %q", found, c.warning)
				}
			}
		})
	}
}

// In a window from which rows may be missing an apparent change counts even if
// noise may have made it: what is gone may be what would have shown it.
func TestDoubtfulWindowsCountAsMoving(t *testing.T) {
	d := shaped(5, 0.25, stepOf(source.On, 0.07, 1, 2, 3, 4, 5))
	before := study.Run(d, options())
	if before.Verdict != report.Pass {
		t.Fatalf("%+v", before.Grants)
	}
	for _, r := range d.Runs {
		if r.Window.Mode == source.On {
			r.Requests.BadRows = 1
		}
	}
	after := study.Run(d, options())
	if after.Verdict != report.Inconclusive || !strings.Contains(after.Grants[0].Why, "its ratio moves") {
		t.Errorf("%+v", after.Grants)
	}
	if was, is := comparison(before, "password", "throughput").Warnings, comparison(after, "password", "throughput").Warnings; !slices.Equal(was, is) {
		t.Errorf("what no test found is warned of: %+v, before %+v", is, was)
	}
}

// A found loss stays a loss: movement never makes FAIL milder.
func TestMovementDoesNotSoftenAFail(t *testing.T) {
	f := func(mode source.Mode, _ int, second float64) float64 {
		if mode == source.Off && second >= 160 {
			return 0.5
		}
		return 1
	}
	if r := study.Run(shaped(5, 0.05, f), options()); r.Verdict != report.Fail {
		t.Errorf("%+v", r.Grants)
	}
}

// MSER-5 wants more than the trim where the ramp outlasts it, and is content
// where it does not. The counter says the same as the result file.
func TestWarmupIsChecked(t *testing.T) {
	ramp := func(tau float64) shape {
		return func(_ source.Mode, _ int, second float64) float64 { return 1 - 0.7*math.Exp(-second/tau) }
	}
	for _, c := range []struct {
		name    string
		tau     float64
		prepare change
		want    string // in the warning, "" for none
	}{
		{"a ramp within the trim", 1.5, nil, ""},
		{"a ramp beyond the trim", 20, nil, "the warm-up is 10 s: set warmup to"},
		{"a ramp beyond the trim, from counters", 20, counted, "the warm-up is 10 s: set warmup to"},
		{"a ramp that never ends", 300, nil, "no end of the warm-up in the first half"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := shaped(4, 0.05, ramp(c.tau))
			if c.prepare != nil {
				d = c.prepare(d)
			}
			r := study.Run(d, options())
			text := ""
			for _, w := range comparison(r, "password", "throughput").Warnings {
				if w.ID == "short-warmup" {
					text = w.Text
				}
			}
			if (text == "") != (c.want == "") || !strings.Contains(text, c.want) {
				t.Errorf("warning %q, want %q", text, c.want)
			}
			if s := r.Diagnostics[0].MSER5; c.tau == 20 && (s == nil || *s <= 10 || *s > 155) {
				t.Errorf("MSER-5 discards %v s", s)
			}
		})
	}
}

// Sign flips are printed from six pairs on, and the verdict does not hear them.
func TestSignFlipsAreShownFromSixPairsOn(t *testing.T) {
	gain := []float64{0.20, 0.22, 0.21, 0.19, 0.23, 0.18}
	for n, want := range map[int]string{5: "none", 6: "0.03125"} {
		r := study.Run(pairs("password", gain[:n]...), options())
		got := "none"
		if p := comparison(r, "password", "throughput").PSignFlip; p != nil {
			got = fmt.Sprint(*p)
		}
		if got != want || r.Verdict != report.Pass {
			t.Errorf("%d pairs: p = %s, %s; want %s", n, got, r.Verdict, want)
		}
		if said := slices.ContainsFunc(r.Methods, func(m string) bool { return strings.HasPrefix(m, "Sign-flip test") }); said != (n == 6) {
			t.Errorf("%d pairs: the methods say %q", n, r.Methods)
		}
	}
	if p := comparison(study.Run(unpaired(pairs("password", gain...)), options()), "password", "throughput").PSignFlip; p != nil {
		t.Errorf("runs without pairs: %v", *p)
	}
}

// At a given rate what is judged is what a token costs, so it is the CPU that
// must be steady: the same rule holds for either host.
func TestMovingCostsCapTheVerdictAtRate(t *testing.T) {
	for _, c := range []struct {
		name        string
		moves, want string
	}{
		{"nothing moves", "", "PASS"},
		{"API Manager gets busier", source.APIManagerCPU, "API Manager CPU per token steps by +2"},
		{"the database gets busier", source.DatabaseCPU, "Database CPU per token steps by +2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := shaped(5, 0, flat)
			random := rand.New(rand.NewPCG(6, 1))
			for _, r := range d.Runs {
				for i := range r.Requests.Seconds {
					r.Requests.Seconds[i].Successes = 1000
				}
				run := math.Exp(0.01 * random.NormFloat64())
				for _, host := range []string{source.APIManagerCPU, source.DatabaseCPU} {
					cpu := make([]float64, 62) // one point every 5 s
					for i := range cpu {
						cpu[i] = 0.6
						if r.Window.Mode == source.Off {
							cpu[i] = 0.4
							if host == c.moves && i >= 32 {
								cpu[i] = 0.5
							}
						}
						cpu[i] *= run * (1 + 0.005*random.NormFloat64())
					}
					points(r, host, 5*time.Second, cpu...)
				}
			}
			r := study.Run(d, atRate())
			if got := string(r.Grants[0].Verdict) + " " + r.Grants[0].Why; !strings.Contains(got, c.want) {
				t.Errorf("%s; want %q", got, c.want)
			}
			if c.moves != "" && r.Verdict != report.Inconclusive {
				t.Errorf("%s, want INCONCLUSIVE", r.Verdict)
			}
		})
	}
}
