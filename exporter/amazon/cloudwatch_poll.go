package amazon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"github.com/tokenpersistence/toolkit/exporter/collector"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	queriesPerRequest = 500 // CloudWatch's limit
	maxPages          = 20  // of one request; ten points per query fill one page
)

// Run polls at once and then shortly after each moment at which a period is
// complete, until ctx ends.
func (c *CloudWatch) Run(ctx context.Context) error {
	found := c.pollPeriod(ctx, 0)
	var last time.Time
	for {
		now := c.clock()
		next := floorTo(now.Add(-c.cfg.Delay-c.phase()), c.cfg.Period).Add(c.cfg.Period + c.cfg.Delay + c.phase())
		if next.Equal(last) { // the clock was set back a little while we slept
			next = next.Add(c.cfg.Period)
		}
		if smithytime.SleepWithContext(ctx, next.Sub(now)) != nil {
			return nil
		}
		last = next
		found = c.pollPeriod(ctx, c.retries(found))
	}
}

// phase is how long after a boundary a poll comes: a little room for whoever
// publishes the datapoint, early enough that a scrape every period meets it.
func (c *CloudWatch) phase() time.Duration { return min(c.cfg.Period/10, 2*time.Second) }

// retries is how often a period may be asked for again when its datapoints are
// not there yet. AWS's own metrics have periods of a minute and more: each of
// those costs one set of billed requests, and the delay is what makes it enough.
func (c *CloudWatch) retries(foundLast bool) int {
	switch {
	case c.cfg.Period >= time.Minute:
		return 0
	case foundLast:
		return 2
	default:
		return 1 // the source may have ended
	}
}

// pollPeriod polls until the newest period's datapoint is there, and says
// whether it is. The waits between polls double and stay within the period.
func (c *CloudWatch) pollPeriod(ctx context.Context, retries int) bool {
	c.refill()
	for try := 0; ; try++ {
		fresh, err := c.poll(ctx)
		if fresh || err != nil || try == retries {
			return fresh
		}
		if smithytime.SleepWithContext(ctx, c.phase()<<(try+1)) != nil {
			return false
		}
	}
}

// poll asks for all metrics once and keeps what is complete. It reports whether
// any has a datapoint for the newest period.
func (c *CloudWatch) poll(ctx context.Context) (fresh bool, err error) {
	timeout := min(max(c.cfg.Period/2, 5*time.Second), 30*time.Second)
	poll, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	end := c.newestEnd()
	answers, err := c.fetch(poll, end)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err() // we are shutting down: no fault of CloudWatch
		}
		err = awsFailure(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		err = c.statusFailure(answers)
	}
	end = earlier(end, c.newestEnd()) // by AWS's clock, which the first answer tells
	newest := end.Add(-c.cfg.Period)
	for i := range answers {
		answers[i].points = slices.DeleteFunc(answers[i].points, func(o observation) bool { return o.at.After(newest) })
	}
	for i, a := range answers {
		if a.status != types.StatusCodeComplete {
			continue
		}
		for _, o := range a.points {
			if !o.at.Before(c.newest[i].at) { // an older answer does not replace a newer one
				c.newest[i] = o
			}
			fresh = fresh || o.at.Equal(newest)
		}
	}
	c.addTotals(answers)
	c.err = err
	return fresh, err
}

