package study

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// span is the measured part of a window: its warm-up is over, its end not reached.
type span struct{ from, to time.Time }

func measured(w source.Window, o Options) span {
	return span{w.Start.Add(o.Warmup), w.End}
}

func (s span) length() time.Duration { return s.to.Sub(s.from) }

func (s span) holds(from, to time.Time) bool {
	return !from.Before(s.from) && !to.After(s.to)
}

// measure is what one window says about one metric.
type measure struct {
	value float64
	n     int // observations behind the value
	// series is the metric over the window's seconds, intervals or points; nil
	// when it has none.
	series []float64
	// parts stand in for series in the tests for steps and drifts, where the value
	// is no plain mean and no interval may be formed of them.
	parts []float64
	// cap is why the value cannot support a PASS; "" when it can.
	cap string
	// tokens were issued while a demand was sampled; 0 for other metrics.
	tokens float64
}

// Reasons why a window has no value. They end up in the report.
var (
	errTooShort = errors.New("the window is not longer than its warm-up")
	errNoSample = errors.New("no sample lies in the measured part of the window")
)

// seconds returns the whole seconds of the measured part. Bins that the reader
// did not fill are silence, hence zero.
func seconds(r source.Run, s span) []source.Second {
	if r.Requests == nil {
		return nil
	}
	first := int(math.Ceil(s.from.Sub(r.Window.Start).Seconds()))
	last := int(s.to.Sub(r.Window.Start) / time.Second)
	if last <= first {
		return nil
	}
	out := make([]source.Second, last-first)
	if first < len(r.Requests.Seconds) {
		copy(out, r.Requests.Seconds[first:])
	}
	return out
}

// measureThroughput is successful tokens per second of measured time.
func measureThroughput(r source.Run, s span, _ Options) (measure, error) {
	if s.length() <= 0 {
		return measure{}, errTooShort
	}
	if r.Requests == nil {
		return countedThroughput(r, s)
	}
	bins := seconds(r, s)
	if len(bins) == 0 {
		return measure{}, errTooShort
	}
	m := measure{series: make([]float64, len(bins)), n: len(bins)}
	rows := uint64(0)
	for i, b := range bins {
		m.series[i] = float64(b.Successes)
		m.value += float64(b.Successes)
		rows += b.Successes + b.Errors
	}
	if rows == 0 {
		return measure{}, errors.New("no request ended in the measured part of the window")
	}
	m.value /= float64(len(bins))
	return m, nil
}

// countedThroughput comes from the increments of the endpoint counter that lie
// wholly in the measured part. Nothing is extrapolated to its edges.
func countedThroughput(r source.Run, s span) (measure, error) {
	series, ok := r.Series[source.EndpointRequests]
	if !ok {
		return measure{}, errors.New("neither a result file nor the endpoint counter tells how many tokens were issued")
	}
	var m measure
	var tokens float64
	var covered time.Duration
	for _, in := range series.Intervals {
		if length := in.To.Sub(in.From); length > 0 && s.holds(in.From, in.To) {
			tokens += in.Increase
			covered += length
			m.series = append(m.series, in.Increase/length.Seconds())
		}
	}
	if covered == 0 {
		return measure{}, errNoSample
	}
	m.value, m.n = tokens/covered.Seconds(), len(m.series)
	m.cap = uncovered(series, s)
	return m, nil
}

// uncovered says what a counter is known to have missed: the rest of an
// increment before a reset, and the measured time its increments leave out. Scrapes are up to a step away from the two edges, which loses nothing
// but precision; between them the increments have to touch.
func uncovered(series source.Series, s span) string {
	if series.Resets > 0 {
		return fmt.Sprintf("the endpoint counter was reset %s, so requests are missing from its count: keep the exporter running, or give result files", times(series.Resets))
	}
	edge := series.Step + series.Step/4
	var covered time.Duration
	end := s.from
	whole := true
	for _, in := range series.Intervals {
		if !s.holds(in.From, in.To) {
			continue
		}
		gap := in.From.Sub(end)
		if gap > 0 && (covered > 0 || gap > edge) {
			whole = false
		}
		covered += in.To.Sub(in.From)
		end = in.To
	}
	if whole && s.to.Sub(end) <= edge {
		return ""
	}
	return fmt.Sprintf("the endpoint counter covers %.0f of %.0f s: look for scrapes that failed", covered.Seconds(), s.length().Seconds())
}

