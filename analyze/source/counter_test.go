package source

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// TestIncrements compares sums of raw increments with known ones, resets and
// gaps included.
func TestIncrements(t *testing.T) {
	var truth struct {
		Cases []struct {
			ID         string
			Samples    [][2]float64
			Start, End float64
			Increase   float64 `json:"raw_increase"`
			Rate       float64 `json:"raw_rate"`
		}
	}
	text, err := os.ReadFile("testdata/counter_rate.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	for _, c := range truth.Cases {
		t.Run(c.ID, func(t *testing.T) {
			var samples []sample
			for _, s := range c.Samples {
				samples = append(samples, sample{int64(s[0] * 1000), s[1]})
			}
			in, _ := increments(samples, int64(c.Start*1000), int64(c.End*1000))
			sum, covered := 0.0, time.Duration(0)
			for _, i := range in {
				sum += i.Increase
				covered += i.To.Sub(i.From)
			}
			if near(sum, c.Increase) != nil || near(sum/covered.Seconds(), c.Rate) != nil {
				t.Errorf("increase %v at %v/s, want %v at %v/s", sum, sum/covered.Seconds(), c.Increase, c.Rate)
			}
		})
	}
}

// near allows the tolerance of the ground truth, 1e-12.
func near(got, want float64) error {
	if math.Abs(got-want) > 1e-12*math.Abs(want) {
		return os.ErrInvalid
	}
	return nil
}

// raw parses series into what a source hands over.
func raw(t *testing.T, text string) []rawSeries {
	t.Helper()
	series, err := sourcetest.Parse("start 1970-01-01T00:00:10Z step 10s\n" + text)
	if err != nil {
		t.Fatal(err)
	}
	var out []rawSeries
	for _, s := range series {
		r := rawSeries{labels: s.Labels.Map()}
		for _, p := range s.Samples {
			r.samples = append(r.samples, sample{p.T, p.V})
		}
		r.samples = usable(r.samples)
		out = append(out, r)
	}
	return out
}

// TestSumCounters lists what several series of one counter mean. Samples are at
// 10 s, 20 s … in the window from 10 s to 50 s.
func TestSumCounters(t *testing.T) {
	const up = `ok{collector="endpoint",instance="a"} 1 1 1 1 1` + "\n"
	for _, c := range []struct {
		name, series, clock string
		want                []float64
		resets              int
	}{
		{"one series", `n{instance="a"} 0 5 9 9 20`, "", []float64{5, 4, 0, 11}, 0},
		{"methods and codes of one target", "n{instance=\"a\",code=\"4xx\"} 0 1 2 3 4\nn{instance=\"a\",code=\"5xx\"} 0 10 20 30 40", up, []float64{11, 11, 11, 11}, 0},
		{"born at the third scrape", `n{instance="a",code="5xx"} _ _ 3 3 4`, up, []float64{0, 3, 0, 1}, 0},
		{"born without a clock", `n{instance="a",code="5xx"} _ _ 3 3 4`, "", []float64{0, 1}, 0},
		{"no series: no errors", "", up, []float64{0, 0, 0, 0}, 0},
		{"reset", `n{instance="a"} 100 110 4 8 12`, up, []float64{10, 4, 4, 4}, 1},
		{"away and back: spread over the gap", `n{instance="a"} 100 110 stale stale 6`, up, []float64{10, 2, 2, 2}, 1},
		{"one scrape lost", `n{instance="a"} 0 5 _ 15 20`, `ok{collector="endpoint",instance="a"} 1 1 _ 1 1`, []float64{5, 10, 5}, 0},
		{"collector failed once", `n{instance="a"} 0 5 _ 15 20`, `ok{collector="endpoint",instance="a"} 1 1 0 1 1`, []float64{5, 10, 5}, 0},
		{"two targets", "n{instance=\"a\"} 0 5 10 15 20\nn{instance=\"b\"} 0 1 2 3 4", "", []float64{6, 6, 6, 6}, 0},
		{"a target that starts late", "n{instance=\"a\"} 0 5 10 15 20\nn{instance=\"b\"} _ _ 2 3 4", "", []float64{6, 6}, 0},
		{"nothing", "", "", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sumCounters(raw(t, c.series), raw(t, c.clock), 10_000, 50_000)
			var rises []float64
			for _, in := range got.Intervals {
				rises = append(rises, in.Increase)
			}
			if diff := cmp.Diff(c.want, rises); diff != "" {
				t.Errorf("increases (-want +got)\n%s", diff)
			}
			if got.Resets != c.resets {
				t.Errorf("%d resets, want %d", got.Resets, c.resets)
			}
		})
	}
}

// TestAddOverlapSpreads adds targets that are scraped at different times.
func TestAddOverlapSpreads(t *testing.T) {
	at := func(s float64) time.Time { return ms(int64(s * 1000)) }
	a := []Interval{{at(0), at(10), 10}, {at(10), at(20), 20}}
	b := []Interval{{at(5), at(15), 100}}
	want := []Interval{{at(5), at(10), 55}, {at(10), at(15), 60}}
	if diff := cmp.Diff(want, addOverlap([][]Interval{a, b})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRetime gives CloudWatch values the time of their datapoint.
func TestRetime(t *testing.T) {
	// Scraped every 10 s; a point of 20 s appears 20 s after its end.
	values := []sample{{40_000, 0.1}, {50_000, 0.1}, {60_000, 0.2}, {70_000, 0.25}, {80_000, 0.3}, {90_000, 0.4}}
	stamps := []sample{{40_000, 0}, {50_000, 0}, {60_000, 20}, {70_000, 20}, {80_000, 40}, {100_000, 60}}
	got := spread(restamp(values, stamps), 0, ms(0), ms(60_000))
	want := Series{
		Points:   []Point{{ms(0), 0.1}, {ms(20_000), 0.25}, {ms(40_000), 0.3}}, // the revised value stands; 90 s has no stamp
		Step:     20 * time.Second,
		Expected: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	inside := spread(restamp(values, stamps), 0, ms(30_000), ms(40_000))
	if len(inside.Points) != 1 || !inside.Points[0].Time.Equal(ms(20_000)) {
		t.Errorf("the point that covers 20 s to 40 s belongs to 30 s to 40 s alone, got %+v", inside.Points)
	}
}
