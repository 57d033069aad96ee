package projection

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// sample is one run in the units of the model: seconds and tokens per second.
type sample struct {
	block      int
	throughput float64
	apim       float64 // core-seconds per token
	database   float64 // core-seconds per token; 0 when the database is not modelled
	response   float64
}

// runs are the complete runs of one mode of one grant.
type runs struct {
	samples  []sample
	left     int     // runs that lack a metric which others have
	origin   string  // where the response times come from
	database bool    // whether the database is modelled
	ceiling  float64 // response time that one in a hundred answers undercuts, s; +Inf where it is unknown
}

// place identifies a run among those of its mode: the block, and the position
// among runs of the same block, which is all that runs without blocks have.
type place struct{ block, position int }

// column is one metric of one mode.
type column struct {
	values map[place]float64
	order  []place
}

func columnOf(r report.Report, grant, metric string, off bool) column {
	c := column{values: map[place]float64{}}
	for _, found := range r.Comparisons {
		if found.Grant != grant || found.Metric != metric {
			continue
		}
		side := found.On
		if off {
			side = found.Off
		}
		next := map[int]int{}
		for _, run := range side.Runs {
			at := place{run.Block, next[run.Block]}
			next[run.Block]++
			c.values[at] = run.Value
			c.order = append(c.order, at)
		}
	}
	return c
}

// fits says whether the runs of two metrics can be told apart: by their blocks,
// or because neither lacks any.
func (c column) fits(other column) bool {
	for _, at := range c.order {
		if at.block == 0 {
			return len(c.order) == len(other.order)
		}
	}
	return true
}

// read collects the runs of a mode. The error says why the grant is refused.
func read(r report.Report, grant string, off bool, h report.Hardware) (runs, error) {
	mode := modeName(off)
	x := columnOf(r, grant, report.MetricThroughput, off)
	if len(x.order) == 0 {
		return runs{}, fmt.Errorf("no run with persistence %s has a throughput", mode)
	}
	apim, err := demands(r, grant, off, x, report.MetricAPIManagerCoreMS, report.MetricAPIManagerCPU, h.APIManagerVCPUs)
	if err != nil {
		return runs{}, err
	}
	if len(apim.order) == 0 {
		return runs{}, fmt.Errorf("no run with persistence %s has an API Manager CPU: give the experiment a source for it and compare again", mode)
	}
	database, err := demands(r, grant, off, x, report.MetricDatabaseCoreMS, report.MetricDatabaseCPU, h.DatabaseVCPUs)
	if err != nil {
		return runs{}, err
	}
	response, origin := responses(r, grant, off, x, h)
	if !response.fits(x) {
		return runs{}, mismatch(mode, x, response, "response time")
	}
	out := runs{origin: origin, database: len(database.order) > 0 && h.DatabaseVCPUs > 0, ceiling: fastest(r, grant, off)}
	for _, at := range x.order {
		s := sample{block: at.block, throughput: x.values[at], apim: apim.values[at], response: response.values[at]}
		_, complete := apim.values[at]
		if _, ok := response.values[at]; !ok {
			complete = false
		}
		if out.database {
			s.database = database.values[at]
			_, ok := database.values[at]
			complete = complete && ok
		}
		if !complete {
			out.left++
			continue
		}
		if err := s.check(mode, origin); err != nil {
			return runs{}, err
		}
		out.samples = append(out.samples, s)
	}
	if len(out.samples) == 0 {
		return runs{}, fmt.Errorf("no run with persistence %s has throughput, CPU and response time together", mode)
	}
	return out, nil
}

func modeName(off bool) string {
	if off {
		return "off"
	}
	return "on"
}

func mismatch(mode string, x, other column, what string) error {
	return fmt.Errorf("with persistence %s %d runs have a throughput and %d a %s: without blocks nothing says which belong together", mode, len(x.order), len(other.order), what)
}

// demands are core-seconds per token: as the report gives them, else by the
// utilisation law from the share of the cores that was busy.
func demands(r report.Report, grant string, off bool, x column, metric, busy string, vcpus int) (column, error) {
	out := columnOf(r, grant, metric, off)
	seconds := func(_ place, v float64) float64 { return v / 1000 }
	if len(out.order) == 0 && vcpus > 0 {
		out = columnOf(r, grant, busy, off)
		seconds = func(at place, v float64) float64 { return queueing.Demand(v, vcpus, x.values[at]) }
	}
	if !out.fits(x) {
		return out, mismatch(modeName(off), x, out, "CPU")
	}
	for at, v := range out.values {
		out.values[at] = seconds(at, v)
	}
	return out, nil
}

// Where response times come from, as the assumptions name it.
const (
	byMean   = "the mean"
	byMedian = "the median"
	byLittle = "Little's law"
)

// responses are seconds: the mean of the result files, else their median, else
// what Little's law leaves beside the think time.
func responses(r report.Report, grant string, off bool, x column, h report.Hardware) (column, string) {
	if out := means(r, grant, off); len(out.order) > 0 {
		return out, byMean
	}
	if out := columnOf(r, grant, report.MetricLatencyMedian, off); len(out.order) > 0 {
		for at, v := range out.values {
			out.values[at] = v / 1000
		}
		return out, byMedian
	}
	out := column{values: map[place]float64{}, order: x.order}
	for at, v := range x.values {
		out.values[at] = queueing.Response(h.Users, v, h.ThinkSeconds)
	}
	return out, byLittle
}

// means are the mean response times of the windows: requests under way over
// throughput. Windows without a throughput are no runs; they have no place.
func means(r report.Report, grant string, off bool) column {
	c := column{values: map[place]float64{}}
	next := map[int]int{}
	for _, d := range r.Diagnostics {
		if d.Grant != grant || d.Persistence != modeName(off) || d.Throughput == nil {
			continue
		}
		at := place{d.Block, next[d.Block]}
		next[d.Block]++
		if d.InFlight != nil {
			c.values[at] = *d.InFlight / *d.Throughput
			c.order = append(c.order, at)
		}
	}
	return c
}

// fastest is the response time in seconds that one in a hundred successful
// answers of a mode undercuts, +Inf where the report holds no distribution.
// One in a hundred, because single answers may have gone a shorter way.
func fastest(r report.Report, grant string, off bool) float64 {
	for _, l := range r.Latencies {
		if l.Grant != grant || l.Persistence != modeName(off) {
			continue
		}
		for i, share := range l.Shares {
			if share >= 0.01 && i < len(l.Milliseconds) {
				return l.Milliseconds[i] / 1000
			}
		}
	}
	return math.Inf(1)
}

// check refuses values that no run can have.
func (s sample) check(mode, origin string) error {
	for _, c := range []struct {
		what  string
		value float64
		least float64
	}{
		{"throughput", s.throughput, math.SmallestNonzeroFloat64}, {"API Manager CPU", s.apim, math.SmallestNonzeroFloat64},
		{"database CPU", s.database, 0}, {"response time", s.response, math.SmallestNonzeroFloat64},
	} {
		if c.value >= c.least && !math.IsInf(c.value, 0) {
			continue
		}
		if c.what == "response time" && origin == byLittle {
			return fmt.Errorf("at the throughput with persistence %s, think time and users leave no time for an answer: give a shorter --think", mode)
		}
		return fmt.Errorf("a run with persistence %s has a %s that is 0 or below, or no number", mode, c.what)
	}
	return nil
}