// newestEnd is the end of the newest period whose datapoint is complete.
func (c *CloudWatch) newestEnd() time.Time {
	return floorTo(c.clock().Add(-c.cfg.Delay), c.cfg.Period)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// addTotals adds reads and writes where both have a complete datapoint of the
// same period.
func (c *CloudWatch) addTotals(answers []answer) {
	reads := make([]map[time.Time]float64, len(c.cfg.RDSInstances))
	for i, a := range answers {
		s := c.series[i]
		if s.metric.aws != "ReadIOPS" || a.status != types.StatusCodeComplete {
			continue
		}
		reads[s.database] = make(map[time.Time]float64)
		for _, o := range a.points {
			reads[s.database][o.at] = o.value
		}
	}
	for i, a := range answers {
		s := c.series[i]
		if s.metric.aws != "WriteIOPS" || a.status != types.StatusCodeComplete {
			continue
		}
		total := &c.totals[s.database]
		for _, o := range a.points {
			if read, both := reads[s.database][o.at]; both && !o.at.Before(total.at) && !math.IsInf(read+o.value, 0) {
				*total = observation{o.at, read + o.value}
			}
		}
	}
}

// answer is what CloudWatch said of one series, over all pages.
type answer struct {
	status types.StatusCode
	points []observation
}

// fetch asks for the periods that end at or before end.
func (c *CloudWatch) fetch(ctx context.Context, end time.Time) ([]answer, error) {
	answers := make([]answer, len(c.series))
	for first := 0; first < len(c.series); first += queriesPerRequest {
		last := min(first+queriesPerRequest, len(c.series))
		in := &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(end.Add(-keepPeriods * c.cfg.Period)),
			EndTime:   aws.Time(end),
			ScanBy:    types.ScanByTimestampAscending,
		}
		byID := make(map[string]int)
		for i := first; i < last; i++ {
			q := c.series[i].query(fmt.Sprintf("m%d", i), c.cfg.Period)
			in.MetricDataQueries = append(in.MetricDataQueries, q)
			byID[*q.Id] = i
		}
		if err := c.fetchPages(ctx, in, byID, answers); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// fetchPages runs one request over all of its pages. A page may be empty and yet
// have a successor; a token that comes twice would never end.
func (c *CloudWatch) fetchPages(ctx context.Context, in *cloudwatch.GetMetricDataInput, byID map[string]int, answers []answer) error {
	tokens := make(map[string]bool)
	for range maxPages {
		if c.left.Load() <= 0 {
			return errBudget
		}
		c.requests.Add(1)
		c.billed.Add(uint64(len(in.MetricDataQueries)))
		out, err := c.client.GetMetricData(ctx, in, c.meter)
		if err != nil {
			return fmt.Errorf("read %d metrics from CloudWatch: %w", len(in.MetricDataQueries), err)
		}
		c.learnSkew(out)
		for _, r := range out.MetricDataResults {
			i, ours := byID[aws.ToString(r.Id)]
			if !ours {
				return &collector.Failure{Class: collector.Partial, Err: errors.New("CloudWatch's answer has a result that was not asked for")}
			}
			if err := answers[i].add(r, c.series[i].metric.scale, *in.StartTime, *in.EndTime); err != nil {
				return &collector.Failure{Class: collector.Partial, Err: fmt.Errorf("%s: %w", c.series[i].about(), err)}
			}
		}
		token := aws.ToString(out.NextToken)
		switch {
		case token == "":
			return nil
		case tokens[token]:
			return &collector.Failure{Class: collector.Partial, Err: errors.New("CloudWatch's pages repeat themselves")}
		}
		tokens[token] = true
		in.NextToken = out.NextToken
	}
	return &collector.Failure{Class: collector.Partial, Err: fmt.Errorf("CloudWatch's answer has more than %d pages", maxPages)}
}

// add takes a page's part of the answer.
func (a *answer) add(r types.MetricDataResult, scale float64, start, end time.Time) error {
	if len(r.Timestamps) != len(r.Values) {
		return fmt.Errorf("%d times and %d values", len(r.Timestamps), len(r.Values))
	}
	a.status = r.StatusCode // the last page's word stands: earlier ones say PartialData
	for i, at := range r.Timestamps {
		if at.Before(start) || !at.Before(end) {
			return errors.New("a datapoint outside of the time that was asked for")
		}
		if v := r.Values[i] * scale; !math.IsNaN(v) && !math.IsInf(v, 0) {
			a.points = append(a.points, observation{at, v})
		}
	}
	return nil
}

// about names the series in an error.
func (s cloudWatchSeries) about() string {
	return fmt.Sprintf("CloudWatch's result for %s %s of %s", s.metric.namespace, s.metric.aws, s.instance)
}

// query is the series as CloudWatch is asked for it.
func (s cloudWatchSeries) query(id string, period time.Duration) types.MetricDataQuery {
	return types.MetricDataQuery{
		Id: aws.String(id),
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace:  aws.String(s.metric.namespace),
				MetricName: aws.String(s.metric.aws),
				Dimensions: []types.Dimension{{Name: aws.String(dimension[s.metric.namespace]), Value: aws.String(s.instance)}},
			},
			Period: aws.Int32(int32(period / time.Second)),
			Stat:   aws.String(s.metric.stat),
		},
	}
}

// floorTo returns the period boundary at or before t, counted from the Unix
// epoch.
func floorTo(t time.Time, period time.Duration) time.Time {
	s := int64(period / time.Second)
	return time.Unix(t.Unix()/s*s, 0)
}