// measureRequests is what other tools call throughput: all requests per second of
// measured time, failed ones too. WSO2's results splitter and JMeter count so.
func measureRequests(r source.Run, s span, _ Options) (measure, error) {
	if r.Requests == nil {
		return measure{}, errors.New("counting failed requests too needs a result file")
	}
	good, bad, err := requests(r, s)
	if err != nil {
		return measure{}, err
	}
	bins := seconds(r, s)
	if len(bins) == 0 {
		return measure{}, errTooShort
	}
	return measure{value: (good + bad) / float64(len(bins)), n: len(bins)}, nil
}

// measureErrors is the share of failed requests among all.
func measureErrors(r source.Run, s span, _ Options) (measure, error) {
	good, bad, err := requests(r, s)
	if err != nil {
		return measure{}, err
	}
	if good+bad == 0 {
		return measure{}, errors.New("no request ended in the measured part of the window")
	}
	m := measure{value: bad / (good + bad), n: int(good + bad)}
	if r.Requests == nil {
		m.cap = uncovered(r.Series[source.EndpointErrors], s)
	}
	return m, nil
}

// requests counts the successful and the failed requests of the measured part.
func requests(r source.Run, s span) (good, bad float64, err error) {
	if s.length() <= 0 {
		return 0, 0, errTooShort
	}
	if r.Requests != nil {
		for _, b := range seconds(r, s) {
			good += float64(b.Successes)
			bad += float64(b.Errors)
		}
		return good, bad, nil
	}
	failed, ok := r.Series[source.EndpointErrors]
	if !ok {
		return 0, 0, errors.New("neither a result file nor the endpoint counter tells how many requests failed")
	}
	for _, c := range []struct {
		series source.Series
		sum    *float64
	}{{r.Series[source.EndpointRequests], &good}, {failed, &bad}} {
		for _, in := range c.series.Intervals {
			if s.holds(in.From, in.To) {
				*c.sum += in.Increase
			}
		}
	}
	return good, bad, nil
}

// latency measures a quantile of the run's exact millisecond histogram of
// successful requests.
func latency(p float64) func(source.Run, span, Options) (measure, error) {
	return func(r source.Run, s span, o Options) (measure, error) {
		if r.Requests == nil {
			return measure{}, errors.New("latency needs a result file")
		}
		if s.length() <= 0 {
			return measure{}, errTooShort
		}
		q, err := stats.HistogramQuantile(r.Requests.ElapsedMS, p, stats.QuantileType(o.QuantileType))
		if err != nil {
			return measure{}, err
		}
		n := 0
		for _, c := range r.Requests.ElapsedMS {
			n += int(c)
		}
		return measure{value: q, n: n}, nil
	}
}

// gauge measures the mean of a series' points. A point that covers time outside
// the measured part, as the first and the last of CloudWatch do, is left out.
func gauge(name string) func(source.Run, span, Options) (measure, error) {
	return func(r source.Run, s span, _ Options) (measure, error) {
		series, ok := r.Series[name]
		if !ok {
			return measure{}, errors.New("no series")
		}
		if s.length() <= 0 {
			return measure{}, errTooShort
		}
		var m measure
		for _, p := range series.Points {
			if s.holds(p.Time, p.Time.Add(series.Step)) {
				m.series = append(m.series, p.Value)
				m.value += p.Value
			}
		}
		if len(m.series) == 0 {
			return measure{}, errNoSample
		}
		m.n = len(m.series)
		m.value /= float64(m.n)
		return m, nil
	}
}
