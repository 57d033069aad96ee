package study_test

import (
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

const unknown = -1 // a utilisation without a series

// Every sentence follows from its numbers: what a token costs, which host limits
// throughput before and after, and what became of the throughput.
func TestExplanation(t *testing.T) {
	loss := []float64{-0.20, -0.22, -0.21, -0.19, -0.23}
	gain := []float64{0.25, 0.24, 0.26, 0.25, 0.27}
	wide := []float64{0.1, -0.1, 0.12, -0.12, 0.02}
	const jwt = "as the published page says: the refresh token is then a signed JWT, a second signature"
	rate := func(o *study.Options) { o.Load = study.RateLoad }
	uncounted := func(o *study.Options) { o.Environment.APIManager.VCPUs, o.Environment.Database.VCPUs = 0, 0 }
	for _, c := range []struct {
		name, grant string
		ratios      []float64
		on, off     [2]float64 // API Manager, database
		options     func(*study.Options)
		want        []string
		not         []string
	}{
		{
			"the published password case", "password", loss, [2]float64{0.93, 0.31}, [2]float64{0.95, 0.08}, nil,
			[]string{
				"password: The API Manager takes 0.9", " instead of 0.7", " core-ms per token (off/on 1.26 [1.24, 1.29]), " + jwt + "; the database takes ",
				"The API Manager (93 → 95 % busy), not the database (31 → 8 % busy), probably limits throughput in both modes.",
				"Throughput falls (off/on 0.81 [0.79, 0.83]); the 4 cores of the API Manager can issue at most ", " with persistence.",
			},
			[]string{"undecided", "of the database can issue"},
		},
		{
			"the bottleneck moves", "client_credentials", gain, [2]float64{0.60, 0.98}, [2]float64{0.97, 0.20}, nil,
			[]string{
				"client_credentials: The API Manager takes ",
				"The bottleneck moves from the database (98 → 20 % busy) to the API Manager (60 → 97 % busy). Throughput rises (off/on 1.29 [1.27, 1.31]); the 4 cores of the API Manager can",
			},
			[]string{"JWT"},
		},
		{
			"refresh with more work", "refresh_token", gain, [2]float64{0.60, 0.95}, [2]float64{0.97, 0.20}, nil,
			[]string{jwt}, nil,
		},
		{
			"refresh with less work", "refresh_token", gain, [2]float64{0.90, 0.85}, [2]float64{0.91, 0.20}, nil,
			[]string{"The API Manager (90 → 91 % busy), not the database (85 → 20 % busy), probably limits throughput in both modes."}, []string{"JWT"},
		},
		{
			"undecided", "password", wide, [2]float64{0.93, 0.31}, [2]float64{0.93, 0.31}, nil,
			[]string{"password: Whether the API Manager takes more or less per token is undecided (off/on 1.00 [", "; whether the database takes more or less per token is undecided", "Whether throughput changes is undecided (off/on 1.00 ["},
			[]string{"JWT", "can issue"},
		},
		{
			"sure enough to say so", "password", loss, [2]float64{0.97, 0.31}, [2]float64{0.98, 0.08}, nil,
			[]string{"The API Manager (97 → 98 % busy), not the database (31 → 8 % busy), limits throughput in both modes."}, []string{"probably"},
		},
		{
			"sure without persistence", "password", loss, [2]float64{0.86, 0.31}, [2]float64{0.98, 0.08}, nil,
			[]string{"The API Manager (86 → 98 % busy), not the database (31 → 8 % busy), limits throughput without persistence, and probably with it."}, nil,
		},
		{
			"sure with persistence", "password", loss, [2]float64{0.98, 0.31}, [2]float64{0.86, 0.08}, nil,
			[]string{"limits throughput with persistence, and probably without it."}, nil,
		},
		{
			"the bottleneck may move", "client_credentials", gain, [2]float64{0.60, 0.90}, [2]float64{0.97, 0.20}, nil,
			[]string{"The bottleneck probably moves from the database (90 → 20 % busy) to the API Manager (60 → 97 % busy)."}, nil,
		},
		{
			"nothing saturated", "password", loss, [2]float64{0.40, 0.31}, [2]float64{0.55, 0.08}, nil,
			[]string{"Neither the API Manager (40 → 55 % busy) nor the database (31 → 8 % busy) is saturated, so what limits throughput is outside both CPUs: waits for locks, disk or connections"},
			[]string{"can issue"},
		},
		{
			"saturated with persistence only", "client_credentials", gain, [2]float64{0.50, 0.90}, [2]float64{0.60, 0.20}, nil,
			[]string{"With persistence the database (90 → 20 % busy), not the API Manager (50 → 60 % busy), probably limits throughput; without it neither CPU is saturated, so the limit is outside both"}, nil,
		},
		{
			"saturated without persistence only", "password", loss, [2]float64{0.60, 0.31}, [2]float64{0.91, 0.08}, nil,
			[]string{"Without persistence the API Manager (60 → 91 % busy), not the database (31 → 8 % busy), probably limits throughput; with it neither CPU is saturated"}, nil,
		},
		{
			"both close", "password", loss, [2]float64{0.93, 0.85}, [2]float64{0.95, 0.88}, nil,
			[]string{"The API Manager (93 → 95 % busy), with the database close (85 → 88 % busy), probably limits throughput in both modes."}, nil,
		},
		{
			"one host known, saturated", "password", loss, [2]float64{0.93, unknown}, [2]float64{0.95, unknown}, nil,
			[]string{"The API Manager (93 → 95 % busy) probably limits throughput in both modes."}, []string{"the database"},
		},
		{
			"one host known, idle", "password", loss, [2]float64{0.40, unknown}, [2]float64{0.50, unknown}, nil,
			[]string{"The API Manager (40 → 50 % busy) does not limit throughput, and the other host's CPU is unknown."}, nil,
		},
		{
			"one host known, saturated in one mode", "password", loss, [2]float64{unknown, 0.40}, [2]float64{unknown, 0.85}, nil,
			[]string{"Without persistence the database (40 → 85 % busy) probably limits throughput; with it that host is not saturated, and the other's CPU is unknown."}, nil,
		},
		{
			"core counts unknown", "password", loss, [2]float64{0.93, 0.31}, [2]float64{0.95, 0.08}, uncounted,
			[]string{"password: The API Manager (93 → 95 % busy), not the database"}, []string{"core-ms", "can issue", "JWT"},
		},
		{
			"one pair", "client_credentials", gain[:1], [2]float64{0.60, 0.95}, [2]float64{0.97, 0.20}, nil,
			[]string{"client_credentials: The API Manager took ", "no interval); the database took ", "Throughput off/on was 1.2", "within this window only."}, []string{"can issue", "rises"},
		},
		{
			"a given rate", "password", []float64{0, 0.001, -0.001, 0.0005, 0}, [2]float64{0.40, 0.30}, [2]float64{0.60, 0.10}, rate,
			[]string{"At the offered rate the API Manager is 40 → 60 % busy, the database is 30 → 10 % busy."}, []string{"limit", "Throughput"},
		},
		{
			"a given rate close to saturation", "password", []float64{0, 0.001, -0.001, 0.0005, 0}, [2]float64{0.70, 0.30}, [2]float64{0.90, 0.10}, rate,
			[]string{"the API Manager is 70 → 90 % busy, which leaves it little room, the database is", "The 4 cores of the API Manager can issue at most "}, []string{"limits"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, o := noisyOne(pairs(c.grant, c.ratios...)), options()
			if c.options != nil {
				c.options(&o)
			}
			got := study.Run(busy(d, c.on, c.off), o).Explanation
			if len(got) != 1 {
				t.Fatalf("%d explanations: %q", len(got), got)
			}
			for _, want := range c.want {
				if !strings.Contains(got[0], want) {
					t.Errorf("no %q in\n%s", want, got[0])
				}
			}
			for _, not := range c.not {
				if strings.Contains(got[0], not) {
					t.Errorf("%q in\n%s", not, got[0])
				}
			}
			if n := strings.Count(got[0], ". ") + 1; n > 3 {
				t.Errorf("%d sentences: %s", n, got[0])
			}
		})
	}
}

// Nothing is said where nothing was measured or a declared input is unusable.
func TestNoExplanation(t *testing.T) {
	gain := []float64{0.25, 0.24, 0.26, 0.25, 0.27}
	if got := study.Run(pairs("password", gain...), options()).Explanation; len(got) != 0 {
		t.Errorf("without any CPU: %q", got)
	}
	d := busy(pairs("password", gain...), [2]float64{0.9, 0.3}, [2]float64{0.9, 0.1})
	d.Problems = []source.Problem{{Window: 0, Text: "on-1.jtl is empty", NoData: true}}
	if got := study.Run(d, options()).Explanation; len(got) != 0 {
		t.Errorf("without data: %q", got)
	}
}

// What the cores can issue is what they issued over how busy they were: 4 cores
// at 0.4 core-ms for a token are 10,000 tokens/s.
func TestCapacityInTheExplanation(t *testing.T) {
	d := offered(1, 0.20, 0.21, 0.19, 0.20)
	for _, r := range d.Runs {
		v := 0.5 // of 4 cores at 5000 to 5300 tokens/s, hence 10,000 to 10,600
		if r.Window.Mode == source.Off {
			v = 0.9 + 0.001*float64(r.Window.Block)
		}
		points(r, source.APIManagerCPU, warmup/2, v, v, v, v, v, v, v, v)
	}
	got := study.Run(d, atRate()).Explanation[0]
	if !strings.Contains(got, "The 4 cores of the API Manager can issue at most 57") {
		t.Errorf("%s", got)
	}
	single := atRate()
	single.Environment.APIManager.VCPUs = 1
	if got := study.Run(d, single).Explanation[0]; !strings.Contains(got, "The one core of the API Manager can issue at most ") {
		t.Errorf("%s", got)
	}
	if !strings.Contains(got, " tokens/s at that cost, 102") && !strings.Contains(got, " tokens/s at that cost, 103") {
		t.Errorf("%s", got)
	}
}
