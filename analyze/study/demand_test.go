package study_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) }

// sampled is a pair of windows at 5000 tokens/s whose points of 7 s lie in the
// measured part from 14 to 35 s; a rush thereafter is in the throughput only.
func sampled() source.Dataset {
	d := pairs("password", 0)
	for _, r := range d.Runs {
		r.Requests.Seconds[36].Successes *= 10
		points(r, source.APIManagerCPU, 7*time.Second, 9, 9, 0.2, 0.4, 0.6, 9)
		points(r, source.DatabaseCPU, 7*time.Second, 9, 9, 0.1, 0.1, 0.4, 9)
		points(r, source.DatabaseIOPS, 7*time.Second, 9, 9, 100, 200, 300, 9)
		points(r, source.DatabaseBytes, 7*time.Second, 9, 9, 1e6, 2e6, 3e6, 9)
	}
	return d
}

// D = U·m/X: 0.4 of 4 cores at 5000 tokens/s is 0.32 core-ms for a token.
func TestDemandIsTheUtilisationLaw(t *testing.T) {
	for _, c := range []struct {
		name, metric string
		d            source.Dataset
		o            study.Options
		want         float64
		n            int
	}{
		{"API Manager", "apim_core_ms", sampled(), options(), 0.32, 3},
		{"database", "database_core_ms", sampled(), options(), 0.32, 3},
		{"I/O", "ios_per_token", sampled(), options(), 0.04, 3},
		{"I/O bytes", "bytes_per_token", sampled(), options(), 400, 3},
		{"from counters", "apim_core_ms", counted(sampled()), options(), 0.32, 3},
	} {
		if got := offRun(t, c.d, c.o, c.metric); !near(got.Value, c.want) || got.N != c.n {
			t.Errorf("%s: %+v, want %v of %d points", c.name, got, c.want, c.n)
		}
	}
}

// Where requests were not counted, CPU does not count either.
func TestDemandTakesBothOverTheSameTime(t *testing.T) {
	d := counted(sampled())
	s := d.Runs[1].Series[source.EndpointRequests]
	s.Intervals = append(s.Intervals[:6:6], s.Intervals[7:]...) // from 30 to 35 s
	d.Runs[1].Series[source.EndpointRequests] = s
	if got := offRun(t, d, options(), "apim_core_ms"); !near(got.Value, 0.24) || got.N != 2 {
		t.Errorf("%+v, want 0.24 of the two points before 28 s", got)
	}
}

// A second that a point covers in part counts by that part.
func TestDemandSharesSeconds(t *testing.T) {
	d := pairs("password", 0)
	for _, r := range d.Runs {
		for i := range r.Requests.Seconds {
			r.Requests.Seconds[i].Successes = uint64(100 * i)
		}
		r.Series[source.APIManagerCPU] = source.Series{Step: 2 * time.Second, Points: []source.Point{
			{Time: r.Window.Start.Add(10500 * time.Millisecond), Value: 0.5},
		}}
	}
	// Half of 1000, all of 1100, half of 1200.
	if got, want := offRun(t, d, options(), "apim_core_ms").Value, 4000*0.5*2/2200; !near(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Without the core count, without the series or without tokens there is no cost,
// and the reader is told what is missing.
func TestDemandUnknown(t *testing.T) {
	o := options()
	o.Environment.APIManager.VCPUs = 0
	r := study.Run(sampled(), o)
	if c := comparison(r, "password", "apim_core_ms"); c.Metric != "" || !warned(r.Warnings, "apim-cores") {
		t.Errorf("%+v, %+v", c, r.Warnings)
	}
	if c := comparison(r, "password", "database_core_ms"); c.Ratio.Estimate == nil {
		t.Errorf("the database's cost went with the API Manager's: %+v", c)
	}

	d := sampled()
	delete(d.Runs[0].Series, source.DatabaseCPU)
	c := comparison(study.Run(d, options()), "password", "database_core_ms")
	if c.Ratio.Estimate != nil || !warned(c.Warnings, "missing-data") {
		t.Errorf("%+v", c)
	}

	d = sampled()
	clear(d.Runs[0].Requests.Seconds[14:35])
	c = comparison(study.Run(d, options()), "password", "apim_core_ms")
	if c.Ratio.Estimate != nil || !strings.Contains(c.Warnings[0].Text, "no token was issued") {
		t.Errorf("%+v", c)
	}
}

// The interval of a cost is that of the log ratios of the pairs: with the
// throughput equal, what the CPU says.
func TestDemandOverPairs(t *testing.T) {
	costs := []float64{0.10, 0.12, 0.08, 0.11, 0.09}
	r := study.Run(offered(0.2, costs...), options())
	c := comparison(r, "password", "apim_core_ms")
	if c.Method != "paired t on log ratios, 5 pairs" || c.Status != "descriptive" || math.Abs(math.Log(*c.Ratio.Estimate)-0.1) > 1e-9 {
		t.Errorf("%+v", c)
	}
	// sd 0.0158114, t(4) at 97.5 % 2.7764451: half-width 0.0196324.
	if math.Abs(math.Log(*c.Ratio.Hi)-0.1196324) > 1e-6 || math.Abs(math.Log(*c.Ratio.Lo)-0.0803676) > 1e-6 {
		t.Errorf("[%v, %v]", math.Log(*c.Ratio.Lo), math.Log(*c.Ratio.Hi))
	}
	if r.Verdict != report.Inconclusive {
		t.Errorf("%s: a cost decided under a closed loop", r.Verdict)
	}
}

// Points that are known to be missing are told apart from a grid that starts
// where it likes.
func TestMissingPoints(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds []float64 // when points of 5 s start; measured from 10 to 40 s
		want    string
	}{
		{"aligned", []float64{5, 10, 15, 20, 25, 30, 35}, ""},
		{"shifted", []float64{8, 13, 18, 23, 28, 33, 38}, ""},
		{"jittery and aligned", []float64{9.99, 15.01, 20, 24.99, 30, 35.01}, ""},
		{"the first", []float64{15, 20, 25, 30, 35}, "1 of 6 points"},
		{"the last two", []float64{10, 15, 20, 25}, "2 of 6 points"},
		{"one in the middle", []float64{10, 15, 25, 30, 35}, "1 of 6 points"},
		{"all but one", []float64{20}, "5 of 6 points"},
		{"jittery, three in the middle", []float64{8.01, 13, 17.99, 38}, "3 of 5 points"},
	} {
		d := offered(0.2, 0, 0.01, -0.01, 0)
		w := d.Runs[0].Window
		s := source.Series{Step: 5 * time.Second}
		for _, at := range c.seconds {
			s.Points = append(s.Points, source.Point{Time: w.Start.Add(time.Duration(at * float64(time.Second))), Value: 0.4})
		}
		d.Runs[0].Series[source.APIManagerCPU] = s
		r := study.Run(d, atRate())
		why, want := r.Grants[0].Why, report.Pass
		if c.want != "" {
			want = report.Inconclusive
		}
		if r.Verdict != want || !strings.Contains(why, c.want) {
			t.Errorf("%s: %s, %s; want %s with %q", c.name, r.Verdict, why, want, c.want)
		}
		if got := warned(comparison(r, "password", "apim_core_ms").Warnings, "missing-data"); got != (c.want != "") {
			t.Errorf("%s: warned = %v", c.name, got)
		}
	}
}
