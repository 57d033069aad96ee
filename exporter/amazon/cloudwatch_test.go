package amazon

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

// fakeCloudWatch answers a query with the points of its metric's name.
type fakeCloudWatch struct {
	points func(metric string, now time.Time) []observation
	status map[string]types.StatusCode
	calls  []time.Time
	spans  [][2]time.Time
}

func (f *fakeCloudWatch) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	now := time.Now()
	f.calls = append(f.calls, now)
	f.spans = append(f.spans, [2]time.Time{*in.StartTime, *in.EndTime})
	out := &cloudwatch.GetMetricDataOutput{}
	for _, q := range in.MetricDataQueries {
		name := *q.MetricStat.Metric.MetricName
		r := types.MetricDataResult{Id: q.Id, StatusCode: types.StatusCodeComplete}
		if s := f.status[name]; s != "" {
			r.StatusCode = s
		}
		for _, o := range f.points(name, now) {
			if !o.at.Before(*in.StartTime) && o.at.Before(*in.EndTime) {
				r.Timestamps, r.Values = append(r.Timestamps, o.at), append(r.Values, o.value)
			}
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	return out, nil
}

func newCloudWatch(t *testing.T, cfg CloudWatchConfig, client MetricDataClient) *CloudWatch {
	t.Helper()
	c, err := NewCloudWatch(cfg, client)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCloudWatchPollsOncePerPeriod(t *testing.T) {
	for _, c := range []struct {
		period, delay, publish time.Duration // publish: from a period's end until its point is there
		run                    time.Duration
		want                   string // times of the calls after the start
	}{
		// 2000-01-01 00:00:00 is where a synctest bubble begins; the first poll is
		// at once, a second later the bubble's tests start to count.
		{time.Minute, 2 * time.Minute, 0, 5 * time.Minute, "0s 2s 1m2s 2m2s 3m2s 4m2s"},
		{time.Minute, 2 * time.Minute, 10 * time.Minute, 3 * time.Minute, "0s 2s 1m2s 2m2s"}, // never more than one per minute
		{time.Second, 0, 0, 3500 * time.Millisecond, "0s 100ms 1.1s 2.1s 3.1s"},
		{time.Second, 0, 200 * time.Millisecond, 3500 * time.Millisecond, "0s 100ms 300ms 1.1s 1.3s 2.1s 2.3s 3.1s 3.3s"},
		{time.Second, 0, time.Hour, 2500 * time.Millisecond, "0s 100ms 300ms 1.1s 1.3s 2.1s 2.3s"}, // bounded
	} {
		t.Run(fmt.Sprint(c.period, " published after ", c.publish), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				fake := &fakeCloudWatch{points: func(_ string, now time.Time) []observation {
					newest := floorTo(now.Add(-c.publish), c.period).Add(-c.period)
					return []observation{{newest, 1}, {newest.Add(-c.period), 1}, {newest.Add(-2 * c.period), 1}, {newest.Add(-3 * c.period), 1}}
				}}
				cw := newCloudWatch(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: c.period, Delay: c.delay}, fake)
				ctx, cancel := context.WithTimeout(t.Context(), c.run)
				defer cancel()
				if err := cw.Run(ctx); err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, at := range fake.calls {
					got = append(got, at.Sub(began).String())
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("calls at %v, want %s", got, c.want)
				}
				for _, span := range fake.spans {
					if floorTo(span[0], c.period) != span[0] || floorTo(span[1], c.period) != span[1] {
						t.Errorf("a request for [%v, %v) is not aligned to %s", span[0], span[1], c.period)
					}
				}
			})
		})
	}
}

func TestCloudWatchShowsNewestCompletePoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now() // a minute boundary
		ago := func(minutes int) time.Time { return began.Add(-time.Duration(minutes) * time.Minute) }
		fake := &fakeCloudWatch{points: func(metric string, _ time.Time) []observation {
			switch metric {
			case "CPUUtilization": // the newest is not complete for another minute
				return []observation{{ago(4), 40}, {ago(3), 50}, {ago(2), 60}}
			case "ReadIOPS":
				return []observation{{ago(4), 1}, {ago(3), 2}}
			case "WriteIOPS": // lags a period: the total stays with what both have
				return []observation{{ago(4), 10}}
			}
			return nil
		}}
		cw := newCloudWatch(t, CloudWatchConfig{
			RDSInstances: []string{"db"}, EC2Instances: []EC2Instance{{"apim", "i-1"}}, Period: time.Minute, Delay: 2 * time.Minute,
		}, fake)
		if text, err := collectortest.Exposition(t, cw); collector.ClassOf(err) != collector.Timeout || collectortest.Only(text, "rds", "ec2") != "" {
			t.Errorf("before the first answer: error %v and\n%s", err, text)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = cw.Run(ctx) }()
		synctest.Wait()
		text, err := collectortest.Exposition(t, cw)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("T3", stamp(ago(3)), "T4", stamp(ago(4))).Replace(`ec2_cpu_utilization_ratio{ec2_instance="i-1",role="apim"} 0.5
ec2_datapoint_timestamp_seconds{ec2_instance="i-1",metric="CPUUtilization",role="apim"} T3
rds_cpu_utilization_ratio{db_instance="db"} 0.5
rds_datapoint_timestamp_seconds{db_instance="db",metric="CPUUtilization"} T3
rds_datapoint_timestamp_seconds{db_instance="db",metric="ReadIOPS"} T3
rds_datapoint_timestamp_seconds{db_instance="db",metric="TotalIOPS"} T4
rds_datapoint_timestamp_seconds{db_instance="db",metric="WriteIOPS"} T4
rds_read_iops{db_instance="db"} 2
rds_total_iops{db_instance="db"} 11
rds_write_iops{db_instance="db"} 10
token_persistence_exporter_cloudwatch_http_attempts_total 0
token_persistence_exporter_cloudwatch_metrics_requested_total 19
token_persistence_exporter_cloudwatch_requests_total 1
`)
		if diff := cmp.Diff(want, text); diff != "" {
			t.Error(diff)
		}

		// No point follows the one of two minutes ago: it outlives the silence for
		// a bounded time, then it is gone.
		time.Sleep(10 * time.Minute)
		if text, _ := collectortest.Exposition(t, cw); !strings.Contains(text, "rds_cpu_utilization_ratio") {
			t.Errorf("within %d periods the value is gone:\n%s", keepPeriods, text)
		}
		time.Sleep(2 * time.Minute)
		if text, err := collectortest.Exposition(t, cw); collectortest.Only(text, "rds", "ec2") != "" || err != nil {
			t.Errorf("after %d periods of silence: error %v and\n%s", keepPeriods, err, text)
		}
		cancel()
		synctest.Wait()
	})
}

// stamp is a time as the exposition prints it.
func stamp(t time.Time) string {
	return strconv.FormatFloat(float64(t.Unix()), 'g', -1, 64)
}

func TestCloudWatchResultStatus(t *testing.T) {
	for status, want := range map[types.StatusCode]collector.Class{
		types.StatusCodeForbidden:     collector.Permission,
		types.StatusCodePartialData:   collector.Partial,
		types.StatusCodeInternalError: collector.Partial,
	} {
		t.Run(string(status), func(t *testing.T) {
			at := floorTo(time.Now(), time.Minute).Add(-time.Minute)
			fake := &fakeCloudWatch{
				points: func(string, time.Time) []observation { return []observation{{at, 7}} },
				status: map[string]types.StatusCode{"WriteIOPS": status, "ReadLatency": status},
			}
			cw := newCloudWatch(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute}, fake)
			if _, err := cw.poll(t.Context()); collector.ClassOf(err) != want {
				t.Errorf("class %s of %v, want %s", collector.ClassOf(err), err, want)
			}
			text, err := collectortest.Exposition(t, cw)
			if collector.ClassOf(err) != want || !strings.Contains(err.Error(), "WriteIOPS of db") || !strings.Contains(err.Error(), "1 more of 18") {
				t.Errorf("error %v", err)
			}
			got := collectortest.Only(text, "rds_read_iops", "rds_write_iops", "rds_total_iops", "rds_read_latency")
			if got != "rds_read_iops{db_instance=\"db\"} 7\n" {
				t.Errorf("beside a result that is not complete:\n%s", got)
			}
		})
	}
}

func TestCloudWatchConfig(t *testing.T) {
	good := CloudWatchConfig{RDSInstances: []string{"db"}, EC2Instances: []EC2Instance{{"apim", "i-1"}}, Period: time.Minute, Delay: time.Minute}
	for name, c := range map[string]struct {
		change func(*CloudWatchConfig)
		flag   string
	}{
		"good":         {func(*CloudWatchConfig) {}, ""},
		"no instance":  {func(c *CloudWatchConfig) { *c = CloudWatchConfig{Period: time.Minute} }, "--cloudwatch.rds-instance"},
		"rds twice":    {func(c *CloudWatchConfig) { c.RDSInstances = []string{"db", "db"} }, "--cloudwatch.rds-instance=db"},
		"ec2 twice":    {func(c *CloudWatchConfig) { c.EC2Instances = slices.Repeat(c.EC2Instances, 2) }, "--cloudwatch.ec2-instance=apim=i-1"},
		"no role":      {func(c *CloudWatchConfig) { c.EC2Instances = []EC2Instance{{"", "i-1"}} }, "want ROLE=ID"},
		"odd period":   {func(c *CloudWatchConfig) { c.Period = 7 * time.Second }, "--cloudwatch.period=7s"},
		"split second": {func(c *CloudWatchConfig) { c.Period = time.Minute + time.Millisecond }, "--cloudwatch.period"},
		"limit":        {func(c *CloudWatchConfig) { c.IOPSLimit = -1 }, "--cloudwatch.rds-iops-limit=-1"},
		"past":         {func(c *CloudWatchConfig) { c.Delay = -1 }, "--cloudwatch.delay"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			_, err := NewCloudWatch(cfg, nil)
			if c.flag == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.flag) {
				t.Errorf("error %v does not name %s", err, c.flag)
			}
		})
	}
}

func TestCloudWatchLint(t *testing.T) {
	cw, server := throughSDK(t, CloudWatchConfig{RDSInstances: []string{"db"}, EC2Instances: []EC2Instance{{"apim", "db"}}, Period: time.Minute, IOPSLimit: 3000}, 1)
	for _, m := range cloudWatchMetrics {
		server.Put(m.namespace, m.aws, "db", floorTo(time.Now(), time.Minute).Add(-time.Minute), 1)
	}
	if _, err := cw.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	collectortest.Lint(t, cw)
}
